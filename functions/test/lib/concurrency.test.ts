import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { makeGroups, makeTurns } from '../../src/lib/concurrency.ts';

const UNTIL_TOLD = 60_000;

/** Groups whose work ends when the test says so. */
const heldGroups = (
  most: number,
  atOnce: number,
  {
    enough = 100,
    slowAfterMs = UNTIL_TOLD,
  }: { readonly enough?: number; readonly slowAfterMs?: number } = {},
) => {
  const groups: { readonly inputs: readonly number[]; readonly ended: PromiseWithResolvers<void> }[] = [];
  const ask = makeGroups<number, string>({
    most,
    atOnce,
    enough,
    slowAfterMs,
    run: async (inputs) => {
      const ended = Promise.withResolvers<void>();
      groups.push({ inputs, ended });
      await ended.promise;
      return inputs.map((input) => `done ${input}`);
    },
  });
  return { groups, ask, seen: () => groups.map(({ inputs }) => inputs) };
};

const arrived = () => delay(5);

describe('groups', () => {
  it('run at once what comes alone, and together what comes meanwhile', async () => {
    const { groups, ask, seen } = heldGroups(10, 1);
    const first = ask(1);
    await arrived();
    const others = [ask(2), ask(3)];
    await arrived();
    expect(seen()).toEqual([[1]]);
    groups[0]?.ended.resolve();
    expect(await first).toBe('done 1');
    await arrived();
    expect(seen()).toEqual([[1], [2, 3]]);
    groups[1]?.ended.resolve();
    expect(await Promise.all(others)).toEqual(['done 2', 'done 3']);
  });

  it('are no larger and no more at once than they may be, and keep the order', async () => {
    const { groups, ask, seen } = heldGroups(2, 2);
    const answers = [1, 2, 3, 4, 5].map(ask);
    await arrived();
    expect(seen()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    for (const n of [1, 0]) groups[n]?.ended.resolve();
    await arrived();
    expect(seen()).toHaveLength(3);
    groups[2]?.ended.resolve();
    expect(await Promise.all(answers)).toEqual([1, 2, 3, 4, 5].map((n) => `done ${n}`));
  });

  it('wait while enough is under way, and are larger then', async () => {
    const { groups, ask, seen } = heldGroups(3, 10, { enough: 5 });
    const answers = [1, 2, 3].map(ask);
    await arrived();
    answers.push(...[4, 5].map(ask));
    await arrived();
    answers.push(...[6, 7, 8, 9].map(ask));
    await arrived();
    expect(seen()).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    groups[1]?.ended.resolve();
    await arrived();
    expect(seen().slice(2)).toEqual([[6, 7, 8]]);
    for (const n of [0, 2]) groups[n]?.ended.resolve();
    await arrived();
    groups[3]?.ended.resolve();
    expect(await Promise.all(answers)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `done ${n}`));
    expect(seen().at(-1)).toEqual([9]);
  });

  it('hold nobody up by one that hangs, and answer it when it comes', async () => {
    const { groups, ask, seen } = heldGroups(2, 1, { slowAfterMs: 10 });
    const hanging = ask(1);
    await arrived();
    const next = ask(2);
    await expect.poll(seen).toEqual([[1], [2]]);
    groups[1]?.ended.resolve();
    expect(await next).toBe('done 2');
    groups[0]?.ended.resolve();
    expect(await hanging).toBe('done 1');
  });

  it('give a failure to everybody in them and go on', async () => {
    const ask = makeGroups<number, number>({
      most: 2,
      atOnce: 1,
      enough: 100,
      slowAfterMs: UNTIL_TOLD,
      run: async (inputs) => {
        if (inputs.includes(1)) throw new RangeError('one of them');
        return inputs;
      },
    });
    const results = await Promise.allSettled([1, 2, 3].map(ask));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });
});

describe('turns', () => {
  it('are taken one after another for one key, in order, and at once for others', async () => {
    const inTurn = makeTurns(UNTIL_TOLD);
    const ends = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const begun: string[] = [];
    const works = ['a', 'a', 'b'].map((key, n) =>
      inTurn(key, async () => {
        begun.push(`${key}${n}`);
        await ends[n]?.promise;
        if (n === 0) throw new RangeError('the first one');
      }),
    );
    await arrived();
    expect(begun).toEqual(['a0', 'b2']);
    ends[0]?.resolve();
    await expect(works[0]).rejects.toThrow('the first one');
    await arrived();
    expect(begun).toEqual(['a0', 'b2', 'a1']);
    for (const end of ends) end.resolve();
    await Promise.all(works.slice(1));
  });

  it('of one key go on after one another, however many have ended', async () => {
    const inTurn = makeTurns(UNTIL_TOLD);
    const ends = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const begun: number[] = [];
    const take = (n: number) =>
      inTurn('a', async () => {
        begun.push(n);
        await ends[n]?.promise;
      });
    const first = [take(0), take(1)];
    ends[0]?.resolve();
    await first[0];
    const last = take(2);
    await arrived();
    expect(begun).toEqual([0, 1]);
    ends[1]?.resolve();
    await first[1];
    await arrived();
    expect(begun).toEqual([0, 1, 2]);
    ends[2]?.resolve();
    await last;
  });

  it('are not waited for longer than patience lasts', async () => {
    const inTurn = makeTurns(10);
    const end = Promise.withResolvers<void>();
    const hanging = inTurn('a', () => end.promise);
    expect(await inTurn('a', async () => 'done')).toBe('done');
    end.resolve();
    await hanging;
  });
});
