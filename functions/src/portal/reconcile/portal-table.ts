import { createHash } from 'node:crypto';
import type { Kennitala } from '../../domain/kennitala.ts';
import type { StoredMember } from '../../domain/member/decide-change.ts';
import type { ParsedMember } from '../../domain/member/parse-registry-member.ts';
import { sourceHash } from '../../domain/member/patch.ts';
import type { DocumentState } from '../ports.ts';

const HASH_BYTES = 16;
const ACTIVE = 1;
/** The metadata says what the content says, so nothing but the version and the row number can differ. */
const SOUND = 2;
const SEEN = 4;
const WITH_DIGEST = 8;
const FIRST_CAPACITY = 4_096;
/** No version and no row number is negative. */
const NONE = -1;

/** A row's number in the table. */
export type Row = number;

/**
 * What the portal held when it was read: of each member the number, a hash of the content, the version, the
 * registry's digest and row number, the document's state and three marks. That is about 120 bytes, so that 100,000 members fit
 * in a small function.
 */
export interface PortalTable {
  readonly length: number;
  readonly active: number;
  find(kennitala: Kennitala): Row | null;
  /** Whether the document is what the registry says, down to its metadata. */
  holds(row: Row, said: ParsedMember, hash: string): boolean;
  /** Returns false when the row had been marked before. */
  markSeen(row: Row): boolean;
  state(row: Row): DocumentState;
  /** Active members whom nobody marked. */
  unseen(): Iterable<{ readonly kennitala: Kennitala; readonly djangoId: number | null; readonly row: Row }>;
  /** SHA-256 (hex) of what was held: numbers, contents, versions and who is active. */
  digest(): string;
}

export interface PortalTableBuilder {
  /** In ascending order of kennitala. */
  add(kennitala: Kennitala, stored: StoredMember, state: DocumentState): void;
  finish(): PortalTable;
}

export const makePortalTable = (): PortalTableBuilder => {
  const kennitalas: Kennitala[] = [];
  let versions = new Float64Array(FIRST_CAPACITY);
  let djangoIds = new Float64Array(FIRST_CAPACITY);
  let digests = new Float64Array(2 * FIRST_CAPACITY);
  let hashes = new Uint8Array(FIRST_CAPACITY * HASH_BYTES);
  let marks = new Uint8Array(FIRST_CAPACITY);
  const states: DocumentState[] = [];
  let active = 0;

  const grow = (): void => {
    versions = withRoom(versions, Float64Array);
    djangoIds = withRoom(djangoIds, Float64Array);
    digests = withRoom(digests, Float64Array);
    hashes = withRoom(hashes, Uint8Array);
    marks = withRoom(marks, Uint8Array);
  };

  const find = (kennitala: Kennitala): Row | null => {
    let low = 0;
    let high = states.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const held = kennitalas[middle] ?? '';
      if (held === kennitala) return middle;
      if (held < kennitala) low = middle + 1;
      else high = middle - 1;
    }
    return null;
  };

  return {
    add: (kennitala, { member, meta }, state) => {
      const row = states.length;
      if (row === marks.length) grow();
      const hash = sourceHash(member);
      const isActive = member.membership.status === 'active';
      const isSound = meta.source_hash === hash && (meta.deleted_at === null) === isActive;
      kennitalas.push(kennitala);
      versions[row] = meta.source_version ?? NONE;
      djangoIds[row] = meta.django_id ?? NONE;
      hashes.set(Buffer.from(hash, 'hex').subarray(0, HASH_BYTES), row * HASH_BYTES);
      if (meta.digest !== undefined) digests.set([meta.digest.a, meta.digest.b], 2 * row);
      marks[row] =
        (isActive ? ACTIVE : 0) | (isSound ? SOUND : 0) | (meta.digest === undefined ? 0 : WITH_DIGEST);
      states.push(state);
      if (isActive) active += 1;
    },
    finish: () => ({
      length: states.length,
      active,
      find,
      holds: (row, said, hash) =>
        ((marks[row] ?? 0) & SOUND) !== 0 &&
        (said.version === null || said.version === versions[row] || isFirstVersion(said, versions[row])) &&
        (said.djangoId === null || said.djangoId === djangoIds[row]) &&
        (said.digest === undefined ||
          (((marks[row] ?? 0) & WITH_DIGEST) !== 0 &&
            said.digest.a === digests[2 * row] &&
            said.digest.b === digests[2 * row + 1])) &&
        Buffer.from(hash, 'hex')
          .subarray(0, HASH_BYTES)
          .equals(hashes.subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES)),
      markSeen: (row) => {
        const isFirst = ((marks[row] ?? 0) & SEEN) === 0;
        marks[row] = (marks[row] ?? 0) | SEEN;
        return isFirst;
      },
      state: (row) => states[row] ?? null,
      *unseen() {
        for (const [row, kennitala] of kennitalas.entries()) {
          if (((marks[row] ?? 0) & (ACTIVE | SEEN)) !== ACTIVE) continue;
          const djangoId = djangoIds[row] ?? NONE;
          yield {
            kennitala,
            djangoId: djangoId === NONE ? null : djangoId,
            row,
          };
        }
      },
      digest: () => {
        const digest = createHash('sha256');
        const { length } = states;
        for (const kennitala of kennitalas) digest.update(kennitala);
        digest.update(versions.subarray(0, length));
        digest.update(digests.subarray(0, 2 * length));
        digest.update(hashes.subarray(0, length * HASH_BYTES));
        // The marks of this reading are no part of what was held.
        return digest.update(marks.subarray(0, length).map((mark) => mark & ~SEEN)).digest('hex');
      },
    }),
  };
};

/** Of a member who has had no event yet, whose document is from before the registry had versions. */
const isFirstVersion = (said: ParsedMember, held: number | undefined): boolean =>
  said.version === 0 && held === NONE;

const withRoom = <T extends Float64Array | Uint8Array>(column: T, make: new (length: number) => T): T => {
  const grown = new make(column.length * 2);
  grown.set(column);
  return grown;
};
