import { z } from 'zod';
import { SyncError } from '../../lib/errors.ts';
import { type Kennitala, tryKennitala } from '../kennitala.ts';
import { isStorableTime } from '../storable.ts';
import { memberVersion } from './member.ts';
import { type ParsedMember, parseRegistryMember, tryParseRegistryMember } from './parse-registry-member.ts';
import { whoIs } from './wire.ts';

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

/**
 * That something about a member changed, from a registry that counts no versions. It may have been sent inside the
 * transaction of the change, so it says neither that the change stands nor that it can be read yet.
 */
export interface MemberHint {
  readonly kennitala: Kennitala;
  readonly action: MemberChange['action'];
  /** `data` as it was sent; null when there was none, or it cannot be read as this member. */
  readonly payload: unknown;
}

const envelope = z.looseObject({
  kennitala: z.string(),
  action: z.enum(['create', 'update', 'delete']),
  data: z.unknown().optional(),
  version: memberVersion.nullish(),
  occurred_at: z.iso
    .datetime({ offset: true })
    .refine((time) => isStorableTime(new Date(time)))
    .nullish(),
});

/**
 * The body of a registry event. What a `delete` says about the member besides its number is left out.
 * @throws SyncError `invalid_request` when the event itself is not of the agreed form, `member_invalid` when the
 *   member in it is not. Both name paths, never values.
 */
export const parseMemberChange = (json: unknown): MemberChange => {
  const { kennitala, action, data, version, occurred_at } = parseEnvelope(json);
  const facts = {
    kennitala,
    version: version ?? null,
    occurredAt: typeof occurred_at === 'string' ? new Date(occurred_at) : null,
  };
  if (action === 'delete') {
    // It is taken even when the rest of the member cannot be mapped: that is not needed.
    assertSameMember(kennitala, whoIs(data).kennitala);
    return { ...facts, action, content: null };
  }
  if (isNothing(data)) throw wrongEvent('data', `is missing, and a ${action} needs it`);
  const content = parseRegistryMember(data);
  assertSameMember(kennitala, content.kennitala);
  return { ...facts, action, content };
};

/**
 * The same body as a hint. Its sender does not repeat, so what is wrong inside `data` costs no more than `data`.
 * @throws SyncError `invalid_request` when it cannot be told who it is about.
 */
export const parseMemberHint = (json: unknown): MemberHint => {
  const { kennitala, action, data } = parseEnvelope(json);
  assertSameMember(kennitala, whoIs(data).kennitala);
  return { kennitala, action, payload: tryParseRegistryMember(data)?.kennitala === kennitala ? data : null };
};

const parseEnvelope = (json: unknown) => {
  const result = envelope.safeParse(json);
  if (!result.success)
    throw wrongEvent(String(result.error.issues[0]?.path[0] ?? 'body'), 'is not of the agreed form');
  const kennitala = tryKennitala(result.data.kennitala);
  if (kennitala === null) throw wrongEvent('kennitala', 'is not a kennitala');
  return { ...result.data, kennitala };
};

const isNothing = (data: unknown): boolean => data === undefined || data === null;

const assertSameMember = (kennitala: Kennitala, inData: Kennitala | null): void => {
  if (inData !== null && inData !== kennitala) throw wrongEvent('kennitala', 'is not the member in data');
};

const wrongEvent = (path: string, expectation: string): SyncError =>
  new SyncError('invalid_request', `${path} ${expectation}.`, { details: { path } });
