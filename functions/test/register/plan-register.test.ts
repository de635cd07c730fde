import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { LogFields } from '../../src/lib/log.ts';
import { collectMembers } from '../../src/register/collect-members.ts';
import { makeNotifications } from '../../src/register/notify.ts';
import { planRegister, type RegisterPlanInput, toRegisterSource } from '../../src/register/plan-register.ts';
import type { RegisterDifferences } from '../../src/register/ports.ts';
import { countsOf, detailsOf, makeRegisterLogs, samplesOf } from '../../src/register/register-logs.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { NO_DIFFERENCES } from './support/differences.ts';

const PEOPLE = makeKennitalas(2_000, 60_000) as Kennitala[];
const referTo = (kennitala: Kennitala) => `m_${PEOPLE.indexOf(kennitala)}`;
const NONE = { ...NO_DIFFERENCES, inactive: 2 };
const plan = (given: Partial<RegisterDifferences> = {}, input: Partial<RegisterPlanInput> = {}) =>
  planRegister({
    differences: { ...NONE, ...given },
    received: 10,
    quarantined: 1,
    sourceDigest: 's',
    lastMemberCount: 10,
    ...input,
  });

describe('planning the register', () => {
  it('counts whoever comes back among those who are added, in their order', () => {
    const [first = '', second = '', third = '', fourth = ''] = PEOPLE as string[] as Kennitala[];
    const made = plan({
      added: [second as Kennitala],
      reactivated: [first as Kennitala],
      updated: [third as Kennitala],
      removed: [fourth as Kennitala],
      blanked: { name: 0, email: 1, phone: 0 },
      unchanged: 8,
    });
    expect(made).toMatchObject({
      memberCount: 11,
      changes: { added: 2, removed: 1, updated: 1, unchanged: 8, quarantined: 1 },
      rewrite: false,
      figures: {
        baseline: 10,
        received: 10,
        added: 2,
        removed: 1,
        updated: 1,
        quarantined: 1,
        blanked: { email: 1 },
      },
      forecast: { firestoreReads: 1, firestoreWrites: 7 },
      warnings: [],
      added: [first, second],
      inserted: [second],
      reactivated: [first],
    });
    expect(countsOf(made)).toEqual({ added: 2, removed: 1, verified: 8, errors: 1 });
    expect(samplesOf(made, referTo)).toEqual({
      added: ['m_1'],
      reactivated: ['m_0'],
      updated: ['m_2'],
      removed: ['m_3'],
    });
  });

  it('forecasts less where nothing changes, and a write more for each part of the lists', () => {
    expect(plan().forecast.firestoreWrites).toBe(4);
    expect(plan({ updated: PEOPLE.slice(0, 1) }).forecast.firestoreWrites).toBe(6);
    expect(plan({ removed: PEOPLE.slice(0, 1) }).forecast.firestoreWrites).toBe(7);
    expect(plan({ added: PEOPLE.slice(0, 1), updated: PEOPLE.slice(1, 2) }).forecast.firestoreWrites).toBe(7);
    const many = makeKennitalas(3_000, 90_000) as Kennitala[];
    expect(plan({ added: many, removed: many }).forecast.firestoreWrites).toBe(8);
  });

  it('compares an emptied table with the last run, and says so', () => {
    const emptied = plan({ active: 0, added: PEOPLE.slice(0, 6) });
    expect(emptied.figures).toMatchObject({ baseline: 10, added: 0, removed: 4 });
    expect(emptied.warnings).toEqual([
      {
        code: 'register_emptied',
        message: 'The register has no active member although the last run left 10.',
      },
    ]);
    expect(plan({ active: 0 }, { lastMemberCount: 0 }).warnings).toEqual([]);
    expect(plan({ active: 0 }, { lastMemberCount: null })).toMatchObject({
      warnings: [],
      figures: { baseline: null },
    });
    expect(plan({ active: 1 }).warnings).toEqual([]);
  });

  it('has another id for another source, another table or other operations', () => {
    const ids = [
      plan(),
      plan({}, { sourceDigest: 't' }),
      plan({ digest: 'e' }),
      plan({ active: 9 }),
      plan({ inactive: 3 }),
      plan({ active: 1, inactive: 0 }),
    ].map(({ planId }) => planId);
    expect(new Set(ids).size).toBe(6);
    expect(plan({}, { received: 11 }).planId).toBe(ids[0]);
  });
});

describe('what was collected for the register', () => {
  const [one, two, three] = PEOPLE as [Kennitala, Kennitala, Kennitala];
  const row = (ssn: string, more: object = {}) => ({ id: 1, ssn, name: 'Generated Person', ...more });
  const collected = (members: unknown[], count: number | null = members.length) =>
    collectMembers(
      (async function* () {
        yield { members, count };
      })(),
    );

  it('is refused where it is less than was announced, or nobody', async () => {
    const short = await collected([row(one)], 2);
    expect(() => toRegisterSource(short)).toThrow(
      expect.objectContaining({
        code: 'incomplete_export',
        message:
          'The registry says it has 2 members but sent 1. Nothing was changed. Look at the registry, then run again.',
        details: { announced: 2, received: 1 },
      }),
    );
    const none = await collected([{ ssn: 'x' }]);
    expect(() => toRegisterSource(none)).toThrow(
      expect.objectContaining({
        code: 'empty_export',
        message:
          'The registry sent no member that can be read (1 entries, 1 unreadable). Nothing was changed. ' +
          'Look at the registry, then run again.',
        details: { received: 1, unreadable: 1 },
      }),
    );
    expect(toRegisterSource(none, { mayBeEmpty: true })).toMatchObject({ received: 1 });
    expect(() => toRegisterSource(none, {})).toThrow(expect.objectContaining({ code: 'empty_export' }));
  });

  it('says what was found in it, and warns of what was left out', async () => {
    const source = toRegisterSource(
      await collected([
        row(one),
        row(two, { id: 2 }),
        row(two, { id: 3 }),
        { ssn: three, id: 9, gender: 77 },
        {},
      ]),
    );
    expect(source).toMatchObject({
      received: 5,
      exportedAt: null,
      findings: {
        announced: 5,
        received: 5,
        quarantined: 2,
        quarantinedAt: [3, 4],
        repeated: 1,
        adjusted: 0,
      },
    });
    expect(source.warnings).toEqual([
      {
        code: 'quarantined_entries',
        message: '2 members cannot be read; who of them is in the register stays as they are.',
      },
      {
        code: 'unidentified_entries',
        message:
          '1 of those has neither a kennitala nor a row number: if they are in the register, they count as gone.',
      },
      { code: 'repeated_members', message: '1 entry repeats a kennitala; one of each counts.' },
    ]);
    const details = detailsOf(source, plan(), referTo) as Record<string, unknown>;
    expect(details).toMatchObject({ findings: source.findings, updated: 0, reactivated: 0, active: 10 });
    expect(details['unreadable']).toMatchObject([
      { member: 'm_2', position: 3 },
      { member: null, position: 4 },
    ]);
    expect(details).not.toHaveProperty('adjusted');
  });

  it('says how many have a value that has no room, and who', async () => {
    const source = toRegisterSource(await collected([row(one, { name: 'x'.repeat(256) }), row(two)]));
    expect(source.findings).toMatchObject({ adjusted: 1 });
    expect(source.warnings).toEqual([
      {
        code: 'adjusted_values',
        message: '1 member has a value that the register cannot hold as it is; sync_log says which.',
      },
    ]);
    expect(detailsOf(source, null, referTo)).toEqual({
      findings: source.findings,
      adjusted: [{ member: 'm_0', reasons: ['name_cut'] }],
    });
  });

  it('warns of nobody who is known by a number or by a row', async () => {
    const source = toRegisterSource(await collected([row(one), { ssn: two, gender: 77 }, { id: 9 }]));
    expect(source.warnings.map(({ code }) => code)).toEqual(['quarantined_entries']);
  });

  it('names twenty positions, a hundred of each kind, and five samples; the counts are of all', async () => {
    const people = PEOPLE.slice(0, 202);
    const source = toRegisterSource(
      await collected(
        people.map((ssn, n) => row(ssn, n % 2 === 0 ? { gender: 77 } : { name: 'x'.repeat(256) })),
      ),
    );
    expect(source.findings).toMatchObject({ quarantined: 101, adjusted: 101 });
    expect(source.findings).toMatchObject({ quarantinedAt: Array.from({ length: 20 }, (_, n) => 2 * n) });
    const { unreadable, adjusted } = detailsOf(source, null, referTo);
    expect([unreadable, adjusted]).toMatchObject([{ length: 100 }, { length: 100 }]);
    const six = PEOPLE.slice(0, 6);
    expect(samplesOf(plan({ added: six, updated: six, removed: six }), referTo)).toMatchObject({
      added: { length: 5 },
      updated: { length: 5 },
      removed: { length: 5 },
    });
  });

  it('is told without what was not found: no plan, nobody left out, no count', async () => {
    const source = toRegisterSource(await collected([row(one)], null));
    expect(source.findings).not.toHaveProperty('announced');
    expect(source.warnings).toEqual([]);
    expect(detailsOf(source, null, referTo)).toEqual({ findings: source.findings });
  });

  it('has another digest where a value of anybody differs', async () => {
    const digestOf = async (...rows: object[]) => toRegisterSource(await collected(rows)).digest;
    const first = await digestOf(row(one), row(two));
    expect(await digestOf(row(two), row(one))).toBe(first);
    expect(await digestOf(row(one), row(two, { name: 'Renamed Person' }))).not.toBe(first);
    expect(await digestOf(row(one))).not.toBe(first);
  });

  it('has another digest for others who cannot be read, in whatever order they came', async () => {
    const digestOf = async (...rows: object[]) =>
      toRegisterSource(await collected([row(one), ...rows])).digest;
    const digests = [
      await digestOf(),
      await digestOf({ ssn: two, gender: 77 }),
      await digestOf({ ssn: three, gender: 77 }),
      await digestOf({ id: 9 }),
      await digestOf({ ssn: two, gender: 77 }, { id: 9 }),
    ];
    expect(new Set(digests).size).toBe(5);
    expect(await digestOf({ id: 9 }, { ssn: two, gender: 77 })).toBe(digests[4]);
  });
});

describe('the messages to subscribers', () => {
  const run = { runId: 'run/1', startedAt: new Date('2026-01-05T03:00:00Z') };
  const subscribers = [
    { name: 'polls', url: 'https://a.is' },
    { name: 'forum', url: 'https://b.is' },
  ];
  const messages = (given: Partial<RegisterDifferences>, to = subscribers) =>
    makeNotifications(plan(given), run, { referTo, subscribers: to, apiUrl: 'https://api.is' });

  it('say how many and who, one to each', () => {
    const [first, second, ...others] = messages({
      added: PEOPLE.slice(0, 1),
      updated: PEOPLE.slice(1, 2),
      removed: PEOPLE.slice(2, 3),
    });
    expect(others).toEqual([]);
    expect([first, second]).toMatchObject([
      { messageId: 'run/1', subscriber: 'polls' },
      { messageId: 'run/1', subscriber: 'forum', body: first?.body },
    ]);
    expect(JSON.parse(first?.body ?? '')).toEqual({
      type: 'membership.changed',
      timestamp: '2026-01-05T03:00:00.000Z',
      run: 'run/1',
      added: 1,
      removed: 1,
      updated: 1,
      members: ['m_2', 'm_0', 'm_1'],
      complete: true,
      details: 'https://api.is/sync/runs/run%2F1/changes',
    });
  });

  it.each([
    [1_000, true],
    [1_001, false],
  ])('of %i members: whether all are named is %j', (count, complete) => {
    const body = JSON.parse(messages({ updated: PEOPLE.slice(0, count) })[0]?.body ?? '');
    expect(body).toMatchObject({ updated: count, complete });
    expect(body.members).toHaveLength(1_000);
  });

  it('are none where nothing changed, or nobody listens', () => {
    expect(messages({})).toEqual([]);
    expect(messages({ added: PEOPLE.slice(0, 1) }, [])).toEqual([]);
  });
});

describe('the log of the register', () => {
  it('has a severity, a message and an event for each thing that it tells', () => {
    const lines: [string, string, LogFields][] = [];
    const logs = makeRegisterLogs((...line) => lines.push(line));
    const failure = new SyncError('database_unavailable', 'gone', { details: { state: '57P01' } });
    logs.logRowLost('run-1', failure);
    logs.databaseRetry(2, failure);
    logs.notConfigured();
    logs.afterwardsFailed(failure);
    logs.eventApplied('m_1', 'update', 'applied');
    logs.notified('polls', 'run-1', 1);
    logs.notNotified('polls', 'run-1', 2, 'timeout', false);
    logs.notNotified('polls', 'run-1', 9, 'timeout', true);
    const code = 'database_unavailable';
    const message = { subscriber: 'polls', messageId: 'run-1' };
    expect(lines).toEqual([
      [
        'ERROR',
        "[REGISTER] The failed run's row in sync_log could not be written: database_unavailable",
        { event: 'register_log_lost', runId: 'run-1', code, detail: 'gone' },
      ],
      [
        'WARNING',
        '[REGISTER] Attempt 2 of a transaction failed: database_unavailable',
        { event: 'database_retry', attempt: 2, code, state: '57P01' },
      ],
      [
        'NOTICE',
        '[REGISTER] There is no database in the settings, so nothing was done',
        { event: 'register_not_configured' },
      ],
      [
        'ERROR',
        '[REGISTER] Notifications or old rows were not dealt with: database_unavailable',
        { event: 'register_afterwards_failed', code, detail: 'gone' },
      ],
      [
        'INFO',
        '[REGISTER] Event update: applied',
        { event: 'register_event', member: 'm_1', action: 'update', result: 'applied' },
      ],
      ['INFO', '[REGISTER] Notified polls', { event: 'notified', ...message, attempts: 1 }],
      [
        'WARNING',
        '[REGISTER] polls was not notified: timeout; tried again later',
        { event: 'notification_retry', ...message, attempts: 2, code: 'timeout' },
      ],
      [
        'ERROR',
        '[REGISTER] polls was not notified after 9 attempts: timeout',
        { event: 'notification_failed', ...message, attempts: 9, code: 'timeout' },
      ],
    ]);
  });
});
