import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { SyncError } from '../../../src/lib/errors.ts';
import type { PortalWriter } from '../../../src/portal/ports.ts';
import type { PortalMirrorDependencies } from '../../../src/portal/reconcile/portal-mirror.ts';
import { takingOnly } from '../../support/stack.ts';
import { type HeldDocument, makeMemoryPortal } from './support/memory-portal.ts';
import { holds, PEOPLE, plan, type Row, reset, row, succeeded, world } from './support/one-run.ts';

const [NEW, BACK, CHANGED, RENAMED, GONE, LEFT] = PEOPLE as [
  Kennitala,
  Kennitala,
  Kennitala,
  Kennitala,
  Kennitala,
  Kennitala,
];

/** Two join, two are changed, and two leave. */
beforeEach(() => {
  reset();
  holds([row(BACK), false], [row(CHANGED)], [row(RENAMED)], [row(GONE)], [row(LEFT)]);
  world.rows = [
    row(NEW),
    row(BACK, { version: 4 }),
    row(CHANGED, { version: 4, contact_info: { email: '', phone: '5551234' } }),
    row(RENAMED, { version: 4, name: 'Renamed Person' }),
  ];
});
const PLANNED = { added: 2, updated: 2, removed: 2 };

const statusOf = (document: HeldDocument | undefined) => document?.member.membership.status ?? null;

/** By kind, what of the plan is in the portal. */
const doneIn = (documents: ReadonlyMap<Kennitala, HeldDocument>) => {
  const at = (kennitala: Kennitala) => documents.get(kennitala);
  const count = (...done: boolean[]) => done.filter(Boolean).length;
  return {
    added: count(statusOf(at(NEW)) === 'active', statusOf(at(BACK)) === 'active'),
    updated: count(at(CHANGED)?.meta.source_version === 4, at(RENAMED)?.meta.source_version === 4),
    removed: count(statusOf(at(GONE)) === 'inactive', statusOf(at(LEFT)) === 'inactive'),
  };
};

/** Others wrote the first `count` documents a moment before. */
const overtakenFirst = (count: number, writer: PortalWriter): PortalWriter => ({
  write: async (writes, options) => {
    const rest = async function* () {
      let left = count;
      for await (const write of writes) {
        left -= 1;
        if (left >= 0) options.onSettled(write, 'overtaken');
        else yield write;
      }
    };
    await writer.write(rest(), options);
  },
});

const applied = async (
  keptWrites: number,
  wrap: (writer: PortalWriter) => PortalWriter,
  given: Partial<PortalMirrorDependencies> = {},
) => {
  const portal = makeMemoryPortal(world.documents);
  const { apply } = await plan(succeeded(4), {
    keptWrites,
    index: portal.index,
    writer: wrap(portal.writer),
    ...given,
  });
  return { facts: await apply(), done: doneIn(portal.documents()) };
};

describe.each([
  ['kept', 100],
  ['read again', 0],
])('a plan whose contents are %s', (_what, keptWrites) => {
  it.each([1, 2, 3, 4, 5])('of six with the time for %i tells what is left of each kind', async (count) => {
    const { facts, done } = await applied(keptWrites, (writer) => takingOnly(count, writer));
    expect(done.added + done.updated + done.removed).toBe(count);
    expect(facts).toEqual({
      memberCount: 4 + done.added - done.removed,
      overtaken: 0,
      missedEvents: { created: done.added, updated: done.updated, deleted: done.removed },
      unfinished: {
        added: PLANNED.added - done.added,
        updated: PLANNED.updated - done.updated,
        removed: PLANNED.removed - done.removed,
        blanked: { 'profile.email': 1 },
      },
    });
  });

  it.each([1, 3, 6])('of which %i documents were written by others is done, without those', async (count) => {
    const { facts, done } = await applied(keptWrites, (writer) => overtakenFirst(count, writer));
    expect(done.added + done.updated + done.removed).toBe(6 - count);
    expect(facts).toEqual({
      memberCount: 4 + done.added - done.removed,
      overtaken: count,
      missedEvents: { created: done.added, updated: done.updated, deleted: done.removed },
    });
  });

  it('has nothing left but the blanked fields it was let through with, where the time ends after the last', async () => {
    const { facts } = await applied(keptWrites, (writer) => takingOnly(6, writer));
    expect(facts).toEqual({
      memberCount: 4,
      overtaken: 0,
      missedEvents: { created: 2, updated: 2, deleted: 2 },
    });
  });
});

describe('the time limit', () => {
  const failsAt = (then: () => void): PortalMirrorDependencies['registry'] => ({
    readMember: async () => {
      then();
      throw new SyncError('registry_timeout', 'no answer');
    },
  });

  it('breaks off what is being read: that is the end of the run and no failure of the registry', async () => {
    const ended = new AbortController();
    const { apply } = await plan(
      { ...succeeded(4), signal: ended.signal },
      { registry: failsAt(() => ended.abort()) },
    );
    expect(await apply()).toMatchObject({ unfinished: { added: 0, updated: 0, removed: 2 } });
  });

  it('is not blamed for a registry that fails before', async () => {
    const { apply } = await plan(succeeded(4), { registry: failsAt(() => undefined) });
    await expect(apply()).rejects.toMatchObject({ code: 'registry_timeout' });
  });

  it('takes no further write once it has come', async () => {
    const ended = new AbortController();
    const portal = makeMemoryPortal(world.documents);
    const writer: PortalWriter = {
      write: (writes, options) =>
        portal.writer.write(writes, {
          ...options,
          onSettled: (write, result) => {
            options.onSettled(write, result);
            ended.abort();
          },
        }),
    };
    const { apply } = await plan({ ...succeeded(4), signal: ended.signal }, { index: portal.index, writer });
    const { unfinished } = await apply();
    expect((unfinished?.added ?? 0) + (unfinished?.updated ?? 0) + (unfinished?.removed ?? 0)).toBe(5);
    expect(portal.writes()).toBe(1);
  });
});

describe('a second reading', () => {
  const again = async (change: () => void) => {
    const portal = makeMemoryPortal(world.documents);
    const made = await plan(succeeded(4), { keptWrites: 0, index: portal.index, writer: portal.writer });
    change();
    world.asked = [];
    return { facts: await made.apply(), done: doneIn(portal.documents()) };
  };
  /** Pages of the second reading: those before are not asked for twice. */
  const pagesRead = () => world.asked.filter((asked) => typeof asked !== 'string').length;

  it.each<[string, () => void, object]>([
    ['shows one twice, who is written once', () => void world.rows.push(row(NEW)), { overtaken: 0 }],
    [
      'shows a placeholder and one who cannot be read, and goes on',
      () => void world.rows.unshift(row('9999999999'), { id: 7, ssn: 'unreadable' } as Row),
      { overtaken: 0 },
    ],
    [
      'shows one whom the first did not, who waits for the next run',
      () => void world.rows.unshift(row(PEOPLE[20] ?? '')),
      { overtaken: 0 },
    ],
    [
      'shows one whom the registry was said to lack, who is asked about and stays',
      () => void world.rows.unshift(row(GONE)),
      { overtaken: 1 },
    ],
    [
      'does not show one any more, who waits for the next run',
      () => void world.rows.splice(0, 1),
      { overtaken: 1 },
    ],
  ])('%s', async (_what, change, expected) => {
    const { facts, done } = await again(change);
    expect(facts).toMatchObject(expected);
    expect(facts).not.toHaveProperty('unfinished');
    const overtaken = facts.overtaken ?? 0;
    expect(done.added + done.updated + done.removed).toBe(6 - overtaken);
    expect(pagesRead()).toBe(1);
  });

  it('ends with the last member for whom it looks, and not with the last page', async () => {
    const shown = PEOPLE.slice(6).map((kennitala) => row(kennitala));
    holds(...shown.map((one): [Row] => [one]));
    world.rows.push(...shown);
    let pages = 0;
    const portal = makeMemoryPortal(world.documents);
    const source = {
      pages: async function* () {
        for (let from = 0; from < world.rows.length; from += 2) {
          pages += 1;
          yield { members: world.rows.slice(from, from + 2), count: world.rows.length };
        }
      },
    };
    const { apply } = await plan(succeeded(28), {
      keptWrites: 0,
      index: portal.index,
      writer: portal.writer,
      pages: source,
    });
    pages = 0;
    await apply();
    expect(pages).toBe(2);
    expect(doneIn(portal.documents())).toEqual(PLANNED);
  });

  it('of a document that was written since leaves it to that writer', async () => {
    const portal = makeMemoryPortal(world.documents);
    const made = await plan(succeeded(4), { keptWrites: 0, index: portal.index, writer: portal.writer });
    const wrote: string[] = [];
    await portal.writer.write(
      (async function* () {
        const document = portal.documents().get(CHANGED);
        if (document === undefined) throw new Error('Nobody is held.');
        const meta = { ...document.meta, source_version: 9, source_hash: '', origin: 'registry' } as const;
        yield { kennitala: CHANGED, member: document.member, meta, ifState: '0' };
      })(),
      {
        at: new Date(),
        signal: new AbortController().signal,
        onSettled: ({ kennitala }) => void wrote.push(kennitala),
      },
    );
    expect(wrote).toEqual([CHANGED]);
    expect(await made.apply()).toMatchObject({ overtaken: 1 });
    expect(portal.documents().get(CHANGED)?.meta.source_version).toBe(9);
  });
});
