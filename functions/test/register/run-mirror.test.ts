import { beforeEach, describe, expect, it } from 'vitest';
import { makeRunStore } from '../../src/adapters/firestore/run-store.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { LogFields } from '../../src/lib/log.ts';
import type { RunRequest } from '../../src/mirror/run.ts';
import type { RegisterStore } from '../../src/register/ports.ts';
import { runRegisterMirror } from '../../src/register/register.ts';
import { chain } from '../support/chain.ts';
import { DEFAULT_LIMITS } from '../support/default-limits.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { openMemoryServer } from '../support/memory-server.ts';
import { NO_DIFFERENCES } from './support/differences.ts';

const [ONE, TWO] = makeKennitalas(2, 74_000) as [Kennitala, Kennitala];
const NOW = new Date('2026-11-20T10:00:00Z');

/** What the database was told, call by call. */
let told: [what: string, ...unknown[]][];
let failing: Partial<Record<'commit' | 'fail', SyncError>>;
let differences: Partial<typeof NO_DIFFERENCES>;
let lines: LogFields[];
let db: ReturnType<typeof openMemoryServer>['db'];
beforeEach(() => {
  [told, failing, differences, lines] = [[], {}, { added: [ONE] }, []];
  ({ db } = openMemoryServer());
});
const note = (what: 'commit' | 'fail', ...args: unknown[]): void => {
  told.push([what, ...args]);
  if (failing[what] !== undefined) throw failing[what];
};
const store: RegisterStore = {
  assertSchema: async () => void told.push(['assert']),
  openLog: async ({ syncType }) => {
    told.push(['open', syncType]);
    return 12;
  },
  failLog: async (...args) => note('fail', ...args),
  stage: async (_members, _known, { exclusive }) => {
    told.push(['stage', exclusive]);
    return {
      differences: { ...NO_DIFFERENCES, ...differences },
      commit: async ({ counts }) => note('commit', counts),
      rollback: async () => void told.push(['rollback']),
    };
  },
};
const run = (request: Partial<RunRequest> = {}) =>
  runRegisterMirror(
    { trigger: 'http', ...request },
    {
      pages: {
        async *pages() {
          yield { members: [{ ssn: ONE, id: 7, name: 'Generated Person' }], count: 1 };
        },
      },
      store,
      referTo: (kennitala) => (kennitala === ONE ? 'm_1' : 'm_2'),
      subscribers: [],
      apiUrl: 'https://api.example.is',
      abandonedAfterMs: 60_000,
    },
    {
      runs: makeRunStore(async () => db, chain.current),
      limits: DEFAULT_LIMITS,
      needsSecondPerson: false,
      log: (_severity, _message, fields) => lines.push(fields),
      now: () => NOW,
      makeRunId: () => 'run-1',
      runLimitMs: 60_000,
      leaseMs: 120_000,
    },
  );
const done = () => told.map(([what]) => what);

describe('a run of the register, as it is asked for', () => {
  it('applies its plan, and answers the record with a few of whom it changed', async () => {
    const { record, samples } = await run();
    expect(record).toMatchObject({ status: 'success', outcome: 'published', mirror: 'register' });
    expect(samples).toEqual({ added: ['m_1'], reactivated: [], updated: [], removed: [] });
    expect(told).toContainEqual(['stage', true]);
    expect(done()).toEqual(['open', 'stage', 'commit', 'rollback']);
  });

  it('applies nothing where it is dry, and opens no row', async () => {
    expect(await run({ dryRun: true })).toMatchObject({
      record: { outcome: 'dry-run' },
      samples: { added: ['m_1'] },
    });
    expect(told).toContainEqual(['stage', false]);
    expect(done()).toEqual(['assert', 'stage', 'rollback']);
  });

  it.each([
    ['schedule', 'membership'],
    ['http', 'manual'],
    ['local', 'manual'],
    ['event', 'membership'],
    ['proof', 'webhook'],
  ] as const)('by %s is a row of the kind %s', async (trigger, kind) => {
    await run({ trigger });
    expect(told[0]).toEqual(['open', kind]);
  });
});

describe('a run of the register that fails', () => {
  const ZERO = { added: 0, removed: 0, verified: 0, errors: 0 };

  it('closes its row with what became of it', async () => {
    failing.commit = new SyncError('database_rejected', 'no');
    expect(await run()).toMatchObject({ record: { status: 'error', errorCode: 'database_rejected' } });
    expect(done()).toEqual(['open', 'stage', 'commit', 'rollback', 'fail']);
    expect(told.at(-1)).toEqual([
      'fail',
      12,
      ZERO,
      expect.objectContaining({ outcome: 'failed', code: 'database_rejected', error: 'no' }),
    ]);
  });

  it('closes it also where the guard refuses its plan, with what it found', async () => {
    differences = { removed: Array.from({ length: 11 }, () => TWO), active: 20 };
    const { record, samples } = await run();
    expect([record.outcome, samples?.removed]).toEqual(['blocked', Array(5).fill('m_2')]);
    expect(told.at(-1)?.[3]).toMatchObject({
      outcome: 'blocked',
      code: 'guard_tripped',
      guard: { tripped: true },
    });
  });

  it('says so where the row cannot be closed, and answers its own failure', async () => {
    failing = {
      commit: new SyncError('database_rejected', 'no'),
      fail: new SyncError('database_unavailable', 'gone'),
    };
    expect(await run()).toMatchObject({ record: { errorCode: 'database_rejected' } });
    expect(lines.find(({ event }) => event === 'register_log_lost')).toMatchObject({
      runId: 'run-1',
      code: 'database_unavailable',
    });
  });
});
