import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listInForce, parseMoment } from '../../src/proof/roll.ts';
import type { ListVersion } from '../../src/roster/ports.ts';
import { runRoster } from '../ops/support/leave-traces.ts';
import { type OpsStack, startOpsStack } from '../support/api-stack.ts';
import { BUCKET } from '../support/servers.ts';

const NOW = new Date('2026-11-27T12:00:00Z');

describe('a moment', () => {
  it.each([
    ['2026-11-01T12:00', '2026-11-01T12:00:00.000Z'],
    ['2026-11-01T12:00:30', '2026-11-01T12:00:30.000Z'],
    ['2026-11-01T12:00:30.5', '2026-11-01T12:00:30.500Z'],
    ['2026-11-01T12:00Z', '2026-11-01T12:00:00.000Z'],
    ['2026-11-01T12:00+01:00', '2026-11-01T11:00:00.000Z'],
    ['2026-07-01T12:00', '2026-07-01T12:00:00.000Z'],
    ['2024-02-29T23:59', '2024-02-29T23:59:00.000Z'],
    [' 2026-11-27T12:00 ', '2026-11-27T12:00:00.000Z'],
  ])('%s is %s', (text, at) => {
    expect(parseMoment(text, NOW).toISOString()).toBe(at);
  });

  it.each([
    ['a day alone, which has many moments', '2026-11-01'],
    ['a day of no month', '2026-02-29T12:00'],
    ['a day of another month', '2026-04-31T12:00'],
    ['an hour that no day has', '2026-11-01T24:00'],
    ['a minute that no hour has', '2026-11-01T12:60'],
    ['another order', '01.11.2026 12:00'],
    ['a name of a zone', '2026-11-01T12:00 GMT'],
    ['an offset that no zone has', '2026-11-01T12:00+19:00'],
    ['a year of more digits', '12026-11-01T12:00'],
    ['nothing', ''],
    ['a moment to come', '2026-11-27T12:00:01'],
    ['a moment to come in another zone', '2026-11-27T13:00-01:00'],
  ])('is refused: %s', (_what, text) => {
    expect(() => parseMoment(text, NOW)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});

describe('the list in force', () => {
  const version = (generation: string, from: string, until: string | null): ListVersion => ({
    generation,
    publishedAt: new Date(`2026-11-01T${from}Z`),
    replacedAt: until === null ? null : new Date(`2026-11-01T${until}Z`),
    isCurrent: until === null,
    memberCount: null,
    runId: null,
    sha256: null,
    chainHead: null,
  });
  const all = [
    version('1', '10:00:00', '11:00:00'),
    version('2', '11:00:00', '12:00:00'),
    version('3', '12:00:00', '12:00:00'),
    version('4', '12:00:00', null),
  ];
  const at = (time: string, versions = all): string => {
    try {
      return listInForce(versions.toReversed(), new Date(`2026-11-01T${time}Z`)).generation;
    } catch (cause) {
      return (cause as { code: string }).code;
    }
  };

  it.each([
    ['before the first list', '09:59:59', 'roll_unknown'],
    ['the instant of the first', '10:00:00', '1'],
    ['the last of the first', '10:59:59', '1'],
    ['the instant at which it was replaced', '11:00:00', '2'],
    ['two lists in the same instant: the later one', '12:00:00', '4'],
    ['now', '13:00:00', '4'],
  ])('%s', (_what, time, expected) => {
    expect(at(time)).toBe(expected);
  });

  it('is unknown, not empty and not the one before, where its version was deleted', () => {
    const kept = all.filter(({ generation }) => generation !== '2');
    expect(at('11:30:00', kept)).toBe('roll_unknown');
    expect(at('10:30:00', kept)).toBe('1');
    expect(at('12:30:00', kept)).toBe('4');
    expect(at('12:30:00', all.slice(0, 2))).toBe('roll_unknown');
    expect(at('12:30:00', [])).toBe('roll_unknown');
  });

  it('puts generations in their order as numbers', () => {
    const two = [version('9', '10:00:00', '10:00:00'), version('10', '10:00:00', null)];
    expect(at('10:00:00', two)).toBe('10');
  });
});

describe('over real stores', () => {
  let ops: OpsStack;
  let folder: string;
  beforeEach(async () => {
    ops = await startOpsStack({ members: 40 });
    folder = await mkdtemp(join(tmpdir(), 'roll-'));
  });
  afterEach(async () => {
    await ops.close();
    await rm(folder, { recursive: true, maxRetries: 5 });
  });

  const post = (path: string, body: object) => ops.call('POST', path, body);
  const published = async (): Promise<string[]> => {
    const [files] = await ops.storageClient
      .bucket(BUCKET)
      .getFiles({ versions: true, prefix: 'kennitalas.txt' });
    return files.map(({ metadata }) => String(metadata.timeCreated)).toSorted();
  };
  const listFile = () => ops.storageClient.bucket(BUCKET).file('kennitalas.txt');
  const leave = () => ops.registry.deleteMember(ops.registry.randomMember());
  const SCRIPT = fileURLToPath(new URL('../../../ops/src/verify-roll.ts', import.meta.url));
  const verifyRoll = async (...files: string[]) => {
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, ...files], {
        cwd: folder,
        env: {},
      });
      return { code: 0, text: stdout };
    } catch (cause) {
      const { code, stderr } = cause as { code: number; stderr: string };
      return { code, text: stderr };
    }
  };

  it('tells the list of each moment, with a receipt that anybody can check', async () => {
    await runRoster(ops);
    leave();
    await runRoster(ops);
    const [first = '', second = ''] = await published();
    const { body: now } = await post('/roll', { at: second });
    expect(now.receipt).toMatchObject({
      count: 39,
      at: new Date(second).toISOString(),
      list: { replacedAt: null },
      run: { runId: 'run-002', rollbackOf: null },
      chain: { stream: 'roster', number: 5 },
    });
    expect(now).toMatchObject({ frozen: null, list: null });
    const { body: then } = await post('/roll', { at: first, list: true });
    expect(then.receipt).toMatchObject({ count: 40, run: { runId: 'run-001' }, chain: { number: 2 } });
    expect(then.list.split('\n')).toHaveLength(41);
    expect(await ops.actions()).toMatchObject([{ action: 'view_roll', mirror: 'roster' }]);

    await writeFile(join(folder, 'roll.txt'), then.list);
    await writeFile(join(folder, 'receipt.json'), JSON.stringify(then.receipt));
    await writeFile(
      join(folder, 'chain.pem'),
      then.publicKeys.map(({ pem }: { pem: string }) => pem).join(''),
    );
    expect(await verifyRoll('roll.txt', 'receipt.json')).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^40 members/),
    });

    const forged: [string, string][] = [
      [then.list.replace(/^\d+\n/, ''), JSON.stringify(then.receipt)],
      [then.list, JSON.stringify({ ...then.receipt, at: second })],
      [then.list, JSON.stringify({ ...then.receipt, registry: { ...then.receipt.registry, notDone: 3 } })],
      [then.list, JSON.stringify({ ...then.receipt, key: '0123456789abcdef' })],
      [then.list, JSON.stringify(now.receipt)],
      [then.list, then.list],
    ];
    for (const [list, receipt] of forged) {
      await writeFile(join(folder, 'roll.txt'), list);
      await writeFile(join(folder, 'receipt.json'), receipt);
      const { code, text } = await verifyRoll('roll.txt', 'receipt.json', 'chain.pem');
      expect(code).toBe(1);
      expect(text).toMatch(/NOT PROVED/);
      expect(text).not.toMatch(/\d{10}\b/);
    }
    expect(await verifyRoll('roll.txt', 'receipt.json', 'nothing.pem')).toMatchObject({ code: 1 });
  });

  it('says how late the registry was known to be: a refused run, and a rollback in between', async () => {
    await runRoster(ops);
    ops.clock.advance(60_000);
    for (let n = 0; n < 20; n += 1) leave();
    expect((await post('/runs', { mirror: 'roster' })).status).toBe(422);
    ops.clock.advance(60_000);
    const at = ops.clock.now().toISOString();
    const { body } = await post('/roll', { at });
    expect(body.receipt).toMatchObject({ count: 40, registry: { notDone: 1 } });
    expect(body.receipt.registry.ageSeconds).toBeGreaterThanOrEqual(120);

    const generation = body.receipt.list.generation;
    ops.registry.createMember();
    const { body: planned } = await post('/runs', { mirror: 'roster', dryRun: true });
    const approve = {
      planId: planned.run.planId,
      operator: 'Operator',
      reason: 'a branch left',
      removed: 20,
    };
    expect((await post('/runs', { mirror: 'roster', approve })).body.run.outcome).toBe('published');
    const before = ops.clock.now();
    ops.clock.advance(1_000);
    const back = await post('/roster/rollback', { generation, reason: 'it was wrong' });
    expect(back.body.run.outcome).toBe('published');
    ops.clock.advance(1_000);
    const { body: after } = await post('/roll', { at: ops.clock.now().toISOString() });
    expect(after.receipt).toMatchObject({ count: 40, run: { rollbackOf: generation } });
    expect(Date.parse(after.receipt.registry.equalAt)).toBeLessThanOrEqual(before.getTime());
  });

  it('compares two moments, which is on record before anything is shown', async () => {
    await runRoster(ops);
    const gone = ops.registry.randomMember();
    ops.registry.deleteMember(gone);
    ops.registry.createMember();
    await runRoster(ops);
    const [from = '', to = ''] = await published();
    const { body } = await post('/roll/compare', { from, to });
    expect([body.from.count, body.to.count, body.added.length, body.removed.length]).toEqual([40, 40, 1, 1]);
    expect(await ops.actions()).toMatchObject([{ action: 'compare_rolls' }]);
    ops.firestore.failNext({
      code: 7,
      times: Number.POSITIVE_INFINITY,
      when: 'before',
      matches: (_, method) => method === 'commit',
    });
    const refused = await post('/roll/compare', { from, to });
    expect([refused.status, refused.body.code]).toEqual([503, 'audit_unavailable']);
    expect(JSON.stringify(refused.body)).not.toMatch(/\d{10}"/);
  });

  it('keeps a frozen roll whatever becomes of the list, with who froze it and why', async () => {
    await runRoster(ops);
    const [at = ''] = await published();
    const freeze = { name: 'board-2026', at, until: '2099-01-01', reason: 'election of the board' };
    const { status, body } = await post('/rolls', freeze);
    expect([status, body.by, body.reason, body.until]).toEqual([
      200,
      'operator',
      'election of the board',
      '2099-01-01T23:59:59.999Z',
    ]);
    expect((await post('/rolls', freeze)).status).toBe(200);
    const [{ customTime }] = await ops.storageClient
      .bucket(BUCKET)
      .file('rolls/board-2026.txt')
      .getMetadata();
    expect(customTime).toBe('2099-01-01T23:59:59.999Z');

    leave();
    await runRoster(ops);
    const other = await post('/rolls', { ...freeze, at: (await published())[1] });
    expect([other.status, other.body.code]).toEqual([409, 'storage_conflict']);
    const [files] = await ops.storageClient
      .bucket(BUCKET)
      .getFiles({ versions: true, prefix: 'kennitalas.txt' });
    for (const { name, metadata } of files) {
      if (metadata.timeDeleted === undefined) continue;
      await ops.storageClient
        .bucket(BUCKET)
        .file(name, { generation: String(metadata.generation) })
        .delete();
    }
    const lost = await post('/roll', { at });
    expect([lost.status, lost.body.code]).toEqual([404, 'roll_unknown']);
    const { body: kept } = await post('/roll', { name: 'board-2026', list: true });
    expect(kept.receipt).toEqual(body.receipt);
    expect(kept.list.split('\n')).toHaveLength(41);
    const { body: all } = await ops.call('GET', '/rolls');
    expect(all.rolls.map(({ name }: { name: string }) => name)).toEqual(['board-2026']);
    expect((await ops.actions()).map(({ action }) => action)).toEqual([
      'freeze_roll',
      'freeze_roll',
      'freeze_roll',
      'view_roll',
    ]);
  });

  const RECEIPT = { format: 'membership-roll/1', at: '2026-11-01T12:00:00.000Z', count: 40 };
  it.each<[string, (held: { receipt: string }) => { list?: string; receipt?: string; by?: string | null }]>([
    ['no JSON', () => ({ receipt: '{"format": "membership-roll/1"' })],
    ['another form', () => ({ receipt: JSON.stringify(RECEIPT) })],
    ['nothing at all', () => ({ receipt: 'null' })],
    [
      'a field of another kind',
      ({ receipt }) => ({ receipt: receipt.replace('"count":40', '"count":"40"') }),
    ],
    [
      'words that were not signed',
      ({ receipt }) => ({ receipt: receipt.replace('"count":40', '"count":39') }),
    ],
    [
      'a key that nobody knows',
      ({ receipt }) => ({ receipt: receipt.replace(/"key":"[^"]+"/, '"key":"0000000000000000"') }),
    ],
    ['nobody who froze it', () => ({ by: null })],
    ['another list beside it', () => ({ list: '0101302989\n' })],
  ])('takes a frozen roll with %s for none', async (_what, change) => {
    await runRoster(ops);
    const [at = ''] = await published();
    await post('/rolls', { name: 'board-2026', at, until: '2099-01-01', reason: 'election' });
    const file = ops.storageClient.bucket(BUCKET).file('rolls/board-2026.txt');
    const [{ metadata = {}, customTime }] = await file.getMetadata();
    const { list, ...other } = change({ receipt: String(metadata['receipt']) });
    if (list === undefined) await file.setMetadata({ metadata: other });
    else await file.save(list, { resumable: false, metadata: { customTime, metadata } });
    for (const asked of [{ name: 'board-2026' }, { name: 'board-2026', list: true }]) {
      const { status, body } = await post('/roll', asked);
      expect([status, body.code]).toEqual([409, 'chain_broken']);
      expect(JSON.stringify(body)).not.toContain('0101302989');
    }
  });

  it.each([
    ['a roll of no moment', '/roll', {}, 400],
    ['a roll of a moment and a name', '/roll', { at: '2026-11-01T12:00', name: 'board-2026' }, 400],
    ['a day alone', '/roll', { at: '2026-11-01' }, 400],
    ['a moment to come', '/roll', { at: '2199-11-01T12:00' }, 400],
    ['a moment before the first list', '/roll', { at: '2001-11-01T12:00' }, 404],
    ['a name that nobody froze', '/roll', { name: 'nobody-froze' }, 404],
    [
      'a name with a path in it',
      '/rolls',
      { name: '../kennitalas', at: '2026-11-01T12:00', until: '2099-01-01', reason: 'x' },
      400,
    ],
    [
      'a name with a number in it',
      '/rolls',
      { name: 'roll-010130', at: '2026-11-01T12:00', until: '2099-01-01', reason: 'x' },
      400,
    ],
    [
      'a day that is over',
      '/rolls',
      { name: 'board', at: '2001-11-01T12:00', until: '2002-01-01', reason: 'x' },
      400,
    ],
    ['no reason', '/rolls', { name: 'board', at: '2001-11-01T12:00', until: '2099-01-01' }, 400],
  ])('refuses %s', async (_what, path, body, status) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(status);
    expect(await ops.actions()).toEqual([]);
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'that is not the one that was published under its number',
      async () => {
        const [{ metadata = {} }] = await listFile().getMetadata();
        await listFile().save('0101302989\n', { resumable: false, metadata: { metadata } });
      },
    ],
    ['that remembers no chain of ours', () => listFile().setMetadata({ metadata: { chainHead: 'no head' } })],
  ])('refuses a list %s', async (_what, tamper) => {
    await runRoster(ops);
    await tamper();
    ops.clock.advance(60_000);
    const { status, body } = await post('/roll', { at: ops.clock.now().toISOString() });
    expect([status, body.code]).toEqual([409, 'chain_broken']);
  });
});
