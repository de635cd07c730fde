import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DocumentChange } from '../../src/firestore/events.ts';
import { connectTriggers } from '../../src/functions/triggers.ts';
import { type FixtureHost, PROJECT, startFixture } from './fixture-host.ts';
import { makeItemEvent } from './item-event.ts';

let host: FixtureHost;
beforeAll(async () => {
  host = await startFixture();
});
afterAll(() => host.functions.close());

const written = (id: string) => host.logged((line) => line.message === 'item written' && line['id'] === id);

describe('an event', () => {
  it('reaches its function with the document before and after', async () => {
    const outcome = await host.functions.deliver(makeItemEvent({ function: 'onItemWritten', id: 'plain' }));
    expect(outcome).toBe('delivered');
    expect(await written('plain')).toMatchObject({
      itemId: 'first',
      before: null,
      after: { name: 'ordinary' },
      attempt: 1,
    });
  });

  it('is delivered again until its function succeeds, where the function asks for it', async () => {
    const outcome = await host.functions.deliver(
      makeItemEvent({ function: 'onItemWritten', id: 'twice', failures: 2 }),
    );
    expect(outcome).toBe('delivered');
    expect(await written('twice')).toMatchObject({ attempt: 3 });
    const again = host.lines.filter((line) => line['function'] === 'onItemWritten' && line['status'] === 500);
    expect(again.map((line) => [line.severity, line['attempt']])).toEqual([
      ['WARNING', 1],
      ['WARNING', 2],
    ]);
  });

  it('is dropped after one failure where it does not', async () => {
    const before = host.functions.deliveries();
    const event = makeItemEvent({ function: 'onItemCreated', id: 'lost', name: 'broken' });
    expect(await host.functions.deliver(event)).toBe('dropped');
    expect(host.functions.deliveries()).toEqual({ ...before, dropped: before.dropped + 1 });
    expect(host.lines.filter((line) => line['id'] === 'lost')).toHaveLength(1);
  });

  it('waits while the functions are down, and none is lost', async () => {
    await host.functions.kill();
    const ids = Array.from({ length: 100 }, (_, n) => `down-${n}`);
    const outcomes = ids.map((id) =>
      host.functions.deliver(makeItemEvent({ function: 'onItemWritten', id })),
    );
    await host.logged((line) => line['attempt'] === 2 && line['status'] === null);
    expect(host.functions.deliveries().pending).toBe(100);
    await host.functions.start();
    await host.functions.drain();
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['delivered']));
    await Promise.all(ids.map(written));
  });

  it('for a name that is no event function is an error of the caller', async () => {
    await expect(host.functions.deliver(makeItemEvent({ function: 'echo', id: 'x' }))).rejects.toThrow(
      TypeError,
    );
  });

  it('leaves no trace of its document in the log of a failed delivery', async () => {
    await host.functions.deliver(makeItemEvent({ function: 'onItemCreated', id: 'private', name: 'broken' }));
    const failures = host.lines.filter((line) => line.message.startsWith('event not handled'));
    expect(failures.length).toBeGreaterThan(0);
    expect(JSON.stringify(failures)).not.toContain('items/first');
  });
});

it('a host that is closed abandons the events that wait, and says how many', async () => {
  const other = await startFixture({ retry: { minDelayMs: 60_000, maxDelayMs: 60_000 } });
  const outcome = other.functions.deliver(
    makeItemEvent({ function: 'onItemWritten', id: 'late', failures: 99 }),
  );
  await other.logged((line) => line['attempt'] === 1);
  await other.functions.close();
  expect(await outcome).toBe('abandoned');
  await other.logged((line) => line['pending'] === 1);
});

it('writes are delivered to every function with a trigger for them, with that trigger’s own type', async () => {
  const listeners = new Set<(change: DocumentChange) => void>();
  const firestore = {
    onDocumentWritten(listener: (change: DocumentChange) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const { functions } = host;
  const disconnect = connectTriggers({ firestore, functions, location: 'europe-west2' });
  const database = `projects/${PROJECT}/databases/(default)`;
  const write = (id: string, path: string, sides: Pick<DocumentChange, 'before' | 'after'>) => ({
    ...{ id, database, path, time: new Date('2026-11-20T12:00:00Z') },
    ...sides,
  });
  const time = { seconds: 1_790_000_000, nanos: 0 };
  const document = {
    ...{ name: `${database}/documents/items/second`, fields: {} },
    ...{ createTime: time, updateTime: time },
  };
  for (const listener of listeners) {
    listener(write('made', 'items/second', { after: document }));
    listener(write('changed', 'items/second', { before: document, after: document }));
    listener(write('deeper', 'items/second/parts/one', { after: document }));
  }
  await functions.drain();
  disconnect();
  expect(listeners.size).toBe(0);
  await written('changed');
  const seen = host.lines.filter((line) => ['made', 'changed', 'deeper'].includes(String(line['id'])));
  expect(
    seen
      .map((line) => `${line['id']} ${line['type']}`.replace('google.cloud.firestore.document.v1.', ''))
      .sort(),
  ).toEqual(['changed written', 'made created', 'made written']);
});
