import type { Decision, StoredMember } from '../../src/domain/member/decide-change.ts';
import type { ChangeRequest } from '../../src/portal/ports.ts';
import type { Ports } from './system.ts';

/** A fault in one of the rules that the promises rest on, put between our code and the stores. */
export interface Mutant {
  readonly name: string;
  /** The first history that shows it. */
  readonly seed: number;
  readonly distort: (ports: Ports) => Ports;
}

type Decide = ChangeRequest['decide'];

/** The rule of decideChange, distorted. */
const deciding =
  (distort: (decide: Decide) => Decide) =>
  (ports: Ports): Ports => ({
    ...ports,
    members: {
      ...ports.members,
      applyChange: (request) => ports.members.applyChange({ ...request, decide: distort(request.decide) }),
    },
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
const isRemoval = (decision: Decision): boolean =>
  decision.kind === 'write' && decision.member.membership.status === 'inactive';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'versions are ignored',
    seed: 11,
    distort: shown(({ member, meta }) => ({ member, meta: { ...meta, source_version: null } })),
  },
  {
    name: 'a tombstone is taken for nothing',
    seed: 11,
    distort: shown((stored) => (isTombstone(stored) ? null : stored)),
  },
  {
    name: 'nobody is revived',
    seed: 16,
    distort: done((decision, stored) => (stored !== null && isTombstone(stored) ? STALE : decision)),
  },
  {
    name: 'the version is not stored',
    seed: 2,
    distort: done((decision) =>
      decision.kind === 'write'
        ? { ...decision, meta: { ...decision.meta, source_version: null } }
        : decision,
    ),
  },
  {
    name: 'the registry is believed to delete nobody',
    seed: 4,
    distort: done((decision) => (isRemoval(decision) ? STALE : decision)),
  },
  {
    name: 'the guard lets everything through',
    seed: 3,
    distort: (ports) => ({
      ...ports,
      limits: { ...ports.limits, removedFloor: 1_000_000, addedFloor: 1_000_000 },
    }),
  },
  {
    name: 'one person alone approves where two decide',
    seed: 114,
    distort: (ports) => ({ ...ports, needsSecondPerson: false }),
  },
  {
    name: 'a run that crashed keeps the lease for ever',
    seed: 3,
    distort: (ports) => ({
      ...ports,
      runs: {
        ...ports.runs,
        begin: (options) =>
          ports.runs.begin({ ...options, leaseExpiresAt: new Date('2100-01-01T00:00:00Z') }),
      },
    }),
  },
  {
    name: 'our own writes are taken for edits of the member',
    seed: 3,
    distort: (ports) => ({
      ...ports,
      toMemberWrite: (event) => {
        const write = ports.toMemberWrite(event);
        return write && { ...write, isServers: false };
      },
    }),
  },
  {
    name: 'what a delivery ended stays in the queue',
    seed: 3,
    distort: (ports) => ({
      ...ports,
      queue: {
        ...ports.queue,
        transact: (kennitala, reads, at, decide) =>
          ports.queue.transact(kennitala, reads, at, (view) => {
            const step = decide(view);
            return { ...step, items: step.items?.filter(({ status }) => status !== 'failed') ?? [] };
          }),
      },
    }),
  },
  {
    name: 'an erasure forgets the register',
    seed: 58,
    distort: (ports) => ({
      ...ports,
      erasures: () => ports.erasures().filter(({ places }) => !places.includes('public.members')),
    }),
  },
];
