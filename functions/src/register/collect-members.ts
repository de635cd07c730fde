import { createHash } from 'node:crypto';
import { hasImpossibleDate, isLegalEntity, isPlaceholder, type Kennitala } from '../domain/kennitala.ts';
import { type ParsedMember, parseRegistryMember } from '../domain/member/parse-registry-member.ts';
import { whoIs } from '../domain/member/wire.ts';
import { isSyncError } from '../lib/errors.ts';
import { type KnownUnreadable, SAID, type StagedMember } from './ports.ts';

/** A member who was left out of the run, and why: the path of the fault, never its value. */
export interface UnreadableMember extends KnownUnreadable {
  /** In the order that the registry sent them, from 0. */
  readonly position: number;
  readonly reason: string;
}

export interface AdjustedMember {
  readonly kennitala: Kennitala;
  readonly adjustments: readonly Adjustment[];
}

export interface CollectedMembers {
  readonly received: number;
  /** The largest count that a page announced; null when none did. */
  readonly announced: number | null;
  /** Ascending by kennitala, each once. */
  readonly members: readonly StagedMember[];
  readonly unreadable: readonly UnreadableMember[];
  readonly adjusted: readonly AdjustedMember[];
  readonly placeholders: number;
  /** Entries of a kennitala that had come before. */
  readonly repeated: number;
  readonly legalEntities: number;
  /** Members whose number has a day that no month has. */
  readonly impossibleDates: number;
}

/**
 * Reads the pages to the end. A member who cannot be read is left out and told, with what is known of who it is; of a
 * number that comes twice, the row with the higher version counts, then the one with the lower row number, as in the portal.
 */
export const collectMembers = async (
  pages: AsyncIterable<{ readonly members: readonly unknown[]; readonly count: number | null }>,
): Promise<CollectedMembers> => {
  const byKennitala = new Map<Kennitala, StagedMember>();
  const unreadable: UnreadableMember[] = [];
  const adjusted: AdjustedMember[] = [];
  let [received, placeholders, repeated, legalEntities, impossibleDates] = [0, 0, 0, 0, 0];
  let announced: number | null = null;

  const take = (json: unknown): void => {
    const parsed = parseRegistryMember(json);
    if (isPlaceholder(parsed.kennitala)) {
      placeholders += 1;
      return;
    }
    const { member, adjustments } = toStagedMember(parsed);
    if (adjustments.length > 0) adjusted.push({ kennitala: member.kennitala, adjustments });
    const before = byKennitala.get(member.kennitala);
    if (before === undefined && isLegalEntity(member.kennitala)) legalEntities += 1;
    if (before === undefined && hasImpossibleDate(member.kennitala)) impossibleDates += 1;
    if (before !== undefined) repeated += 1;
    if (before === undefined || isNewer(member, before)) byKennitala.set(member.kennitala, member);
  };

  for await (const page of pages) {
    if (page.count !== null) announced = Math.max(announced ?? 0, page.count);
    for (const json of page.members) {
      try {
        take(json);
      } catch (cause) {
        if (!isSyncError(cause, 'member_invalid')) throw cause;
        const { kennitala, djangoId } = whoIs(json);
        const external_id = djangoId === null ? null : String(djangoId);
        unreadable.push({
          position: received,
          reason: String(cause.details['path']),
          kennitala,
          external_id,
        });
      }
      received += 1;
    }
  }
  const members = [...byKennitala.values()].sort((a, b) => (a.kennitala < b.kennitala ? -1 : 1));
  return {
    received,
    announced,
    members,
    unreadable,
    adjusted,
    placeholders,
    repeated,
    legalEntities,
    impossibleDates,
  };
};

/** Digest (SHA-256, hex) of everything that will be staged, whatever order it came in. */
export const digestMembers = ({ members, unreadable }: CollectedMembers): string => {
  const hash = createHash('sha256');
  for (const member of members) {
    const { kennitala, name, email, phone, external_id, date_joined, version, said } = member;
    const columns = [kennitala, name, email, phone, external_id, date_joined, version, said];
    hash.update(`${JSON.stringify([...columns, member.digest_a, member.digest_b])}\n`);
  }
  const known = unreadable.map(({ kennitala, external_id }) => JSON.stringify([kennitala, external_id]));
  return hash.update(known.sort().join('\n')).digest('hex');
};

const isNewer = (candidate: StagedMember, before: StagedMember): boolean => {
  const [mine, theirs] = [candidate.version ?? -1, before.version ?? -1];
  if (mine !== theirs) return mine > theirs;
  return (
    Number(candidate.external_id ?? Number.POSITIVE_INFINITY) <
    Number(before.external_id ?? Number.POSITIVE_INFINITY)
  );
};

/** Characters (code points, as PostgreSQL counts them). */
const NAME_MAX = 255;
const EMAIL_MAX = 255;
const PHONE_MAX = 20;

/**
 * What the register's columns could not hold as it was sent: a name is cut (nobody is left out for a long name), an
 * e-mail address or phone number is left empty, since a cut one could be somebody else's.
 */
type Adjustment = 'name_cut' | 'email_too_long' | 'phone_too_long';

interface Staged {
  readonly member: StagedMember;
  readonly adjustments: readonly Adjustment[];
}

/** The columns of one member. Fields that the registry did not mention are marked, not guessed. */
export const toStagedMember = ({ kennitala, djangoId, version, content, digest }: ParsedMember): Staged => {
  const adjustments = new Set<Adjustment>();
  const fitting = (text: string | undefined, max: number, otherwise: Adjustment): string | null => {
    const kept = (text ?? '').trim();
    if (lengthOf(kept) <= max) return kept === '' ? null : kept;
    adjustments.add(otherwise);
    return null;
  };
  const named = content['profile.name'] ?? '';
  const name = lengthOf(named) > NAME_MAX ? [...named].slice(0, NAME_MAX).join('') : named;
  if (name !== named) adjustments.add('name_cut');
  const joined = content['membership.date_joined'];
  return {
    member: {
      kennitala,
      name,
      email: fitting(content['profile.email'], EMAIL_MAX, 'email_too_long'),
      phone: fitting(content['profile.phone'], PHONE_MAX, 'phone_too_long'),
      external_id: djangoId === null ? null : String(djangoId),
      date_joined: joined?.toISOString() ?? null,
      version,
      digest_a: digest?.a ?? null,
      digest_b: digest?.b ?? null,
      said:
        (content['profile.name'] === undefined ? 0 : SAID.name) |
        (content['profile.email'] === undefined ? 0 : SAID.email) |
        (content['profile.phone'] === undefined ? 0 : SAID.phone) |
        (djangoId === null ? 0 : SAID.externalId) |
        (joined === undefined ? 0 : SAID.dateJoined) |
        (version === null ? 0 : SAID.version),
    },
    adjustments: [...adjustments],
  };
};

/** Most texts are short in any way of counting; only a long one is counted by code points. */
const lengthOf = (text: string): number => (text.length <= PHONE_MAX ? text.length : [...text].length);
