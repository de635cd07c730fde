import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { planClaim } from '../../src/twoway/claim.ts';
import {
  type Claimed,
  carries,
  endPaths,
  holdsClaim,
  nextPart,
  planDelivery,
  withDelivery,
} from '../../src/twoway/delivery.ts';
import type { MemberView } from '../../src/twoway/ports.ts';
import { type Claim, makeEditTime, makeQueueItem, type QueueItem } from '../../src/twoway/queue.ts';

const NOW = new Date('2026-11-20T10:00:00Z');
const EMAIL = 'profile.email';
const PHONE = 'profile.phone';
const at = (second: number) => makeEditTime(1_700_000_000 + second, 0);

const edit = (second: number, paths: readonly string[], more: Partial<QueueItem> = {}): QueueItem => ({
  ...makeQueueItem(
    {
      id: `edit-${second}`,
      kennitala: '0101002008' as Kennitala,
      djangoId: 7,
      action: 'update',
      changes: Object.fromEntries(
        paths.map((path) => [path, { oldValue: `${path} 0`, newValue: `${path} ${second}` }]),
      ),
      editedAt: at(second),
      isContinuation: false,
    },
    NOW,
  ),
  ...more,
});
const claim: Claim = { owner: 'me', expiresAt: new Date(NOW.getTime() + 1_000) };
/** The first edit is under way, two others have come since: one of the same field and one of another. */
const first = edit(1, [EMAIL]);
const delivery = planDelivery([first]);
if (delivery === null) throw new Error('There is nothing to deliver.');
const [head] = withDelivery([first], delivery, claim) as [QueueItem];
const [later, other] = [edit(2, [EMAIL]), edit(3, [PHONE])];
const claimed: Claimed = {
  kennitala: first.kennitala,
  djangoId: 7,
  owner: 'me',
  delivery,
  isSplit: false,
};
const viewOf = (...pending: QueueItem[]): MemberView => ({
  stored: null,
  state: null,
  createdAt: null,
  pending,
  item: null,
  later: [],
  failed: [],
  openConflicts: [],
  conflict: null,
});
const claimNow = (...pending: QueueItem[]) =>
  planClaim(viewOf(...pending), { owner: 'another', now: NOW, isUrgent: false });

describe('a delivery stands on one item', () => {
  it('of those that it carries, with its claim, until when nobody else takes it', () => {
    expect(head).toEqual({
      ...first,
      delivery: { changeId: 'edit-1', action: 'update', paths: delivery.paths },
      claim,
      nextAttemptAt: claim.expiresAt,
      deliveries: 1,
    });
    expect(withDelivery([other, first], delivery, claim)).toEqual([other, head]);
  });

  it('on the same one again, and is no other one for that', () => {
    expect(withDelivery([head, later], delivery, claim)).toEqual([head, later]);
    const without = { ...head, claim: null };
    expect(withDelivery([head], delivery, null)).toEqual([without]);
  });

  it('and on no other than that any more', () => {
    const wrong = { ...other, delivery, claim };
    const bare = { ...other, delivery: null, claim: null };
    expect(withDelivery([wrong, first], delivery, claim)).toEqual([bare, head]);
    expect(withDelivery([{ ...other, claim }], null, null)).toEqual([bare]);
    expect(withDelivery([{ ...other, delivery }], null, null)).toEqual([bare]);
    expect(withDelivery([other], null, null)[0]).toBe(other);
  });

  it('on the earliest that it carries where none has it yet, in whatever order they are', () => {
    const both = planDelivery([later, first]);
    expect(both?.changeId).toBe('edit-1');
    expect(withDelivery([later, first], both, claim).map((item) => item.delivery !== null)).toEqual([
      false,
      true,
    ]);
  });

  it('on the one that has it, also where an earlier edit has arrived since', () => {
    const earlier = edit(0, [EMAIL]);
    expect(withDelivery([earlier, head], delivery, claim)).toEqual([earlier, head]);
    expect(withDelivery([head, earlier], delivery, claim)).toEqual([head, earlier]);
  });

  it('with the next one of an item that has had one by another id', () => {
    const again = planDelivery([{ ...head, delivery: null, claim: null }]);
    expect(again?.changeId).toBe('edit-1~1');
    expect(withDelivery([{ ...head, delivery: null }], again, claim)[0]?.deliveries).toBe(2);
  });

  it('of a registration expects nothing, and holds what was edited since', () => {
    const create = edit(0, [EMAIL], { action: 'create' });
    const back = edit(4, [PHONE], { changes: { [PHONE]: { oldValue: 'x', newValue: 'x' } } });
    expect(planDelivery([create, back])).toEqual({
      changeId: 'edit-0',
      action: 'create',
      paths: {
        [EMAIL]: { newValue: `${EMAIL} 0`, editedAt: at(0) },
        [PHONE]: { newValue: 'x', editedAt: at(4) },
      },
    });
    const { items, result } = claimNow(create, back);
    expect(result).toMatchObject({ kind: 'claimed', claimed: { delivery: { action: 'create' } } });
    expect(items?.map(({ id, settled }) => [id, settled])).toEqual([['edit-0', {}]]);
  });
});

describe('what a delivery carries', () => {
  it('is the edits of its fields up to the one that it tells', () => {
    const { paths } = delivery;
    expect(carries(paths, first, EMAIL)).toBe(true);
    expect(carries(paths, { ...first, editedAt: at(0) }, EMAIL)).toBe(true);
    expect(carries(paths, later, EMAIL)).toBe(false);
    expect(carries(paths, { ...first, editedAt: at(0) }, PHONE)).toBe(false);
  });

  it('may be one field of an item of several, also for the item on which it stands', () => {
    const both = edit(1, [PHONE, EMAIL]);
    expect(withDelivery([both], delivery, claim)[0]).toMatchObject({ delivery, claim });
  });
});

describe('the owner of a claim', () => {
  it.each([
    ['holds it', head, true],
    ['has lost it to another', { ...head, claim: { ...claim, owner: 'another' } }, false],
    ['has lost it', { ...head, claim: null }, false],
    ['holds that of another delivery', { ...head, delivery: { ...delivery, changeId: 'edit-9' } }, false],
  ])('%s', (_what, item, expected) => {
    expect(holdsClaim(viewOf(other, item), claimed)).toBe(expected);
  });

  it('is found whatever else waits before the item on which it stands', () => {
    expect(claimNow(other, head).result).toMatchObject({ kind: 'busy', delivery: { changeId: 'edit-1' } });
    const waits = { ...head, claim: null };
    const { items, result } = claimNow(other, waits);
    expect(result).toEqual({ kind: 'waiting', until: claim.expiresAt });
    // Nothing has changed, so nothing is written.
    expect(items).toEqual([]);
    const taken = planClaim(viewOf(other, waits), { owner: 'another', now: NOW, isUrgent: true });
    expect(taken.items?.map(({ id }) => id)).toEqual(['edit-1']);
  });

  it('has three minutes', () => {
    const { items } = claimNow(first);
    expect(items?.[0]?.claim).toEqual({ owner: 'another', expiresAt: new Date(NOW.getTime() + 180_000) });
  });
});

describe('a part of a delivery that has ended', () => {
  const both = planDelivery([edit(1, [EMAIL, PHONE])]);
  if (both === null) throw new Error('There is nothing to deliver.');
  const [item] = withDelivery([edit(1, [EMAIL, PHONE])], both, claim) as [QueueItem];
  const all: Claimed = { ...claimed, delivery: both };
  const endAll = () => ({ outcome: 'synced' }) as const;

  it('is one field of it, under an id of its own, where it was split', () => {
    expect(nextPart(all)).toBe(both);
    const { [EMAIL]: email } = both.paths;
    expect(nextPart({ ...all, isSplit: true })).toEqual({
      changeId: `edit-1.${EMAIL}`,
      action: 'update',
      paths: { [EMAIL]: email },
    });
  });

  it('leaves the rest claimed', () => {
    const part = nextPart({ ...all, isSplit: true });
    const { items, rest } = endPaths([other, item], all, part, NOW, endAll);
    expect(rest).toEqual({ ...both, paths: { [PHONE]: both.paths[PHONE] } });
    expect(items).toMatchObject([
      { id: 'edit-3', claim: null },
      { id: 'edit-1', claim, delivery: rest, settled: { [EMAIL]: { outcome: 'synced' } } },
    ]);
  });

  it('is the end of it with its last field, and of nothing that came later', () => {
    const ends: [boolean, string][] = [];
    const earlier = edit(0, [EMAIL]);
    const { items, rest } = endPaths(
      [earlier, head, later, other],
      claimed,
      delivery,
      NOW,
      (isLast, path) => {
        ends.push([isLast, path]);
        return { outcome: isLast ? 'synced' : 'superseded' };
      },
    );
    expect(rest).toBeNull();
    expect(ends).toEqual([
      [false, EMAIL],
      [true, EMAIL],
    ]);
    expect(items.map(({ status, claim: held }) => [status, held])).toEqual([
      ['synced', null],
      ['synced', null],
      ['pending', null],
      ['pending', null],
    ]);
    expect(items[0]?.settled[EMAIL]?.outcome).toBe('superseded');
  });
});
