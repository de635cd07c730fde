import { describe, expect, it } from 'vitest';
import type { PublishedList } from '../../src/roster/ports.ts';
import { readAhead } from '../../src/roster/published-list.ts';

const LIVE = new AbortController().signal;
const LAST = { runId: 'run-1', at: new Date(0), memberCount: 2_216 };
const after = (lastSuccess: typeof LAST | null) => ({ lastSuccess, abandonedRunId: null, mayPresume: true });

const counting = (answer: (n: number, signal?: AbortSignal) => Promise<PublishedList | null>) => {
  const store = {
    reads: 0,
    read: (signal?: AbortSignal) => {
      store.reads += 1;
      return answer(store.reads, signal);
    },
  };
  return store;
};
const version = async (n: number): Promise<PublishedList> => ({
  generation: String(n),
  bytes: new Uint8Array(),
});

describe('reading the published list ahead', () => {
  it('reads once for the first plan, and anew for a second one', async () => {
    const store = counting(version);
    const { read } = readAhead(store, after(LAST), LIVE);
    expect(store.reads).toBe(1);
    expect((await read(LIVE)).published?.generation).toBe('1');
    expect(store.reads).toBe(1);
    expect((await read(LIVE)).published?.generation).toBe('2');
  });

  it('presumes that there is none where no run has left one, and looks the next time', async () => {
    const store = counting(version);
    const { read } = readAhead(store, after(null), LIVE);
    expect(await read(LIVE)).toEqual({ published: null, isPresumed: true });
    expect(store.reads).toBe(0);
    expect(await read(LIVE)).toMatchObject({ published: { generation: '1' }, isPresumed: false });
  });

  it.each([
    ['an operator looks at the plan', { ...after(null), mayPresume: false }],
    ['a run may have published and died', { ...after(null), abandonedRunId: 'run-1' }],
  ])('reads where %s', async (_what, before) => {
    const store = counting(version);
    const { read } = readAhead(store, before, LIVE);
    expect(store.reads).toBe(1);
    expect(await read(LIVE)).toMatchObject({ published: { generation: '1' }, isPresumed: false });
  });

  it('waits for its turn with a long list', async () => {
    const store = counting(version);
    const { read } = readAhead(store, after({ ...LAST, memberCount: 50_001 }), LIVE);
    expect(store.reads).toBe(0);
    expect((await read(LIVE)).published?.generation).toBe('1');
    readAhead(store, after({ ...LAST, memberCount: 50_000 }), LIVE);
    expect(store.reads).toBe(2);
  });

  it('tells a failure to whoever asks for the list, and to nobody else', async () => {
    const store = counting(() => Promise.reject(new Error('no answer')));
    const { read } = readAhead(store, after(LAST), LIVE);
    await new Promise(setImmediate);
    await expect(read(LIVE)).rejects.toThrow('no answer');
  });

  it('ends with the run’s time', () => {
    const run = new AbortController();
    const signals: (AbortSignal | undefined)[] = [];
    readAhead(
      counting((_, signal) => {
        signals.push(signal);
        return new Promise(() => undefined);
      }),
      after(LAST),
      run.signal,
    );
    run.abort();
    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
  });

  it('is given up: no further try, and nothing goes on afterwards', async () => {
    const { promise, reject } = Promise.withResolvers<null>();
    const signals: (AbortSignal | undefined)[] = [];
    const { giveUp } = readAhead(
      counting((_, signal) => {
        signals.push(signal);
        return promise;
      }),
      after(LAST),
      LIVE,
    );
    const givenUp = giveUp();
    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
    reject(new Error('no answer'));
    await expect(givenUp).resolves.toBeUndefined();
  });
});
