import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import {
  backoffMs,
  type RetryClock,
  type RetryOptions,
  systemClock,
  tryRetryAfterMs,
  withRetry,
} from '../../src/lib/retry.ts';

const POLICY = { baseDelayMs: 100, maxDelayMs: 1_000 };
const broken = () => new SyncError('registry_unavailable', 'broken');

/** A clock that stands still but for what is slept. `random` close to 1 makes each delay the longest. */
const makeTestClock = (random = 0.999_999): RetryClock & { readonly slept: number[] } => {
  const slept: number[] = [];
  let time = 1_000_000;
  return {
    slept,
    now: () => time,
    sleep: async (ms) => {
      slept.push(ms);
      time += ms;
    },
    random: () => random,
  };
};

/** Fails that many times, and then succeeds with the number of the try. */
const failing = (times: number, makeError: () => unknown = broken) => {
  const run = async (attempt: number): Promise<number> => {
    run.calls += 1;
    if (attempt <= times) throw makeError();
    return attempt;
  };
  run.calls = 0;
  return run;
};

describe('trying again', () => {
  it('returns the first success without a wait', async () => {
    const clock = makeTestClock();
    expect(await withRetry(failing(0), { policy: POLICY, clock })).toBe(1);
    expect(clock.slept).toEqual([]);
  });

  it('waits longer each time, up to the longest delay', async () => {
    const clock = makeTestClock();
    expect(await withRetry(failing(6), { policy: POLICY, clock })).toBe(7);
    expect(clock.slept).toEqual([99, 199, 399, 799, 999, 999]);
  });

  it('throws the last error when the tries are used up', async () => {
    const run = failing(9);
    const promise = withRetry(run, { policy: { ...POLICY, attempts: 3 }, clock: makeTestClock() });
    await expect(promise).rejects.toMatchObject({ code: 'registry_unavailable' });
    expect(run.calls).toBe(3);
  });

  it.each([
    ['an error that the table calls final', () => new SyncError('registry_rejected', 'no')],
    ['an error that is not ours', () => new TypeError('a bug')],
  ])('does not try again after %s', async (_, makeError) => {
    const run = failing(1, makeError);
    await expect(withRetry(run, { policy: POLICY, clock: makeTestClock() })).rejects.toThrow();
    expect(run.calls).toBe(1);
  });

  it('asks the caller what may be tried again', async () => {
    const options: RetryOptions = {
      policy: POLICY,
      clock: makeTestClock(),
      isRetryable: (error) => error instanceof RangeError,
    };
    expect(
      await withRetry(
        failing(2, () => new RangeError('again')),
        options,
      ),
    ).toBe(3);
    await expect(withRetry(failing(1), options)).rejects.toMatchObject({ code: 'registry_unavailable' });
  });

  it('waits at least as long as the other side asked for', async () => {
    const clock = makeTestClock();
    await withRetry(failing(2), { policy: POLICY, clock, askedDelayMs: () => 5_000 });
    expect(clock.slept).toEqual([5_000, 5_000]);
    const patient = makeTestClock();
    await withRetry(failing(2), { policy: POLICY, clock: patient, askedDelayMs: () => 150 });
    expect(patient.slept).toEqual([150, 199]);
  });

  it('gives up at once when the wait would pass the deadline', async () => {
    const clock = makeTestClock();
    const run = failing(9);
    const deadlineAt = clock.now() + 60_000;
    const promise = withRetry(run, { policy: POLICY, clock, deadlineAt, askedDelayMs: () => 60_000 });
    await expect(promise).rejects.toMatchObject({ code: 'registry_unavailable' });
    expect(run.calls).toBe(1);
    expect(clock.slept).toEqual([]);
  });

  it('never sleeps past the deadline, whatever is asked and however often it fails', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          budget: fc.integer({ min: 0, max: 20_000 }),
          baseDelayMs: fc.integer({ min: 1, max: 5_000 }),
          maxDelayMs: fc.integer({ min: 1, max: 5_000 }),
          asked: fc.array(fc.option(fc.integer({ min: 0, max: 30_000 })), { maxLength: 20 }),
          random: fc.double({ min: 0, max: 0.999, noNaN: true }),
        }),
        async ({ budget, asked, random, ...policy }) => {
          const clock = makeTestClock(random);
          const start = clock.now();
          const left = [...asked];
          await withRetry(failing(asked.length), {
            policy,
            clock,
            deadlineAt: start + budget,
            askedDelayMs: () => left.shift() ?? null,
          }).catch(() => undefined);
          expect(clock.now() - start).toBeLessThanOrEqual(budget);
        },
      ),
    );
  });

  it('tells of each wait before it', async () => {
    const notices: unknown[] = [];
    await withRetry(failing(2), {
      policy: POLICY,
      clock: makeTestClock(),
      onRetry: ({ attempt, delayMs }) => notices.push({ attempt, delayMs }),
    });
    expect(notices).toEqual([
      { attempt: 1, delayMs: 99 },
      { attempt: 2, delayMs: 199 },
    ]);
  });

  it('ends a wait with the last error as soon as the signal aborts', async () => {
    const controller = new AbortController();
    const run = failing(9);
    const startedAt = performance.now();
    const promise = withRetry(run, {
      policy: POLICY,
      signal: controller.signal,
      askedDelayMs: () => 60_000,
      onRetry: () => queueMicrotask(() => controller.abort()),
    });
    await expect(promise).rejects.toMatchObject({ code: 'registry_unavailable' });
    expect(run.calls).toBe(1);
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  });

  it('does not wait at all when the signal has aborted', async () => {
    const clock = makeTestClock();
    const promise = withRetry(failing(9), { policy: POLICY, clock, signal: AbortSignal.abort() });
    await expect(promise).rejects.toMatchObject({ code: 'registry_unavailable' });
    expect(clock.slept).toEqual([]);
  });

  it('really sleeps on the system clock', async () => {
    const startedAt = performance.now();
    await systemClock.sleep(20);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(18);
    await systemClock.sleep(60_000, AbortSignal.abort());
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  });
});

describe('the backoff', () => {
  it('is spread over the whole delay: full jitter', () => {
    expect([0, 0.25, 0.5, 0.999].map((random) => backoffMs(POLICY, 3, random))).toEqual([0, 100, 200, 399]);
  });

  it('stays a number after very many tries', () => {
    expect(backoffMs(POLICY, 5_000, 0.5)).toBe(500);
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-11-20T03:00:00Z');

  it.each([
    ['seconds', '120', 120_000],
    ['no time at all', '0', 0],
    ['space around it', ' 5 ', 5_000],
    ['an HTTP date', 'Fri, 20 Nov 2026 03:00:07 GMT', 7_000],
    ['the date of RFC 850', 'Friday, 20-Nov-26 03:00:07 GMT', 7_000],
    ['the date of asctime', 'Fri Nov 20 03:00:07 2026', 7_000],
    ['a date that is past', 'Fri, 20 Nov 2026 02:00:00 GMT', 0],
    ['no header', undefined, null],
    ['an empty header', '', null],
    ['less than nothing', '-5', null],
    ['a part of a second', '1.5', null],
    ['a word', 'soon', null],
    ['more than a week', '99999999999999999999', 604_800_000],
    ['a date in a far year', 'Fri, 20 Nov 9026 03:00:07 GMT', 604_800_000],
    ['another form of date', '2026-11-20T03:00:07Z', null],
  ])('reads %s', (_, header, milliseconds) => {
    expect(tryRetryAfterMs(header, now)).toBe(milliseconds);
  });
});
