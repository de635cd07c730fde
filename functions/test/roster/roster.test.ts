import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf, makeMemberList } from '../../src/domain/kennitala-list.ts';
import { type RosterStack, startRosterStack } from '../support/stack.ts';
import { verifyStores } from '../support/verify.ts';

let stack: RosterStack;
beforeEach(async () => {
  stack = await startRosterStack();
});
afterEach(async () => {
  await stack.close();
});

const linesIn = (text: string | null) => text?.split('\n').slice(0, -1) ?? [];

/** The members as the registry's own export says them, in canonical form. */
const membersOf = async () => {
  const answer = await fetch(`${stack.registry.url}/api/members/kennitalas/`, {
    headers: { authorization: 'Token token-of-the-tests' },
  });
  const { kennitalas } = (await answer.json()) as { kennitalas: string[] };
  return [...makeMemberList(kennitalas).kennitalas];
};

const deleteMembers = (count: number) => {
  for (let n = 0; n < count; n += 1) stack.registry.deleteMember(stack.registry.randomMember());
};

describe('the weekly run', () => {
  it('publishes the registry list: sorted, one a line, every line ended, with metadata and a record', async () => {
    const { record } = await stack.run({
      trigger: 'schedule',
      occurrence: { job: 'j', time: '2026-11-23T03:00:00Z' },
    });
    const members = await membersOf();
    expect(await stack.file()).toBe(`${members.join('\n')}\n`);
    expect(record).toMatchObject({
      status: 'success',
      outcome: 'published',
      memberCount: 60,
      changes: { added: 60, removed: 0, updated: 0, unchanged: 0, quarantined: 0 },
      sha256: digestOf(makeMemberList(members).kennitalas),
      source: 'django-api',
      trigger: 'schedule',
    });
    const { metadata, contentType, generation } = await stack.fileMetadata();
    expect(contentType).toBe('text/plain; charset=utf-8');
    expect(record.objectGeneration).toBe(String(generation));
    expect(metadata).toMatchObject({
      memberCount: '60',
      source: 'django-api',
      sha256: record.sha256,
      runId: record.runId,
      syncedAt: record.timestamp.toISOString(),
      djangoExportedAt: record.djangoExportedAt?.toISOString(),
    });
    const [stored] = await stack.records();
    expect(stored).toMatchObject({
      runId: record.runId,
      status: 'success',
      outcome: 'published',
      memberCount: 60,
    });
    expect(stored?.['expireAt'].toDate().getUTCFullYear()).toBe(record.timestamp.getUTCFullYear() + 1);
  });

  it('keeps the lists of who was added and removed in the restricted part of the record', async () => {
    await stack.run();
    const before = linesIn(await stack.file());
    deleteMembers(2);
    stack.registry.createMember();
    const { record } = await stack.run();
    const after = linesIn(await stack.file());
    const changes = await stack.db.collection(`sync_audit/${record.runId}/changes`).get();
    expect(changes.docs.map((document) => document.data())).toEqual([
      {
        addedKennitalas: after.filter((kennitala) => !before.includes(kennitala)),
        removedKennitalas: before.filter((kennitala) => !after.includes(kennitala)),
        expireAt: (await stack.records())[1]?.['expireAt'],
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    expect(record.changes).toMatchObject({ added: 1, removed: 2, unchanged: 58 });
  });

  it('makes no new version of an equal list, but notes that it was checked', async () => {
    const first = await stack.run();
    stack.clock.advance(60_000);
    const second = await stack.run();
    expect(second.record).toMatchObject({
      outcome: 'unchanged',
      objectGeneration: first.record.objectGeneration,
    });
    const { metadata, generation } = await stack.fileMetadata();
    expect(String(generation)).toBe(first.record.objectGeneration);
    expect(metadata?.['syncedAt']).toBe(second.record.timestamp.toISOString());
    expect(metadata?.['runId']).toBe(second.record.runId);
    expect((await stack.db.collection(`sync_audit/${second.record.runId}/changes`).get()).size).toBe(0);
  });

  it('says what it does in messages that the runbook quotes, without a kennitala in any of them', async () => {
    await stack.run();
    expect(stack.logs.map(({ message }) => message.replace(/\d+ ms/, 'M ms'))).toEqual([
      '[SYNC] Starting weekly member list sync...',
      '[SYNC] Received 60 kennitalas from Django',
      '[SYNC] Plan: 60 to add, 0 to remove',
      '[SYNC] Upload complete',
      '[SYNC] Sync completed successfully (60 members, M ms)',
    ]);
    expect(stack.logs.every(({ fields }) => fields['runId'] === 'run-001')).toBe(true);
    const text = JSON.stringify(stack.logs);
    expect(linesIn(await stack.file()).some((kennitala) => text.includes(kennitala))).toBe(false);
  });

  it('is skipped when the same occurrence is delivered again, but not when it failed before', async () => {
    const occurrence = { job: 'j', time: '2026-11-23T03:00:00Z' };
    stack.registry.addFault({ status: 404, times: 1 });
    expect((await stack.run({ trigger: 'schedule', occurrence })).record.outcome).toBe('failed');
    expect((await stack.run({ trigger: 'schedule', occurrence })).record.outcome).toBe('published');
    const third = await stack.run({ trigger: 'schedule', occurrence });
    expect(third.record).toMatchObject({ outcome: 'skipped', errorCode: 'already_done' });
    expect(
      (await stack.run({ trigger: 'schedule', occurrence: { ...occurrence, time: 'another' } })).record
        .outcome,
    ).toBe('unchanged');
  });

  it('replaces a file that somebody edited by hand', async () => {
    await stack.run();
    const text = (await stack.file()) ?? '';
    await stack.storageClient
      .bucket('demo-ekklesia.appspot.com')
      .file('kennitalas.txt')
      .save(`${text}a note\r\n`, { resumable: false });
    const { record } = await stack.run();
    expect(record.outcome).toBe('published');
    expect(record.warnings.map(({ code }) => code)).toEqual(['published_list_edited']);
    expect(await stack.file()).toBe(text);
  });
});

describe('a first run that finds a list which nobody here has published', () => {
  const put = (kennitalas: readonly string[]) =>
    stack.storageClient
      .bucket('demo-ekklesia.appspot.com')
      .file('kennitalas.txt')
      .save(`${kennitalas.join('\n')}\n`, { resumable: false });

  it('makes it equal to the registry, and says what it changed', async () => {
    const members = await membersOf();
    await put(members.slice(1));
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'published', changes: { added: 1, removed: 0, unchanged: 59 } });
    expect(record.previousGeneration).not.toBeNull();
    expect(linesIn(await stack.file())).toEqual(members);
    expect((await stack.db.doc(`sync_audit/${record.runId}/changes/0`).get()).data()).toMatchObject({
      addedKennitalas: [members[0]],
    });
    expect((await verifyStores(stack, 'demo-ekklesia.appspot.com')).findings).toEqual([]);
  });

  it('refuses to take more from it than the guard lets through, by a plan that a person can approve', async () => {
    const members = await membersOf();
    deleteMembers(20);
    await put(members);
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'blocked', changes: { removed: 20 } });
    expect(linesIn(await stack.file())).toEqual(members);
    const approve = { planId: record.planId ?? '', operator: 'Operator', reason: 'A branch left the party' };
    expect((await stack.run({ trigger: 'http', approve })).record.outcome).toBe('published');
  });

  it('is refused by a plan that knows that list, where the export itself is doubtful', async () => {
    await put(await membersOf());
    stack.registry.addFault({ unreadable: 20 });
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'blocked' });
    expect(record.previousGeneration).not.toBeNull();
  });
});

describe('the guard', () => {
  it('refuses a truncated list, changes nothing, and raises an error', async () => {
    await stack.run();
    const before = await stack.file();
    stack.registry.addFault({ drop: 20 });
    const { record } = await stack.run();
    expect(record).toMatchObject({ status: 'error', outcome: 'blocked', errorCode: 'guard_tripped' });
    expect(await stack.file()).toBe(before);
    expect(stack.logs.findLast(({ severity }) => severity === 'ERROR')?.message).toBe(
      '[SYNC] Sync blocked: 20 members would be removed, 10 allowed (removed_share). Nothing was changed.',
    );
    expect((await stack.records()).at(-1)).toMatchObject({ outcome: 'blocked', planId: record.planId });
  });

  it('refuses it too when the published file has gone', async () => {
    await stack.run();
    await stack.storageClient.bucket('demo-ekklesia.appspot.com').file('kennitalas.txt').delete();
    stack.registry.addFault({ drop: 20 });
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'blocked' });
    expect(record.warnings.map(({ code }) => code)).toEqual(['published_list_missing']);
    expect(await stack.file()).toBeNull();
  });
});

describe('the forecast', () => {
  it('is of every request that a run makes of Cloud Storage', async () => {
    await stack.run();
    stack.registry.createMember();
    const { forecast } = await stack.run({ trigger: 'http', dryRun: true });
    const asked: string[] = [];
    stack.storage.failNext({
      stage: 'before',
      answer: 503,
      matches: ({ method }) => {
        asked.push(method);
        return false;
      },
    });
    expect((await stack.run()).record.outcome).toBe('published');
    expect(asked.sort()).toEqual(['GET', 'POST']);
    expect(forecast).toMatchObject({ storageClassA: 1, storageClassB: 1 });
  });
});

describe('a dry run and its approval', () => {
  it('answers the plan and the forecast, writes nothing but its record, and takes no lease', async () => {
    const { record, forecast } = await stack.run({ trigger: 'http', dryRun: true });
    expect(record).toMatchObject({ outcome: 'dry-run', changes: { added: 60 }, guard: { tripped: false } });
    expect(record.planId).toMatch(/^[0-9a-f]{64}$/);
    expect(forecast?.costUsd).toBeGreaterThan(0);
    expect(await stack.file()).toBeNull();
    expect((await stack.db.collection('sync_state').doc('roster').get()).exists).toBe(false);
    expect(await stack.records()).toHaveLength(1);
  });

  it('lets exactly the approved plan through, and records who and why', async () => {
    await stack.run();
    deleteMembers(20);
    const { record: dry } = await stack.run({ trigger: 'http', dryRun: true });
    expect(dry.guard?.tripped).toBe(true);
    const approve = { planId: dry.planId ?? '', operator: 'Operator', reason: 'A branch left the party' };
    const { record } = await stack.run({ trigger: 'http', approve, requestedBy: 'uid-1' });
    expect(record).toMatchObject({
      outcome: 'published',
      memberCount: 40,
      planId: dry.planId,
      approvedBy: 'Operator',
      reason: 'A branch left the party',
      requestedBy: 'uid-1',
    });
    expect(linesIn(await stack.file())).toEqual(await membersOf());
  });

  it.each([
    ['the registry has changed', () => deleteMembers(1)],
    [
      'the published list has changed',
      async () => {
        await stack.storageClient
          .bucket('demo-ekklesia.appspot.com')
          .file('kennitalas.txt')
          .save('0101302989\n', { resumable: false });
      },
    ],
  ])('applies nothing when %s since', async (_what, change) => {
    await stack.run();
    deleteMembers(20);
    const { record: dry } = await stack.run({ trigger: 'http', dryRun: true });
    await change();
    const before = await stack.file();
    const approve = { planId: dry.planId ?? '', operator: 'Operator', reason: 'why' };
    const { record } = await stack.run({ trigger: 'http', approve });
    expect(record).toMatchObject({ outcome: 'skipped', errorCode: 'plan_changed' });
    expect(await stack.file()).toBe(before);
  });
});
