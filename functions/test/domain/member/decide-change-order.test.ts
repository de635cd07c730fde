import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideChange, type StoredMember } from '../../../src/domain/member/decide-change.ts';
import type { MemberChange } from '../../../src/domain/member/member-change.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { anyWireMember, KENNITALA } from './support/wire-members.ts';

const START = Date.UTC(2026, 0, 1);

/** What a registry can do to one member: versions grow with gaps, and every message but a delete is whole. */
const history: fc.Arbitrary<readonly MemberChange[]> = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 5 }),
      action: fc.constantFrom('create' as const, 'update' as const, 'delete' as const),
      wire: anyWireMember,
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((steps) => {
    let version = 0;
    return steps.map(({ gap, action, wire }): MemberChange => {
      version += gap;
      const facts = { kennitala: KENNITALA, version, occurredAt: new Date(START + version * 1_000) };
      return action === 'delete'
        ? { ...facts, action, content: null }
        : { ...facts, action, content: parseRegistryMember({ ...wire, id: 813, ssn: KENNITALA }) };
    });
  });

/** The history delivered at least once each, in any order. */
const delivered = history.chain((changes) =>
  fc.tuple(
    fc.constant(changes),
    fc
      .array(fc.constantFrom(...changes), { maxLength: 6 })
      .chain((repeats) =>
        fc.shuffledSubarray([...changes, ...repeats], { minLength: changes.length + repeats.length }),
      ),
  ),
);

const replay = (changes: readonly MemberChange[]): StoredMember => {
  const end = changes.reduce<StoredMember | null>((stored, change) => {
    const decision = decideChange(stored, change, { pending: [], origin: 'registry', now: new Date(0) });
    return decision.kind === 'write' ? { member: decision.member, meta: decision.meta } : stored;
  }, null);
  if (end === null) throw new Error('no change was taken');
  return end;
};

/** A tombstone keeps what its mirror had seen by then; everything else of the end must be the same, but what was written over. */
const endOf = ({ member, meta }: StoredMember) =>
  member.membership.status === 'active'
    ? { member, ...meta, heard: meta.heard?.consents }
    : {
        status: member.membership.status,
        source_version: meta.source_version,
        deleted_at: meta.deleted_at,
      };

describe('a history of one member', () => {
  it('ends the same in any order and with any repetition', () => {
    fc.assert(
      fc.property(delivered, ([changes, messages]) => {
        expect(endOf(replay(messages))).toEqual(endOf(replay(changes)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('never lets the stored version fall', () => {
    fc.assert(
      fc.property(delivered, ([, messages]) => {
        let highest = -1;
        for (let length = 1; length <= messages.length; length += 1) {
          const version = replay(messages.slice(0, length)).meta.source_version ?? -1;
          expect(version).toBeGreaterThanOrEqual(highest);
          highest = version;
        }
      }),
    );
  });

  it('takes each version at most once', () => {
    fc.assert(
      fc.property(delivered, ([, messages]) => {
        const end = replay(messages);
        for (const change of messages) {
          expect(
            decideChange(end, change, { pending: [], origin: 'registry', now: new Date(0) }),
          ).toMatchObject({
            kind: 'stale',
          });
        }
      }),
    );
  });
});
