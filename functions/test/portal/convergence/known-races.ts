import { ALL, CONTENTS, type History, type Step } from './history.ts';

const [before, after] = CONTENTS;

const changeTo = (content: typeof before): Step => ({
  kind: 'change',
  member: 0,
  content,
  wantsDelete: false,
  copies: 1,
});
const deliver = (calls: number): Step => ({ kind: 'deliver', pick: 0, calls });

/** Histories that chance meets seldom, so that they are played in every run. All are of a registry without versions. */
export const KNOWN_RACES: readonly History[] = [
  // A hint has read the change and waits; the change is taken back, and the next hint finds nothing to write.
  [changeTo(before), deliver(ALL), changeTo(after), deliver(2), changeTo(before), deliver(ALL)],
  // A hint dies when it has written who joined and has asked for no roster; its repetition reads another change.
  [
    changeTo(before),
    deliver(2),
    { kind: 'release', pick: 0, calls: 1, fate: 'dies after' } as const,
    changeTo(after),
    deliver(ALL),
  ],
  // A reconcile has read the page with a change; the change and its reversal arrive before it reads the document again.
  [
    changeTo(before),
    deliver(ALL),
    changeTo(after),
    { kind: 'reconcile', calls: 2 } as const,
    deliver(ALL),
    changeTo(before),
    deliver(ALL),
  ],
].map((steps): History => ({ registry: 'plain', steps, rest: [0] }));
