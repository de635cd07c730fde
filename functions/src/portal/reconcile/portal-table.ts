import { createHash } from 'node:crypto';
import { type Kennitala, toNumber } from '../../domain/kennitala.ts';
import type { StoredMember } from '../../domain/member/decide-change.ts';
import type { ParsedMember } from '../../domain/member/parse-registry-member.ts';
import { sourceHash } from '../../domain/member/patch.ts';
import type { DocumentState } from '../ports.ts';
import { grown, kennitalaOf, makeStateColumn, withRoom } from './compact.ts';

const HASH_BYTES = 16;
const ACTIVE = 1;
/** The metadata says what the content says, so nothing but the version and the row number can differ. */
const SOUND = 2;
const SEEN = 4;
const WITH_DIGEST = 8;
/** No version and no row number is negative. */
const NONE = -1;

/** A row's number in the table. */
export type Row = number;

/**
 * What the portal held when it was read: of each member the number, a hash of the content, the version, the
 * registry's digest and row number, the document's state and three marks: 57 bytes in columns.
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
  let kennitalas = new Float64Array(0);
  let versions = new Float64Array(0);
  let djangoIds = new Float64Array(0);
  let digests = new Uint32Array(0);
  let hashes = new Uint8Array(0);
  let marks = new Uint8Array(0);
  const states = makeStateColumn();
  let length = 0;
  let active = 0;

  const grow = (): void => {
    const rows = grown(length + 1);
    kennitalas = withRoom(kennitalas, rows, Float64Array);
    versions = withRoom(versions, rows, Float64Array);
    djangoIds = withRoom(djangoIds, rows, Float64Array);
    digests = withRoom(digests, 2 * rows, Uint32Array);
    hashes = withRoom(hashes, rows * HASH_BYTES, Uint8Array);
    marks = withRoom(marks, rows, Uint8Array);
  };

  const find = (kennitala: Kennitala): Row | null => {
    const sought = toNumber(kennitala);
    let low = 0;
    let high = length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const held = kennitalas[middle] ?? 0;
      if (held === sought) return middle;
      if (held < sought) low = middle + 1;
      else high = middle - 1;
    }
    return null;
  };

  return {
    add: (kennitala, { member, meta }, state) => {
      const row = length;
      if (row === marks.length) grow();
      const hash = sourceHash(member);
      const isActive = member.membership.status === 'active';
      const isSound = meta.source_hash === hash && (meta.deleted_at === null) === isActive;
      kennitalas[row] = toNumber(kennitala);
      versions[row] = meta.source_version ?? NONE;
      djangoIds[row] = meta.django_id ?? NONE;
      hashes.set(Buffer.from(hash, 'hex').subarray(0, HASH_BYTES), row * HASH_BYTES);
      if (meta.digest !== undefined) digests.set([meta.digest.a, meta.digest.b], 2 * row);
      marks[row] =
        (isActive ? ACTIVE : 0) | (isSound ? SOUND : 0) | (meta.digest === undefined ? 0 : WITH_DIGEST);
      states.set(row, state);
      length += 1;
      if (isActive) active += 1;
    },
    finish: () => ({
      length,
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
      state: states.get,
      *unseen() {
        for (let row = 0; row < length; row += 1) {
          if (((marks[row] ?? 0) & (ACTIVE | SEEN)) !== ACTIVE) continue;
          const djangoId = djangoIds[row] ?? NONE;
          yield {
            kennitala: kennitalaOf(kennitalas[row] ?? 0),
            djangoId: djangoId === NONE ? null : djangoId,
            row,
          };
        }
      },
      digest: () => {
        const digest = createHash('sha256');
        digest.update(kennitalas.subarray(0, length));
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
