import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { planDelivery } from '../../src/twoway/delivery.ts';
import { makeEditTime, makeQueueItem, mergeEdits, type QueueItem } from '../../src/twoway/queue.ts';

const SOMEONE = '0101002008' as Kennitala;
const NOW = new Date('2026-11-20T10:00:00Z');
const EMAIL = 'profile.email';

const edit = (second: number, oldValue: string, newValue: string, path = EMAIL): QueueItem =>
  makeQueueItem(
    {
      id: `edit-${second}`,
      kennitala: SOMEONE,
      djangoId: 7,
      action: 'update',
      changes: { [path]: { oldValue, newValue } },
      editedAt: makeEditTime(1_700_000_000 + second, 0),
      isContinuation: false,
    },
    NOW,
  );
const merged = (...items: QueueItem[]) => {
  const one = mergeEdits(items).get(EMAIL);
  return one && { expected: one.expected, newValue: one.newValue };
};

describe('several edits of one field', () => {
  it.each([
    ['one', [edit(1, 'a', 'b')], { expected: 'a', newValue: 'b' }],
    [
      'two: the first old value and the last new one',
      [edit(1, 'a', 'b'), edit(2, 'b', 'c')],
      { expected: 'a', newValue: 'c' },
    ],
    ['in another order of arrival', [edit(2, 'b', 'c'), edit(1, 'a', 'b')], { expected: 'a', newValue: 'c' }],
    [
      'the registry changed it in between, and the member saw that',
      [edit(1, 'a', 'b'), edit(2, 'x', 'c')],
      { expected: 'x', newValue: 'c' },
    ],
    [
      'an older event showed the old value again',
      [edit(1, 'a', 'b'), edit(2, 'a', 'c')],
      { expected: 'a', newValue: 'c' },
    ],
    [
      'an older event showed an earlier edit again',
      [edit(1, 'a', 'b'), edit(2, 'b', 'c'), edit(3, 'b', 'd')],
      { expected: 'a', newValue: 'd' },
    ],
    ['back to where it came from', [edit(1, 'a', 'b'), edit(2, 'b', 'a')], { expected: 'a', newValue: 'a' }],
  ])('%s', (_, items, expected) => {
    expect(merged(...items)).toEqual(expected);
  });

  it('are all of them the member’s own values', () => {
    const one = mergeEdits([edit(1, 'a', 'b'), edit(2, 'x', 'c'), edit(3, 'c', 'd')]).get(EMAIL);
    expect(one?.ownValues).toEqual(['b', 'c', 'd']);
  });

  it('are told apart within a millisecond', () => {
    const at = (nanoseconds: number, item: QueueItem) => ({
      ...item,
      editedAt: makeEditTime(1_700_000_000, nanoseconds),
    });
    expect(merged(at(2_000, edit(2, 'b', 'c')), at(1_000, edit(1, 'a', 'b')))).toEqual({
      expected: 'a',
      newValue: 'c',
    });
  });
});

describe('the next delivery', () => {
  it('is nothing when the member has taken everything back', () => {
    expect(planDelivery([edit(1, 'a', 'b'), edit(2, 'b', 'a')])).toBeNull();
    expect(planDelivery([])).toBeNull();
  });

  it('leaves out only what was taken back, in another spelling too', () => {
    const phone = 'profile.phone';
    const delivery = planDelivery([
      edit(1, '5551234', '5550000', phone),
      edit(2, 'a', 'b'),
      edit(3, '5550000', '+354 555-1234', phone),
    ]);
    expect(Object.keys(delivery?.paths ?? {})).toEqual([EMAIL]);
  });

  it('has an id of its own each time, so that no remembered answer is taken for another', () => {
    const first = edit(1, 'a', 'b');
    expect(planDelivery([first])?.changeId).toBe('edit-1');
    expect(planDelivery([{ ...first, deliveries: 1 }])?.changeId).toBe('edit-1~1');
  });

  it('expects what the registry was seen to hold', () => {
    expect(planDelivery([edit(1, 'a', 'b')], { expected: { [EMAIL]: 'x' } })?.paths[EMAIL]).toMatchObject({
      expected: 'x',
      newValue: 'b',
    });
  });
});
