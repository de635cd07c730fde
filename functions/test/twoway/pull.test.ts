import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { type ErrorCode, SyncError } from '../../src/lib/errors.ts';
import type { OutboxRow } from '../../src/registry/ports.ts';
import { pullChanges } from '../../src/twoway/sweep.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { type MemoryStack, NOW, openMemoryStack } from './support/memory-stack.ts';

const [ONE, TWO, STRANGER, ...OTHERS] = makeKennitalas(23, 63_000) as [
  Kennitala,
  Kennitala,
  Kennitala,
  ...Kennitala[],
];

let stack: MemoryStack;
beforeEach(() => {
  stack = openMemoryStack();
});
const { signal } = new AbortController();

describe("the registry's change queue", () => {
  const row = (id: number, ssn: string, action: OutboxRow['action'] = 'update'): OutboxRow => ({
    id,
    ssn,
    action,
    createdAt: new Date(NOW),
  });
  const longAgo = (given: OutboxRow): OutboxRow => ({
    ...given,
    createdAt: new Date(new Date(NOW).getTime() - 7 * 24 * 60 * 60_000),
  });
  const justBefore = (given: OutboxRow): OutboxRow => ({
    ...given,
    createdAt: new Date(longAgo(given).createdAt.getTime() + 1),
  });
  const GONE = {
    profile: { name: '' },
    membership: { status: 'inactive' },
    metadata: { source_version: null, origin: 'reconcile' },
  };
  const pull = (given = signal) =>
    pullChanges(given, { ...stack.dependencies, registry: stack.dependencies.reader });
  const renamed = (kennitala: Kennitala, name: string) =>
    stack.registry.change(kennitala, { name, version: 20 });
  const refreshes = () => stack.all('roster_refreshes').length;

  it('is taken over a member at a time, whatever the order and the spelling of their rows', async () => {
    await stack.load([ONE, TWO]);
    for (const kennitala of [ONE, TWO]) renamed(kennitala, 'Renamed Person');
    const hyphenated = `${ONE.slice(0, 6)}-${ONE.slice(6)}`;
    stack.registry.outbox.push([row(7, TWO), row(12, ONE), row(3, hyphenated)], [row(3, ONE)]);
    expect(await pull()).toEqual({ success: 2, failed: 0 });
    expect(stack.registry.asked).toEqual([ONE, TWO]);
    // What was given again is not looked at again.
    expect(stack.registry.marked).toEqual([[3, 7, 12]]);
    expect(stack.profileOf(ONE)['name']).toBe('Renamed Person');
    expect(refreshes()).toBe(1);
  });

  it('goes on while it gives rows that it has not given before', async () => {
    await stack.load([ONE, TWO]);
    stack.registry.outbox.push([row(1, ONE)], [row(1, ONE), row(2, TWO)], [row(2, TWO)], [row(3, ONE)]);
    expect(await pull()).toEqual({ success: 2, failed: 0 });
    expect(stack.registry.marked).toEqual([[1], [2]]);
  });

  it('counts the last row of a member: whoever came and went is gone, and who came back is a member', async () => {
    await stack.load([ONE]);
    stack.registry.rows.delete(ONE);
    stack.registry.outbox.push([row(2, ONE, 'delete'), row(1, ONE)]);
    expect(await pull()).toEqual({ success: 1, failed: 0 });
    expect(stack.memory.held(`members/${ONE}`)?.['membership']).toMatchObject({ status: 'inactive' });
    expect(refreshes()).toBe(1);
  });

  it.each<[string, OutboxRow[], object | null]>([
    [
      'came and left while the portal knew nothing of them',
      [row(1, STRANGER, 'create'), row(2, STRANGER, 'delete')],
      GONE,
    ],
    ['left, as far as the queue knows', [row(2, STRANGER, 'delete')], null],
    [
      'came and went, within the last week',
      [justBefore(row(1, STRANGER, 'create')), row(2, STRANGER, 'delete')],
      GONE,
    ],
    [
      'came longer ago than any event is sent',
      [longAgo(row(1, STRANGER, 'create')), row(2, STRANGER, 'delete')],
      null,
    ],
  ])('leaves a tombstone where an event could still create somebody who %s', async (_, rows, left) => {
    stack.registry.outbox.push(rows);
    expect(await pull()).toEqual({ success: 1, failed: 0 });
    expect(stack.registry.marked).toEqual([rows.map(({ id }) => id)]);
    const document = stack.memory.held(`members/${STRANGER}`);
    if (left === null) expect(document).toBeNull();
    else expect(document).toMatchObject(left);
  });

  it('is acknowledged for placeholders, of whom nothing is asked', async () => {
    stack.registry.outbox.push([row(1, '9999999999')]);
    expect(await pull()).toEqual({ success: 1, failed: 0 });
    expect([stack.registry.asked, stack.registry.marked, refreshes()]).toEqual([[], [[1]], 0]);
  });

  it('is acknowledged five hundred rows a call', async () => {
    stack.registry.outbox.push(Array.from({ length: 501 }, (_, n) => row(n, '9999999999')));
    expect(await pull()).toEqual({ success: 1, failed: 0 });
    expect(stack.registry.marked.map(({ length }) => length)).toEqual([500, 1]);
  });

  it('keeps a row that names nobody, and one of a member who cannot be read, and takes the others', async () => {
    await stack.load([ONE, TWO]);
    stack.registry.change(TWO, { gender: 99 });
    stack.registry.outbox.push([row(1, 'nobody'), row(2, TWO), row(3, ONE)]);
    expect(await pull()).toEqual({ success: 1, failed: 2 });
    expect(stack.registry.marked).toEqual([[3]]);
    expect(stack.logs).toEqual([
      expect.objectContaining({ event: 'change_not_pulled', row: 1, code: 'member_invalid' }),
      expect.objectContaining({ event: 'change_not_pulled', row: 2, code: 'member_invalid' }),
    ]);
  });

  it.each<[ErrorCode, boolean]>([
    ['registry_unreachable', true],
    ['registry_timeout', true],
    ['registry_unavailable', true],
    ['registry_unauthorized', true],
    ['registry_rejected', true],
    ['secret_unavailable', true],
    ['store_unavailable', true],
    ['registry_invalid_response', false],
    ['member_invalid', false],
  ])('after %s it ends at once: %s', async (code, isEnd) => {
    await stack.load([ONE]);
    const asked: string[] = [];
    const { readMember } = stack.dependencies.reader;
    stack.dependencies.reader.readMember = async (kennitala, options) => {
      asked.push(kennitala);
      if (kennitala === STRANGER) throw new SyncError(code, 'no');
      return readMember(kennitala, options);
    };
    stack.registry.outbox.push([ONE, STRANGER, ...OTHERS].map((ssn, n) => row(n, ssn, 'delete')));
    const pulled = await pull().catch((cause) => cause.code);
    if (isEnd) {
      expect(pulled).toBe(code);
      // What was under way is acknowledged; nobody else is asked about.
      expect(asked.length).toBeLessThan(20);
      expect(stack.registry.marked.flat()).toContain(0);
    } else {
      expect(pulled).toEqual({ success: 21, failed: 1 });
      expect(asked).toHaveLength(22);
    }
    expect(stack.registry.marked.flat()).not.toContain(1);
  });

  it('is not asked for where there is no time', async () => {
    stack.registry.outbox.push([row(1, ONE)]);
    expect(await pull(AbortSignal.abort())).toEqual({ success: 0, failed: 0 });
    expect(stack.registry.outbox).toHaveLength(1);
  });
});
