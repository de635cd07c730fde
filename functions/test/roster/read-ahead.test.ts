import { describe, expect, it } from 'vitest';
import type { PublishedList } from '../../src/roster/ports.ts';
import { readAhead } from '../../src/roster/published-list.ts';

const LIVE = new AbortController().signal;
const LAST = { runId: 'run-1', at: new Date(0), memberCount: 2_216 };

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
    const { read } = readAhead(store, LAST, LIVE);
    expect(store.reads).toBe(1);
    expect((await read(LIVE))?.generation).toBe('1');
    expect(store.reads).toBe(1);
    expect((await read(LIVE))?.generation).toBe('2');
  });

  it('does so where no run has ended well yet: there is hardly a list, and to hear so takes as long', async () => {
    const store = counting(version);
    const { read } = readAhead(store, null, LIVE);
    expect(store.reads).toBe(1);
    expect((await read(LIVE))?.generation).toBe('1');
  });

  it('waits for its turn with a long list', async () => {
    const store = counting(version);
    const { read } = readAhead(store, { ...LAST, memberCount: 50_001 }, LIVE);
    expect(store.reads).toBe(0);
    expect((await read(LIVE))?.generation).toBe('1');
    readAhead(store, { ...LAST, memberCount: 50_000 }, LIVE);
    expect(store.reads).toBe(2);
  });

  it('tells a failure to whoever asks for the list, and to nobody else', async () => {
    const store = counting(() => Promise.reject(new Error('no answer')));
    const { read } = readAhead(store, LAST, LIVE);
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
      LAST,
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
      LAST,
      LIVE,
    );
    const givenUp = giveUp();
    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
    reject(new Error('no answer'));
    await expect(givenUp).resolves.toBeUndefined();
  });
});
