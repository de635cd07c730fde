import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { parseMemberChange } from '../../src/domain/member/member-change.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { RunContext } from '../../src/mirror/mirror.ts';
import type { RegisterDifferences, StagedMember } from '../../src/register/ports.ts';
import { applyEvent, makeRegister, type RegisterOptions } from '../../src/register/register.ts';
import { makeRegisterLogs } from '../../src/register/register-logs.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { NO_DIFFERENCES } from './support/differences.ts';

const PEOPLE = makeKennitalas(510, 72_000);
const [ONE, TWO, THREE] = PEOPLE as [Kennitala, Kennitala, Kennitala];
const NOW = new Date('2026-11-20T10:00:00Z');
const { signal } = new AbortController();
const referTo = (kennitala: Kennitala) => `m_${PEOPLE.indexOf(kennitala)}`;
const wire = (ssn: string, more: object = {}) => ({ ssn, id: 7, name: 'Generated Person', ...more });
const context: RunContext = {
  runId: 'run-1',
  startedAt: NOW,
  lastSuccess: null,
  unfinished: null,
  abandonedRunId: null,
  signal,
};

/** What the database was told, call by call, and what it finds each time that members are staged. */
let told: [what: string, ...unknown[]][];
let found: Partial<RegisterDifferences>[];
let said: unknown[];
let asked: Kennitala[];
beforeEach(() => {
  [told, found, said, asked] = [[], [{}], [wire(ONE)], []];
});
const toldOf = (what: string) => told.filter(([one]) => one === what).map(([, ...args]) => args);

const open = (given: Partial<RegisterOptions> = {}, dryRun = false) =>
  makeRegister(
    {
      pages: {
        async *pages() {
          yield { members: said, count: said.length };
        },
      },
      store: {
        assertSchema: async () => void told.push(['assert']),
        openLog: async (entry) => {
          told.push(['open', entry]);
          return 12;
        },
        failLog: async (...args) => void told.push(['fail', ...args]),
        stage: async (members, known, options) => {
          told.push(['stage', members.map(({ kennitala }) => kennitala), known, options]);
          return {
            differences: { ...NO_DIFFERENCES, ...(found.length > 1 ? found.shift() : found[0]) },
            commit: async (order) => void told.push(['commit', order]),
            rollback: async () => void told.push(['rollback']),
          };
        },
      },
      referTo,
      subscribers: [{ name: 'elections', url: 'https://elections.example.is' }],
      apiUrl: 'https://api.example.is',
      abandonedAfterMs: 60_000,
      ...given,
    },
    { syncType: 'manual', dryRun },
  );
const planned = async (given?: Partial<RegisterOptions>, dryRun = false) => {
  const register = open(given, dryRun);
  const source = await register.fetch(context);
  return { register, source, plan: await register.plan(source, context) };
};

describe('a run of the register', () => {
  it('opens its row, stages what the pages say, and commits with the row and the messages', async () => {
    found = [{ added: [ONE], removed: [TWO] }];
    const { register, source, plan } = await planned();
    await register.apply(plan, source, context);
    expect(told).toEqual([
      [
        'open',
        { syncType: 'manual', runId: 'run-1', at: NOW, abandonedBefore: new Date(NOW.getTime() - 60_000) },
      ],
      ['stage', [ONE], [], { signal, startedAt: NOW, exclusive: true, buckets: undefined }],
      [
        'commit',
        {
          at: NOW,
          logId: 12,
          counts: { added: 1, removed: 1, verified: 10, errors: 0 },
          details: expect.objectContaining({ planId: plan.planId, active: 10 }),
          notifications: [expect.objectContaining({ subscriber: 'elections', messageId: 'run-1' })],
        },
      ],
    ]);
    expect(register.samples()).toEqual({ added: ['m_0'], reactivated: [], updated: [], removed: ['m_1'] });
    expect([register.name, register.title]).toEqual(['register', 'register sync']);
  });

  it('commits also what only confirms', async () => {
    const { register, source, plan } = await planned();
    await register.confirm?.(plan, source, context);
    expect(toldOf('commit')).toMatchObject([[{ notifications: [] }]]);
  });

  it('that is dry opens no row, shuts nobody out, and has nothing to commit', async () => {
    const { register, source, plan } = await planned({}, true);
    expect(told.map(([what]) => what)).toEqual(['assert', 'stage']);
    expect(toldOf('stage')[0]?.[2]).toMatchObject({ exclusive: false });
    await expect(register.apply(plan, source, context)).rejects.toMatchObject({
      code: 'internal',
      message: 'There is no transaction to commit.',
    });
    await register.close?.();
    await register.close?.();
    await register.failLog({ code: 'internal' });
    expect(told.map(([what]) => what)).toEqual(['assert', 'stage', 'rollback']);
  });

  it('has no samples and nothing to commit before there is a plan', async () => {
    const register = open();
    const source = await register.fetch(context);
    expect(register.samples()).toBeNull();
    await expect(register.apply({} as never, source, context)).rejects.toMatchObject({ code: 'internal' });
  });

  it('ends a transaction before it plans anew', async () => {
    const { register, source } = await planned();
    await register.plan(source, context);
    expect(told.map(([what]) => what)).toEqual(['open', 'stage', 'rollback', 'stage']);
  });

  it('of some buckets says so to the store, and may find nobody', async () => {
    said = [];
    await planned({ buckets: [3, 4] });
    expect(toldOf('stage')[0]?.[2]).toMatchObject({ buckets: [3, 4] });
    await expect(planned()).rejects.toMatchObject({ code: 'empty_export' });
  });

  it('stages who cannot be read as known, so that nobody of them is removed', async () => {
    said = [wire(ONE), wire(TWO, { gender: 99 }), { id: 9 }];
    const { plan } = await planned();
    expect(toldOf('stage')[0]?.[1]).toMatchObject([
      { kennitala: TWO, external_id: '7' },
      { kennitala: null, external_id: '9' },
    ]);
    expect(plan.changes.quarantined).toBe(2);
  });

  it('compares an emptied table with the last success', async () => {
    found = [{ active: 0 }];
    const register = open();
    const source = await register.fetch(context);
    const plan = await register.plan(source, { ...context, lastSuccess: { memberCount: 40 } as never });
    expect(plan.figures.baseline).toBe(40);
  });
});

describe('the row of a run that failed', () => {
  const why = { outcome: 'failed', code: 'registry_timeout' };

  it('is closed with the reason, and what was known by then', async () => {
    const register = open();
    await register.failLog(why);
    expect(told).toEqual([]);
    said = [wire(ONE), wire(TWO, { gender: 99 })];
    const source = await register.fetch(context);
    await register.failLog(why);
    const plan = await register.plan(source, context);
    await register.failLog(why);
    const counts = { added: 0, removed: 0, verified: 0, errors: 1 };
    expect(toldOf('fail')).toEqual([
      [
        12,
        counts,
        expect.objectContaining({ ...why, unreadable: [expect.objectContaining({ member: 'm_1' })] }),
      ],
      [12, counts, expect.objectContaining({ ...why, planId: plan.planId })],
    ]);
  });

  it('says only why where nothing was fetched', async () => {
    const register = open({
      pages: {
        // biome-ignore lint/correctness/useYield: it fails before its first page
        async *pages() {
          throw new SyncError('registry_timeout', 'slow');
        },
      },
    });
    await expect(register.fetch(context)).rejects.toMatchObject({ code: 'registry_timeout' });
    await register.failLog(why);
    expect(toldOf('fail')).toEqual([[12, { added: 0, removed: 0, verified: 0, errors: 0 }, why]]);
  });
});

describe('members who are on no page', () => {
  const registry = (there: readonly Kennitala[]) => ({
    readMember: async (kennitala: Kennitala) => {
      asked.push(kennitala);
      return there.includes(kennitala) ? wire(kennitala) : null;
    },
  });

  it('are asked for where pages are counted, and whom the registry has is not removed', async () => {
    found = [{ removed: [TWO, THREE] }, { removed: [THREE] }];
    const { plan } = await planned({ registry: registry([TWO]) });
    expect(asked).toEqual([TWO, THREE]);
    expect(told.map(([what]) => what)).toEqual(['open', 'stage', 'rollback', 'stage']);
    expect(toldOf('stage')[1]?.[1]).toEqual([{ kennitala: TWO, external_id: null }]);
    expect(plan.removed).toEqual([THREE]);
  });

  it('are asked for once, and also who has come to be missing meanwhile', async () => {
    found = [{ removed: [TWO] }, { removed: [TWO, THREE] }, { removed: [TWO, THREE] }];
    await planned({ registry: registry([]) });
    expect(asked).toEqual([TWO, THREE]);
    expect(toldOf('stage')).toHaveLength(3);
  });

  it.each([
    ['nobody is missing', { removed: [] }, [{}]],
    ['members carry versions, of which no page hides any', { removed: [TWO] }, [{ version: 3 }]],
    ['one of them carries a version', { removed: [TWO] }, [{}, { version: 3 }]],
    ['so many are missing that a person has to look', { removed: PEOPLE.slice(0, 501) }, [{}]],
  ])('are believed to be gone where %s', async (_what, differences, members) => {
    found = [differences];
    said = members.map((more, n) => wire(PEOPLE[n] ?? '', more));
    await planned({ registry: registry([]) });
    expect([asked, toldOf('stage').length]).toEqual([[], 1]);
  });

  it('are asked for up to five hundred, four at a time, and believed where nobody can be asked', async () => {
    const removed = PEOPLE.slice(0, 500);
    found = [{ removed }];
    await planned();
    expect(toldOf('stage')).toHaveLength(1);
    let [underWay, most] = [0, 0];
    const readMember = async (kennitala: Kennitala) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      asked.push(kennitala);
      return null;
    };
    await planned({ registry: { readMember } });
    expect([asked.length, most]).toEqual([500, 4]);
  });

  it('stop the run where the registry does not answer', async () => {
    found = [{ removed: [TWO] }];
    const away = {
      readMember: async () => {
        throw new SyncError('registry_unreachable', 'away');
      },
    };
    await expect(planned({ registry: away })).rejects.toMatchObject({ code: 'registry_unreachable' });
    expect(told.map(([what]) => what)).toEqual(['open', 'stage', 'rollback']);
  });
});

describe('an event of one member', () => {
  const apply = async (change: object) => {
    const rows: unknown[] = [];
    const lines: unknown[] = [];
    const result = await applyEvent(parseMemberChange(change), {
      rows: {
        upsert: async (member: StagedMember, at) => {
          rows.push(['upsert', member.kennitala, member.version, member.said & 32, at]);
          return 'applied';
        },
        deactivate: async (member, at) => {
          rows.push(['deactivate', member, at]);
          return 'stale';
        },
      },
      referTo,
      logs: makeRegisterLogs((_severity, _message, fields) => lines.push(fields)),
      now: () => NOW,
    });
    return { result, rows, lines };
  };
  const event = (action: string, version: number | null, kennitala: string = ONE, more: object = {}) => ({
    kennitala,
    action,
    ...(action !== 'delete' && { data: wire(kennitala, more) }),
    ...(version !== null && { version }),
    occurred_at: NOW.toISOString(),
  });

  it.each<[string, object, string, unknown[]]>([
    ['update', event('update', 9), 'applied', [['upsert', ONE, 9, 32, NOW]]],
    [
      'create of another version than the member’s',
      event('create', 9, ONE, { version: 8 }),
      'applied',
      [['upsert', ONE, 9, 32, NOW]],
    ],
    ['update without a version', event('update', null), 'applied', [['upsert', ONE, null, 0, NOW]]],
    ['delete', event('delete', 9), 'stale', [['deactivate', { kennitala: ONE, version: 9 }, NOW]]],
    ['delete of a placeholder', event('delete', 9, '9999999999'), 'skipped', []],
  ])('%s', async (_what, change, result, rows) => {
    const applied = await apply(change);
    expect([applied.result, applied.rows]).toEqual([result, rows]);
    const { action } = change as { action: string };
    expect(applied.lines).toMatchObject([{ event: 'register_event', action, result }]);
  });
});
