import type { Decision, StoredMember } from '../../../src/domain/member/decide-change.ts';
import type { ChangeRequest, MemberStore } from '../../../src/portal/ports.ts';
import { CONTENTS, type History, type Step } from './history.ts';

/** A fault in one of the rules on which convergence rests, put between our code and the store. */
export interface Mutant {
  readonly name: string;
  readonly distort: (store: MemberStore) => MemberStore;
  /** The race that shows it, shrunk, where histories of chance come to it too seldom (once in 1,358). */
  readonly race?: History;
}

const removed = (member: number): Step => ({
  kind: 'change',
  member,
  content: CONTENTS[0],
  wantsDelete: true,
  copies: 1,
});
const delivered = (calls: number): Step => ({ kind: 'deliver', pick: 0, calls });
const released = (pick = 0, calls = 1): Step => ({ kind: 'release', pick, calls, fate: 'done' });

/** One process follows an old hint and reads the registry; the member then changes, and another follows the newer one. */
const OVERTAKEN_HINT: History = {
  registry: 'plain',
  steps: [
    removed(2),
    delivered(2),
    delivered(0),
    released(),
    released(0, 2),
    removed(2),
    delivered(0),
    released(381),
    delivered(50),
    released(),
    released(),
    delivered(0),
    delivered(0),
    removed(0),
    delivered(0),
    delivered(0),
    released(),
    released(),
    delivered(0),
  ],
  rest: [0],
};

type Decide = ChangeRequest['decide'];

/** The rule of decideChange, distorted. */
const deciding =
  (distort: (decide: Decide) => Decide) =>
  (store: MemberStore): MemberStore => ({
    ...store,
    applyChange: (request) => store.applyChange({ ...request, decide: distort(request.decide) }),
  });

/** Of what is stored, decideChange is shown something else. */
const shown = (distort: (stored: StoredMember) => StoredMember | null) =>
  deciding(
    (decide) =>
      (stored, ...said) =>
        decide(stored && distort(stored), ...said),
  );

/** Of what decideChange says, something else is done. */
const done = (distort: (decision: Decision, stored: StoredMember | null) => Decision) =>
  deciding((decide) => (stored, ...said) => {
    const decision = decide(stored, ...said);
    return decision && distort(decision, stored);
  });

const STALE: Decision = { kind: 'stale' };
const isTombstone = (stored: StoredMember): boolean => stored.member.membership.status === 'inactive';
const withoutVersion = ({ member, meta }: StoredMember): StoredMember => ({
  member,
  meta: { ...meta, source_version: null },
});

export const MUTANTS: readonly Mutant[] = [
  { name: 'versions are ignored', distort: shown(withoutVersion) },
  {
    name: 'a tombstone takes whatever comes late',
    distort: shown((stored) => (isTombstone(stored) ? withoutVersion(stored) : stored)),
  },
  {
    name: 'a tombstone is taken for nothing',
    distort: shown((stored) => (isTombstone(stored) ? null : stored)),
  },
  {
    name: 'nobody is revived',
    distort: done((decision, stored) => (stored !== null && isTombstone(stored) ? STALE : decision)),
  },
  {
    name: 'a delete of a member that was never seen leaves nothing',
    distort: done((decision, stored) =>
      stored === null && decision.kind === 'write' && decision.member.membership.status === 'inactive'
        ? { kind: 'unchanged' }
        : decision,
    ),
  },
  {
    name: 'an update of a member that was never seen waits for its create',
    distort: deciding((decide) => {
      let seen = 0;
      return (stored, ...said) => {
        seen += 1;
        return stored === null && seen === 1 ? STALE : decide(stored, ...said);
      };
    }),
  },
  {
    name: 'the version is not stored',
    distort: done((decision) =>
      decision.kind === 'write'
        ? { ...decision, meta: { ...decision.meta, source_version: null } }
        : decision,
    ),
  },
  {
    name: 'a write without differences is left out',
    distort: done((decision) =>
      decision.kind === 'write' && decision.differences?.length === 0 ? { kind: 'unchanged' } : decision,
    ),
  },
  {
    // Each of the two alone keeps the end right; the state also keeps a reconcile's word, the hint an erasure's.
    name: 'a hint writes whatever the document and the hint have become meanwhile',
    distort: (store) => ({
      ...store,
      applyChange: ({ ifState: _ifState, hint: _hint, ...request }) => store.applyChange(request),
    }),
    race: OVERTAKEN_HINT,
  },
  {
    name: 'the receipt is written and the member is not',
    distort: (() => {
      let changes = 0;
      return done((decision) => {
        changes += 1;
        return changes % 10 === 0 ? STALE : decision;
      });
    })(),
  },
  {
    name: 'the registry is believed to delete nobody',
    distort: done((decision) =>
      decision.kind === 'write' && decision.member.membership.status === 'inactive' ? STALE : decision,
    ),
  },
];
