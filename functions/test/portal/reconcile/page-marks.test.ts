import { beforeEach, describe, expect, it } from 'vitest';
import { makePageMarks, type PlannedLoad } from '../../../src/portal/reconcile/load.ts';
import { FOUR, NOW, ONE, row, THREE, TWO } from './support/one-run.ts';

const PLANNED: PlannedLoad = {
  planId: 'plan',
  run: 'run-1',
  plannedAt: NOW.toISOString(),
  said: 'all',
  received: 8,
  quarantined: 0,
  memberCount: 8,
  isFirstLoad: true,
  countsMissed: false,
};
const REST = { added: 1, removed: 0, updated: 0, blanked: {} };
const place = (before: number) => ({ query: { page: String(before) }, before });
const at = (before: number, last: string, seen: string) => ({
  scheme: 1,
  ...PLANNED,
  place: place(before),
  last,
  seen,
});

/** Milliseconds since the marks were made. */
let time: number;
let kept: unknown[][];
beforeEach(() => {
  [time, kept] = [0, []];
});
const marksOf = (planned: PlannedLoad | null = PLANNED) =>
  makePageMarks(planned, null, {
    keep: async (...given) => void kept.push(given),
    rest: () => REST,
    now: () => new Date(NOW.getTime() + time),
  });

describe('a page of a load', () => {
  it('is finished when it has been read and all of its writes have settled, and names its last member', async () => {
    const marks = marksOf();
    const mark = marks.begin(place(0), [row(ONE), row(TWO), row(THREE)], 'until three');
    for (const _ of [1, 2]) marks.taken(mark);
    marks.settled(mark);
    await marks.end(mark);
    expect(marks.finished()).toBeNull();
    marks.settled(mark);
    expect(marks.finished()).toEqual(at(0, '3', 'until three'));
  });

  it('without writes is finished when it has been read', async () => {
    const marks = marksOf();
    const mark = marks.begin(place(0), [row(ONE)], 'one');
    expect(marks.finished()).toBeNull();
    await marks.end(mark);
    expect(marks.finished()).toEqual(at(0, '1', 'one'));
  });

  it('waits for every page before it, whatever settles first', async () => {
    const marks = marksOf();
    const pages = [row(ONE), row(TWO)].map((one, n) => marks.begin(place(n), [one], `until ${n}`));
    for (const mark of pages) marks.taken(mark);
    for (const mark of pages) await marks.end(mark);
    marks.settled(pages[1]);
    expect(marks.finished()).toBeNull();
    marks.settled(pages[0]);
    expect(marks.finished()).toEqual(at(1, '2', 'until 1'));
  });

  it.each<[string, object | undefined, number | null]>([
    ['whose last entry has no row number', { ...row(FOUR), id: null }, 4],
    ['of nobody', undefined, 4],
    ['of a registry that says no place', row(FOUR), null],
  ])('%s is no place to go on from', async (_what, last, before) => {
    const marks = marksOf();
    await marks.end(marks.begin(place(0), [row(ONE)], 'one'));
    const where = before === null ? undefined : place(before);
    await marks.end(marks.begin(where, last === undefined ? [] : [row(TWO), last], 'more'));
    expect(marks.finished()).toEqual(at(0, '1', 'one'));
  });

  it('of a plan that is not to be gone on with is nothing to remember', async () => {
    const marks = marksOf(null);
    time = 60_000;
    await marks.end(marks.begin(place(0), [row(ONE)], 'one'));
    marks.settled(undefined);
    expect([marks.finished(), kept]).toEqual([null, []]);
  });
});

describe('how far a load is', () => {
  it('is remembered after fifteen seconds, and then once in so many', async () => {
    const marks = marksOf();
    for (const [n, ms] of [14_999, 15_000, 29_999, 30_000].entries()) {
      time = ms;
      await marks.end(marks.begin(place(n), [row(ONE)], `until ${n}`));
    }
    expect(kept).toEqual([1, 3].map((n) => [at(n, '1', `until ${n}`), REST]));
  });

  it('is not remembered again where nothing more is finished', async () => {
    const marks = marksOf();
    time = 15_000;
    const mark = marks.begin(place(0), [row(ONE)], 'one');
    marks.taken(mark);
    await marks.end(mark);
    expect(kept).toEqual([]);
  });
});
