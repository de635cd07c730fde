import { z } from 'zod';
import { SyncError } from '../../lib/errors.ts';
import { type Kennitala, tryKennitala } from '../kennitala.ts';
import { isStorableTime } from '../storable.ts';
import { type ParsedMember, parseRegistryMember, versionNumber } from './parse-registry-member.ts';

interface ChangeFacts {
  readonly kennitala: Kennitala;
  /** Orders the changes of one member; null for a change that only hints that something happened. */
  readonly version: number | null;
  /** When the registry made the change; null when it does not say. */
  readonly occurredAt: Date | null;
}

/** A change of one member in the registry, whichever way it was learned of. */
export type MemberChange =
  | (ChangeFacts & { readonly action: 'create' | 'update'; readonly content: ParsedMember })
  | (ChangeFacts & { readonly action: 'delete'; readonly content: null });

const envelope = z.looseObject({
  kennitala: z.string(),
  action: z.enum(['create', 'update', 'delete']),
  data: z.unknown().optional(),
  version: versionNumber.nullish(),
  occurred_at: z.iso
    .datetime({ offset: true })
    .refine((time) => isStorableTime(new Date(time)))
    .nullish(),
});

const identity = z.looseObject({ ssn: z.string().nullish(), kennitala: z.string().nullish() });

/**
 * The body of a registry event. What a `delete` says about the member besides its number is left out.
 * @throws SyncError `invalid_request` when the event itself is not of the agreed form, `member_invalid` when the
 *   member in it is not. Both name paths, never values.
 */
export const parseMemberChange = (json: unknown): MemberChange => {
  const result = envelope.safeParse(json);
  if (!result.success)
    throw wrongEvent(String(result.error.issues[0]?.path[0] ?? 'body'), 'is not of the agreed form');
  const { action, data, version, occurred_at } = result.data;
  const kennitala = tryKennitala(result.data.kennitala);
  if (kennitala === null) throw wrongEvent('kennitala', 'is not a kennitala');
  const facts = {
    kennitala,
    version: version ?? null,
    occurredAt: typeof occurred_at === 'string' ? new Date(occurred_at) : null,
  };
  if (action === 'delete') {
    if (isNothing(data)) return { ...facts, action, content: null };
    assertSameMember(kennitala, dataKennitala(data));
    return { ...facts, action, content: null };
  }
  if (isNothing(data)) throw wrongEvent('data', `is missing, and a ${action} needs it`);
  const content = parseRegistryMember(data);
  assertSameMember(kennitala, content.kennitala);
  return { ...facts, action, content };
};

const isNothing = (data: unknown): boolean => data === undefined || data === null;

/** A delete is taken even when the rest of the member cannot be mapped: it is not needed. */
const dataKennitala = (data: unknown): Kennitala | null => {
  const named = identity.safeParse(data).data;
  const text = named?.ssn ?? named?.kennitala;
  return text === undefined || text === null ? null : tryKennitala(text);
};

const assertSameMember = (kennitala: Kennitala, inData: Kennitala | null): void => {
  if (inData !== null && inData !== kennitala) throw wrongEvent('kennitala', 'is not the member in data');
};

const wrongEvent = (path: string, expectation: string): SyncError =>
  new SyncError('invalid_request', `${path} ${expectation}.`, { details: { path } });
