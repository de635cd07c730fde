import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { type FollowHintDependencies, HINT_PAUSES_MS } from '../../src/portal/follow-hint.ts';
import { flat, fresh, type HintStack, hint, sent, startHintStack } from './support/hint-stack.ts';

let stack: HintStack;
beforeAll(async () => {
  stack = await startHintStack();
});
afterAll(async () => {
  await stack.close();
});

/** What was told of a hint at its end: by whom, how it ended, after how many looks and how long. */
type Told = Parameters<FollowHintDependencies['logs']['followed']>;
const followed = async (
  kennitala: Kennitala,
  onSleep?: (look: number) => Promise<void>,
  given: Partial<FollowHintDependencies> = {},
): Promise<Told> => {
  const told: Told[] = [];
  await stack.follow(kennitala, undefined, onSleep, {
    logs: { followed: (...one) => void told.push(one) },
    ...given,
  });
  expect(told).toHaveLength(1);
  const [only] = told;
  if (only === undefined) throw new Error('Nothing was told.');
  expect(only[0]).toBe(await stack.dependencies.reference(kennitala));
  return only;
};
const pausesBefore = (looks: number) => HINT_PAUSES_MS.slice(0, looks).reduce((sum, ms) => sum + ms, 0);

describe('the looks at a member', () => {
  it('come after a quarter of a second, then ever later, for four minutes in all', () => {
    expect(HINT_PAUSES_MS[0]).toBe(250);
    expect(HINT_PAUSES_MS).toEqual(HINT_PAUSES_MS.toSorted((a, b) => a - b));
    expect(pausesBefore(HINT_PAUSES_MS.length)).toBe(240_750);
    expect(HINT_PAUSES_MS).toHaveLength(10);
  });

  it.each([
    ['that confirms at the first', 0],
    ['that confirms at the fourth', 3],
  ])('are told with how many there were and how long they took: one %s', async (_what, wrong) => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'delete'));
    stack.says(...Array.from({ length: wrong }, () => flat(kennitala)), null);
    expect((await followed(kennitala)).slice(1)).toEqual(['confirmed', wrong + 1, pausesBefore(wrong + 1)]);
  });

  it('that never agree are ten', async () => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'delete'));
    stack.says(flat(kennitala));
    expect((await followed(kennitala)).slice(1)).toEqual(['unconfirmed', 10, 240_750]);
    expect(await stack.standing(kennitala)).toMatchObject({ tries: 10 });
    await stack.dependencies.hints.forgetBefore(new Date(Date.now() + 1_000));
  });

  it('end at once where the hint was taken away during one', async () => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'delete'));
    stack.says(async () => {
      await stack.db.doc(`webhook_hints/${kennitala}`).delete();
      return null;
    });
    expect((await followed(kennitala)).slice(1)).toEqual(['superseded', 1, 250]);
  });

  it('and those before one go uncounted where a newer hint came', async () => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'delete'));
    stack.says(flat(kennitala));
    const told = await followed(kennitala, async (look) => {
      if (look === 2) await stack.accept(hint(kennitala, 'update'));
    });
    expect(told.slice(1)).toEqual(['superseded', 2, pausesBefore(3)]);
  });

  it('go on where somebody wrote to the member during one: what was read may be older than that', async () => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'delete'));
    stack.says(async () => {
      await stack.db.doc(`members/${kennitala}`).update({ 'profile.name': 'Written Meanwhile' });
      return null;
    }, null);
    expect((await followed(kennitala)).slice(1)).toEqual(['confirmed', 2, pausesBefore(2)]);
    expect(await stack.member(kennitala)).toMatchObject({ membership: { status: 'inactive' } });
  });
});

describe('an answer that stays', () => {
  /** At which look, from 1, a hint of something that never comes settles. */
  const settledAt = async (script: readonly object[]) => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'update', sent(kennitala, { name: 'Never Seen' })));
    stack.says(...script.map((said) => flat(kennitala, said)));
    const [, result, looks] = await followed(kennitala);
    expect(result).toBe('settled');
    return looks;
  };
  const [OLD, NEW, UNREADABLE] = [{ name: 'Old' }, { name: 'New' }, { gender: 7 }];

  it.each([
    ['from the first look on', [OLD], 8],
    ['from the sixth look on', [OLD, OLD, OLD, OLD, OLD, NEW], 9],
    ['from after one that could not be read on', [OLD, OLD, OLD, UNREADABLE, OLD], 9],
  ])('settles a hint once it has stayed for a minute: %s', async (_what, script, looks) => {
    expect(await settledAt(script)).toBe(looks);
  });
});

describe('the roster', () => {
  let asked = 0;
  const rosterRefresh = {
    request: async () => {
      asked += 1;
    },
  };
  beforeEach(() => {
    asked = 0;
  });

  it.each([
    ['a create of somebody who is a member already', 'create', true, 1],
    ['a delete of somebody who is none', 'delete', false, 1],
    ['a delete of a member', 'delete', true, 1],
    ['an update of a member', 'update', true, 0],
    ['an update of somebody who was none', 'update', false, 1],
  ])('is asked for by %s', async (_what, action, isMember, times) => {
    const kennitala = isMember ? await stack.listed() : fresh();
    await stack.accept(hint(kennitala, action, action === 'delete' ? undefined : sent(kennitala)));
    stack.says(action === 'delete' ? null : flat(kennitala));
    expect((await followed(kennitala, undefined, { rosterRefresh }))[1]).toBe('confirmed');
    expect(asked).toBe(times);
  });

  it('is not asked for by a look that does not end a hint', async () => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'create', sent(kennitala, { name: 'Not Yet' })));
    stack.says(flat(kennitala));
    const end = async (look: number): Promise<void> => {
      if (look > 0) await stack.db.doc(`webhook_hints/${kennitala}`).delete();
    };
    expect((await followed(kennitala, end, { rosterRefresh }))[1]).toBe('superseded');
    expect(asked).toBe(0);
  });
});

describe('what was sent', () => {
  it('counts as newer than what was written in the same millisecond', async () => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'update', sent(kennitala)));
    stack.says(flat(kennitala));
    const receivedAt = (await stack.dependencies.hints.read(kennitala))?.receivedAt ?? null;
    const { members } = stack.dependencies;
    const read = async (one: Kennitala) => ({ ...(await members.read(one)), writtenAt: receivedAt });
    await followed(kennitala, undefined, { members: { ...members, read } });
    expect(await stack.member(kennitala)).toMatchObject({ profile: { email: 'now@example.is' } });
  });

  it('is completed by the answer, where nothing else is known', async () => {
    const kennitala = fresh();
    await stack.accept(hint(kennitala, 'create', { id: 813, ssn: kennitala, name: 'Generated Person' }));
    stack.says(flat(kennitala));
    await followed(kennitala);
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { email: 'years.ago@example.is', reachable: true },
      metadata: { django_id: 813 },
    });
  });
});
