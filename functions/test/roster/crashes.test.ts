import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BUCKET } from '../support/servers.ts';
import { type RosterStack, startRosterStack } from '../support/stack.ts';
import { verifyStores } from '../support/verify.ts';

let stack: RosterStack;
beforeEach(async () => {
  stack = await startRosterStack({ callLimitMs: 2_500 });
});
afterEach(async () => {
  await stack.close();
});

const objectCount = async () =>
  (await stack.storageClient.bucket(BUCKET).getFiles({ versions: true }))[0].length;

const isUpload = (target: { method: string; path: string }) =>
  target.method === 'POST' && target.path.includes('/upload/');

/** From one write on, nothing answers any more: what a process sees of the world when it has died. */
const dieAt = (write: 'begin' | 'plan' | 'upload' | 'finish', when: 'before' | 'after') => {
  const ordinal = { begin: 1, plan: 2, finish: 3, upload: 3 }[write];
  let commits = 0;
  let isDead = false;
  const disarm = [
    stack.firestore.failNext({
      code: status.PERMISSION_DENIED,
      times: Number.POSITIVE_INFINITY,
      when: 'before',
      matches: (_request, method) => {
        if (method === 'commit') commits += 1;
        if (method === 'commit' && write !== 'upload' && when === 'before' && commits >= ordinal)
          isDead = true;
        return isDead;
      },
    }),
    stack.firestore.failNext({
      code: status.PERMISSION_DENIED,
      times: Number.POSITIVE_INFINITY,
      when: 'after',
      matches: (_request, method) => {
        if (method === 'commit' && write !== 'upload' && when === 'after' && commits >= ordinal)
          isDead = true;
        return isDead;
      },
    }),
  ];
  const storage = stack.storage.failNext({
    stage: when,
    answer: 400,
    times: Number.POSITIVE_INFINITY,
    matches: (target) => {
      if (write === 'upload' && isUpload(target)) isDead = true;
      return isDead;
    },
  });
  return () => {
    for (const undo of disarm) undo();
    storage.disarm();
  };
};

describe('a run that dies', () => {
  const writes = ['begin', 'plan', 'upload', 'finish'] as const;
  it.each(writes.flatMap((write) => [[write, 'before'] as const, [write, 'after'] as const]))(
    'at the write "%s", %s it took effect: the next run recovers and nothing is half published',
    async (write, when) => {
      const revive = dieAt(write, when);
      await expect(stack.run()).rejects.toMatchObject({ code: 'audit_unavailable' });
      revive();
      const text = await stack.file();
      expect(text === null || text.split('\n').length === 61).toBe(true);

      stack.clock.advance(150_001);
      const { record } = await stack.run();
      const hadPublished = text !== null;
      expect(record.outcome).toBe(hadPublished ? 'unchanged' : 'published');
      expect((await stack.file())?.split('\n')).toHaveLength(61);
      expect(await objectCount()).toBe(1);

      const records = await stack.records();
      expect(records.filter(({ status: state }) => state === 'running')).toEqual([]);
      const first = records.find(({ runId }) => runId === 'run-001');
      if (write === 'begin' && when === 'before') expect(first).toBeUndefined();
      else if (write === 'finish' && when === 'after') expect(first).toMatchObject({ outcome: 'published' });
      else expect(first).toMatchObject({ status: 'error', outcome: 'failed', errorCode: 'abandoned' });
      if (first?.['errorCode'] === 'abandoned' && hadPublished) {
        expect(record.warnings.map(({ code }) => code)).toEqual(['abandoned_run_published']);
      }
      expect((await verifyStores(stack, BUCKET, stack.clock.now)).findings).toEqual([]);
    },
  );
});

describe('overlapping runs', () => {
  it('let one work and record the other as skipped', async () => {
    stack.registry.addFault({ delay_ms: 200, times: 1 });
    const [one, other] = await Promise.all([stack.run(), stack.run()]);
    expect([one.record.outcome, other.record.outcome].sort()).toEqual(['published', 'skipped']);
    const skipped = [one, other].find(({ record }) => record.outcome === 'skipped');
    expect(skipped?.record.errorCode).toBe('lease_held');
    expect(await stack.records()).toHaveLength(2);
  });

  it('many at once still publish once', async () => {
    const reports = await Promise.all(Array.from({ length: 8 }, () => stack.run()));
    expect(reports.filter(({ record }) => record.outcome === 'published')).toHaveLength(1);
    expect(await objectCount()).toBe(1);
  });

  it('a run that lost its lease publishes nothing', async () => {
    const held = stack.storage.holdNext(() => true, 'before');
    const slow = stack.run();
    await held.reached;
    await expect.poll(async () => (await stack.records()).length).toBe(1);
    stack.clock.advance(150_001);
    stack.registry.createMember();
    expect((await stack.run()).record.outcome).toBe('published');
    held.release();
    expect((await slow).record).toMatchObject({ outcome: 'failed', errorCode: 'lease_lost' });
    expect(await objectCount()).toBe(1);
    expect((await stack.db.doc('sync_state/roster').get()).data()?.['lease']).toBeNull();
  });
});

describe('another writer of the file', () => {
  const write = (text: string) =>
    stack.storageClient.bucket(BUCKET).file('kennitalas.txt').save(text, { resumable: false });

  it('that comes once between plan and upload: the run plans again and wins', async () => {
    await stack.run();
    const text = (await stack.file()) ?? '';
    stack.registry.createMember();
    const held = stack.storage.holdNext(isUpload, 'before');
    const run = stack.run();
    await held.reached;
    await write(text.slice(0, -11));
    held.release();
    const { record } = await run;
    expect(record).toMatchObject({ outcome: 'published', changes: { added: 2, removed: 0 } });
    expect((await stack.file())?.split('\n')).toHaveLength(62);
  });

  it('that comes every time: the run gives up with storage_conflict', async () => {
    stack.storage.failNext({ matches: isUpload, stage: 'before', answer: 412, times: 2 });
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'failed', errorCode: 'storage_conflict' });
    expect(await stack.file()).toBeNull();
  });

  it('cannot slip below the guard: the second plan is judged anew', async () => {
    await stack.run();
    stack.registry.createMember();
    const held = stack.storage.holdNext(isUpload, 'before');
    const run = stack.run();
    await held.reached;
    const crowd = Array.from({ length: 100 }, (_, n) => `010130${200 + n}9`).join('\n');
    await write(`${crowd}\n`);
    held.release();
    expect((await run).record).toMatchObject({ outcome: 'blocked', errorCode: 'guard_tripped' });
    expect(await stack.file()).toBe(`${crowd}\n`);
  });

  it('that is ourselves, when the answer to the first attempt was lost: that is a success', async () => {
    stack.storage.failNext({ matches: isUpload, stage: 'after', answer: 503 });
    const { record } = await stack.run();
    expect(record.outcome).toBe('published');
    expect(record.objectGeneration).toBe(String((await stack.fileMetadata()).generation));
    expect(await objectCount()).toBe(1);
  });
});

describe('a store that is down', () => {
  it('Firestore at the start: nothing is fetched or published', async () => {
    stack.firestore.failNext({ code: status.PERMISSION_DENIED, times: Number.POSITIVE_INFINITY });
    await expect(stack.run()).rejects.toMatchObject({ code: 'audit_unavailable' });
    expect(stack.logs.map(({ message }) => message)).toEqual(['[SYNC] Starting weekly member list sync...']);
    expect(await stack.file()).toBeNull();
  });

  it('Firestore that does not answer: the run ends in time', async () => {
    stack.firestore.setDelay(10_000);
    await expect(stack.run()).rejects.toMatchObject({ code: 'audit_unavailable' });
    stack.firestore.setDelay(0);
  });

  it.each([
    ['unavailable', 503, 'storage_unavailable'],
    ['forbidden', 403, 'storage_rejected'],
  ])('Storage that is %s: failed, and recorded', async (_what, answer, errorCode) => {
    stack.storage.failNext({ matches: () => true, stage: 'before', answer, times: 20 });
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'failed', errorCode });
    expect((await stack.records())[0]).toMatchObject({ outcome: 'failed', errorCode });
  });

  it('a registry that works for ever: the run ends before the function would be stopped', async () => {
    const late = { ...stack.dependencies, runLimitMs: 150 };
    stack.registry.addFault({ delay_ms: 400 });
    const report = await stack.run({ trigger: 'http' }, late);
    expect(report.record.outcome).toBe('failed');
    expect(['registry_timeout', 'deadline_exceeded']).toContain(report.record.errorCode);
  });
});
