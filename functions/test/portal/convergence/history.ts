import * as fc from 'fast-check';
import { LOCAL_ADDRESS } from '../../domain/member/support/wire-members.ts';
import { FATES, type Fate } from './interleaving.ts';
import type { Content, RegistryKind } from './model-registry.ts';

/** So few that they meet each other all the time. */
export const MEMBERS = 3;

/** More calls than any process makes. */
export const ALL = 50;

/** `pick` chooses among what there is at that moment. */
export type Step =
  /** The registry changes a member; `copies` of the event are on their way then. */
  | {
      readonly kind: 'change';
      readonly member: number;
      readonly content: Content;
      readonly wantsDelete: boolean;
      readonly copies: number;
    }
  /** One event reaches an instance, which makes so many of its calls at once. */
  | { readonly kind: 'deliver'; readonly pick: number; readonly calls: number }
  /** Some process makes so many calls, and the last of them goes so. */
  | { readonly kind: 'release'; readonly pick: number; readonly calls: number; readonly fate: Fate }
  /** A reconcile begins, unless one is under way, and makes so many of its calls at once. */
  | { readonly kind: 'reconcile'; readonly calls: number };

export interface History {
  readonly registry: RegistryKind;
  readonly steps: readonly Step[];
  /** Decides the order in which the rest is delivered when the steps are over. */
  readonly rest: readonly number[];
}

/** Few, so that changes back to what was before are common; they differ in every kind of value. */
export const CONTENTS: readonly [Content, Content, Content] = [
  { name: 'Person One', email: 'one@b.is', reachable: false, local_address: LOCAL_ADDRESS, unions: [] },
  { name: 'Person Two', email: null, reachable: true, local_address: null, unions: [{ name: 'Efling' }] },
  { name: 'Person Two', email: 'one@b.is', reachable: true, local_address: LOCAL_ADDRESS, unions: [] },
];

const pick = fc.nat(1_000);
const fate = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Fate>('done') },
  { weight: 2, arbitrary: fc.constantFrom(...FATES) },
);

const step = (copies: fc.Arbitrary<number>): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('change' as const),
        member: fc.nat(MEMBERS - 1),
        content: fc.constantFrom(...CONTENTS),
        wantsDelete: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
        copies,
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('deliver' as const),
        pick,
        calls: fc.constantFrom(0, 1, 2, ALL),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('release' as const),
        pick,
        calls: fc.constantFrom(1, 1, 2, ALL),
        fate,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('reconcile' as const), calls: fc.nat(10) }),
    },
  );

const history = (copies: fc.Arbitrary<number>): fc.Arbitrary<History> =>
  fc.record({
    registry: fc.constantFrom('signed', 'hinting', 'plain'),
    steps: fc.array(step(copies), { minLength: 10, maxLength: 40, size: 'max' }),
    rest: fc.array(pick, { minLength: 1, maxLength: 10 }),
  });

/** Every event is sent at least once, in any order, some of them more often. */
export const losslessHistory = history(fc.constantFrom(1, 1, 2));

/** Some events are never sent. */
export const lossyHistory = history(fc.constantFrom(0, 1, 1, 2));
