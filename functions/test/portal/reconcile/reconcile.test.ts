import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ReconcileStack, startReconcileStack } from '../../support/stack.ts';
import { countMemberWrites, expectEqual } from './support/equality.ts';

const HOUR_MS = 3_600_000;

let stack: ReconcileStack;
beforeEach(async () => {
  stack = await startReconcileStack({ mayBeInMemory: true });
});
afterEach(async () => {
  await stack.close();
});

/** The portal equal to the registry, and everything that happened so far long ago. */
const settle = async () => {
  expect((await stack.run()).record.outcome).toBe('published');
  stack.clock.advance(HOUR_MS);
};

describe('the first reconcile', () => {
  it('loads every member, and records what it did', async () => {
    const { record } = await stack.run({
      trigger: 'schedule',
      occurrence: { job: 'j', time: '2026-11-20T04:00:00Z' },
    });
    expect(record).toMatchObject({
      mirror: 'portal',
      status: 'success',
      outcome: 'published',
      memberCount: 40,
      changes: { added: 40, removed: 0, updated: 0, unchanged: 0, quarantined: 0 },
      missedEvents: null,
      overtaken: 0,
      unfinished: null,
    });
    await expectEqual(stack);
    const [member] = (await stack.portalDocuments()).values();
    expect(member?.['metadata']).toMatchObject({ origin: 'reconcile', deleted_at: null, schema_version: 1 });
  });

  it('asks for the roster anew, since somebody joined', async () => {
    await stack.run();
    expect((await stack.db.collection('roster_refreshes').get()).size).toBe(1);
  });

  it('says what it does, with no kennitala in any message', async () => {
    await stack.run();
    expect(stack.logs.map(({ message }) => message.replace(/\d+ ms/, 'M ms'))).toEqual([
      '[SYNC] Starting reconcile of the portal...',
      '[SYNC] Received 40 members from Django',
      '[SYNC] Plan: 40 to add, 0 to remove',
      '[SYNC] Portal updated',
      '[SYNC] Sync completed successfully (40 members, M ms)',
    ]);
    const text = JSON.stringify(stack.logs);
    expect([...(await stack.portalDocuments()).keys()].filter((id) => text.includes(id))).toEqual([]);
  });
});

describe('a portal that is equal already', () => {
  it('gets no write at all', async () => {
    await settle();
    const writes = countMemberWrites(stack);
    const { record } = await stack.run();
    expect(record).toMatchObject({
      outcome: 'unchanged',
      memberCount: 40,
      changes: { added: 0, removed: 0, updated: 0, unchanged: 40 },
      missedEvents: { created: 0, updated: 0, deleted: 0 },
    });
    expect(writes()).toBe(0);
  });

  it('stays so whatever the registry does not say', async () => {
    await settle();
    stack.registry.setCompanion(false);
    const writes = countMemberWrites(stack);
    expect((await stack.run()).record.outcome).toBe('unchanged');
    expect(writes()).toBe(0);
  });
});

describe('a registry that gets the companion app', () => {
  it('changes nobody and has missed no event: the portal only notes what it says now', async () => {
    stack.registry.setCompanion(false);
    await settle();
    stack.registry.setCompanion(true);
    const writes = countMemberWrites(stack);
    expect((await stack.run()).record).toMatchObject({
      outcome: 'published',
      changes: { added: 0, removed: 0, updated: 0, unchanged: 40 },
      missedEvents: { created: 0, updated: 0, deleted: 0 },
    });
    expect(writes()).toBe(40);
    expect((await stack.run()).record.outcome).toBe('unchanged');
  });
});

describe('what no webhook brought', () => {
  it('is found, written once, counted and told', async () => {
    await settle();
    const deleted = stack.kennitalaOf(3);
    stack.registry.updateMember(1);
    stack.registry.updateMember(2, { contact_info: { phone: '5550000' }, unions: [{ name: 'VR' }] });
    stack.registry.deleteMember(3);
    stack.registry.createMember();
    stack.clock.advance(HOUR_MS);
    const writes = countMemberWrites(stack);
    const { record } = await stack.run();
    expect(record).toMatchObject({
      outcome: 'published',
      memberCount: 40,
      changes: { added: 1, removed: 1, updated: 2, unchanged: 37 },
      missedEvents: { created: 1, updated: 2, deleted: 1 },
    });
    expect(writes()).toBe(4);
    await expectEqual(stack);
    expect(await stack.memberData(deleted)).toMatchObject({
      membership: { status: 'inactive' },
      metadata: { origin: 'reconcile', deleted_at: expect.anything() },
    });
    expect(stack.logs.filter(({ severity }) => severity === 'WARNING')).toEqual([
      {
        severity: 'WARNING',
        message: '[SYNC] 4 changes were announced by no event of the registry',
        fields: expect.objectContaining({ event: 'missed_events', created: 1, updated: 2, deleted: 1 }),
      },
    ]);
    const changes = await stack.db.collection(`sync_audit/${record.runId}/changes`).get();
    expect(changes.docs.map((document) => document.get('removedKennitalas'))).toEqual([[deleted]]);
    expect((await stack.run()).record.outcome).toBe('unchanged');
  });

  it('is no loss while its event may still be on the way', async () => {
    await settle();
    stack.registry.updateMember(1);
    const justNow = { now: () => new Date() };
    const { record } = await stack.run({ trigger: 'http' }, { run: justNow, portal: justNow });
    expect(record).toMatchObject({ changes: { updated: 1 }, missedEvents: { created: 0, updated: 0 } });
    await expectEqual(stack);
  });

  it('revives a member who came back', async () => {
    await settle();
    stack.registry.deleteMember(5);
    await stack.run();
    stack.registry.restoreMember(5);
    stack.clock.advance(HOUR_MS);
    const { record } = await stack.run();
    expect(record).toMatchObject({ changes: { added: 1 }, missedEvents: { created: 1 } });
    expect(await stack.memberData(stack.kennitalaOf(5))).toMatchObject({
      membership: { status: 'active' },
      metadata: { deleted_at: null },
    });
    await expectEqual(stack);
  });
});

describe('what was changed behind the back of the metadata', () => {
  it('is mended, and is no missed event', async () => {
    await settle();
    await stack.documentOf(stack.kennitalaOf(7)).update({ 'profile.name': 'Somebody else' });
    stack.clock.advance(HOUR_MS);
    const { record } = await stack.run();
    expect(record).toMatchObject({ changes: { updated: 1 }, missedEvents: { updated: 0 } });
    await expectEqual(stack);
  });

  it('waits while it may be an edit that has not reached the queue', async () => {
    await settle();
    await stack.documentOf(stack.kennitalaOf(7)).update({ 'profile.email': 'mine@postur.example' });
    const justNow = { now: () => new Date() };
    const { record } = await stack.run({ trigger: 'http' }, { run: justNow, portal: justNow });
    expect(record).toMatchObject({ outcome: 'unchanged', findings: { editsUnderWay: 1 } });
    expect((await stack.memberData(stack.kennitalaOf(7)))?.['profile'].email).toBe('mine@postur.example');
  });

  it('is a document without metadata too, of whoever wrote the portal before', async () => {
    await settle();
    const kennitala = stack.kennitalaOf(8);
    const data = await stack.memberData(kennitala);
    await stack.documentOf(kennitala).set({ profile: data?.['profile'], membership: data?.['membership'] });
    stack.clock.advance(HOUR_MS);
    expect((await stack.run()).record.changes).toMatchObject({ updated: 1 });
    expect((await stack.memberData(kennitala))?.['metadata']).toEqual(
      data?.['metadata'] && {
        ...data['metadata'],
        // The registry shows version 0, of a member without an event, which is as good as none.
        source_version: null,
        // A document that is so new may be a registration, of whose consents nobody has heard.
        heard: expect.anything(),
        synced_at: expect.anything(),
        last_modified: expect.anything(),
      },
    );
    expect((await stack.run()).record.outcome).toBe('unchanged');
  });
});

describe('who is left alone', () => {
  it('a member whose own edit waits for delivery keeps it', async () => {
    await settle();
    const kennitala = stack.kennitalaOf(9);
    await stack.documentOf(kennitala).update({ 'profile.email': 'mine@postur.example' });
    await stack.db
      .collection('sync_queue')
      .doc()
      .set({
        kennitala,
        sync_status: 'pending',
        edited_at: stack.clock.now(),
        changes: { 'profile.email': { old_value: 'old', new_value: 'mine@postur.example' } },
      });
    stack.registry.updateMember(9, { contact_info: { phone: '5559999' } });
    stack.clock.advance(HOUR_MS);
    expect((await stack.run()).record.changes).toMatchObject({ updated: 1 });
    expect((await stack.memberData(kennitala))?.['profile']).toMatchObject({
      email: 'mine@postur.example',
      phone: '5559999',
    });
    expect((await stack.run()).record.outcome).toBe('unchanged');
  });

  it('a member who cannot be read keeps what the portal has, and is named by reference and reason', async () => {
    await settle();
    const kennitala = stack.kennitalaOf(4);
    stack.registry.updateMember(4, { gender: 17 });
    const before = await stack.memberData(kennitala);
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'unchanged', changes: { removed: 0, quarantined: 1 } });
    expect(await stack.memberData(kennitala)).toEqual(before);
    expect(record.warnings).toEqual([
      {
        code: 'quarantined_members',
        message: expect.stringMatching(
          /^1 member cannot be read: left as they are\. m_[0-9a-f]{16}: gender is not of the agreed form\.$/,
        ),
      },
    ]);
  });

  it.each([
    ['half a character in a name', { name: 'Jón \ud83d' }, 'name cannot be stored as it is written'],
    [
      'a null byte in an address',
      { local_address: { city: 'a\0b' } },
      'local_address.city cannot be stored as it is written',
    ],
    ['a name of 1.2 MB', { name: 'J'.repeat(1_200_000) }, 'name cannot be stored as it is written'],
    [
      'a joining before the year 1 in UTC',
      { date_joined: '0001-01-01T00:00:00+02:00' },
      'date_joined lies outside the years 1 to 9999',
    ],
    [
      'a joining after the year 9999 in UTC',
      { date_joined: '9999-12-31T23:59:59-02:00' },
      'date_joined lies outside the years 1 to 9999',
    ],
  ])('a member with %s: they are named, and the others are written', async (_what, values, reason) => {
    stack.registry.updateMember(4, values);
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'published', changes: { added: 39, quarantined: 1 } });
    expect(record.warnings[0]?.message).toMatch(new RegExp(`m_[0-9a-f]{16}: ${reason}\\.$`));
    expect((await stack.portalDocuments()).size).toBe(39);
    expect((await stack.run()).record).toMatchObject({ outcome: 'unchanged', changes: { quarantined: 1 } });
  });

  it('a placeholder of the registry never becomes a member', async () => {
    await stack.close();
    stack = await startReconcileStack({ placeholders: 3, mayBeInMemory: true });
    const { record } = await stack.run();
    expect(record).toMatchObject({ memberCount: 40, findings: { received: 43, placeholders: 3 } });
    await expectEqual(stack);
  });

  it('a member whose number is a legal entity’s or names a day that no month has: written, counted and shown', async () => {
    const renumber = (id: number, change: object) => stack.registry.updateMember(id, change);
    renumber(2, { ssn: '4000000009' });
    renumber(3, { ssn: '0001000009' });
    renumber(4, { ssn: '5101000009' });
    const { record } = await stack.run();
    expect(record).toMatchObject({
      outcome: 'published',
      memberCount: 40,
      findings: { legalEntities: 2, impossibleDates: 2, quarantined: 0 },
    });
    expect(record.warnings).toEqual([
      {
        code: 'legal_entities',
        message: '2 members have the number of a legal entity; a person should look.',
      },
      {
        code: 'impossible_dates',
        message: '2 members have a number with a day that no month has; a person should look.',
      },
    ]);
    expect((await stack.portalDocuments()).size).toBe(40);
  });

  it('a newer version than the pages show, with a warning when that cannot be a webhook', async () => {
    await settle();
    const kennitala = stack.kennitalaOf(6);
    await stack.documentOf(kennitala).update({ 'metadata.source_version': 999, 'profile.name': 'Newer' });
    stack.clock.advance(HOUR_MS);
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'unchanged', findings: { ahead: 1 } });
    expect(record.warnings.map(({ code }) => code)).toEqual(['versions_went_back']);
    expect((await stack.memberData(kennitala))?.['profile'].name).toBe('Newer');
  });

  it('a document that is no member’s', async () => {
    await settle();
    await stack.documentOf('not-a-kennitala').set({ note: 1 });
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'unchanged' });
    expect(record.warnings.map(({ code }) => code)).toEqual(['unknown_documents']);
    expect(await stack.memberData('not-a-kennitala')).toEqual({ note: 1 });
  });
});

describe('a dry run', () => {
  it('answers the plan with its cost and time, and writes nothing but its record', async () => {
    const writes = countMemberWrites(stack);
    const { record, forecast } = await stack.run({ trigger: 'http', dryRun: true });
    expect(record).toMatchObject({ outcome: 'dry-run', changes: { added: 40 }, guard: { tripped: false } });
    expect(forecast).toMatchObject({ firestoreWrites: 48, seconds: 1 });
    expect(writes()).toBe(0);
    const again = await stack.run({ trigger: 'http', dryRun: true });
    expect(again.record.planId).toBe(record.planId);
  });

  it('has another plan id when the registry or the portal has moved', async () => {
    await settle();
    stack.registry.updateMember(1);
    const planId = async () => (await stack.run({ trigger: 'http', dryRun: true })).record.planId;
    const first = await planId();
    stack.registry.updateMember(2);
    const second = await planId();
    await stack.documentOf(stack.kennitalaOf(3)).update({ 'profile.name': 'Drift' });
    expect(new Set([first, second, await planId()]).size).toBe(3);
  });
});

describe('members whom the portal holds ahead of the registry', () => {
  const takeAhead = async (...ids: number[]) => {
    for (const id of ids) {
      const member = stack.documentOf(stack.kennitalaOf(id));
      await member.update({ 'metadata.source_version': 90_000 + id, 'profile.name': 'Of an old queue' });
    }
  };
  const namesOf = (...ids: number[]) =>
    Promise.all(
      ids.map(
        async (id) => (await stack.memberData(stack.kennitalaOf(id)))?.['profile'].name === 'Of an old queue',
      ),
    );

  it('are counted and left alone, until its word is taken about one, or about all', async () => {
    await settle();
    await takeAhead(1, 2, 3);
    const ordinary = await stack.run();
    expect(ordinary.record).toMatchObject({ outcome: 'unchanged', findings: { ahead: 3, takenBack: 0 } });
    expect(await namesOf(1, 2, 3)).toEqual([true, true, true]);

    const dry = await stack.run({ trigger: 'http', dryRun: true }, { portal: { takesWordOf: 'all' } });
    expect(dry.record).toMatchObject({ outcome: 'dry-run', changes: { updated: 3 } });
    const one = await stack.run(undefined, { portal: { takesWordOf: stack.kennitalaOf(2) } });
    expect(one.record).toMatchObject({ outcome: 'published', findings: { ahead: 2, takenBack: 1 } });
    expect(await namesOf(1, 2, 3)).toEqual([true, false, true]);

    const all = await stack.run(undefined, { portal: { takesWordOf: 'all' } });
    expect(all.record).toMatchObject({
      outcome: 'published',
      changes: { updated: 2 },
      missedEvents: { created: 0, updated: 0, deleted: 0 },
    });
    expect((await stack.run()).record).toMatchObject({ outcome: 'unchanged', findings: { ahead: 0 } });
    await expectEqual(stack);
  });

  it('are asked about when they are more than the guard lets through', async () => {
    await settle();
    await takeAhead(...Array.from({ length: 30 }, (_, n) => n + 1));
    const limits = { ...stack.dependencies.limits, changedFloor: 5 };
    const given = { portal: { takesWordOf: 'all' as const }, run: { limits } };
    const refused = await stack.run(undefined, given);
    expect(refused.record).toMatchObject({ outcome: 'blocked' });
    const approve = { planId: refused.record.planId ?? '', operator: 'Tester', reason: 'moved' };
    // The approval is of that plan: a run that does not take the word makes another.
    expect((await stack.run({ trigger: 'http', approve })).record.errorCode).toBe('plan_changed');
    expect((await stack.run({ trigger: 'http', approve }, given)).record.outcome).toBe('published');
    await expectEqual(stack);
  });
});

describe('hints', () => {
  it('that are older than the run are decided by it, and younger ones left to who follows them', async () => {
    await settle();
    const [old, young] = [stack.kennitalaOf(1), stack.kennitalaOf(2)];
    const keep = (kennitala: typeof old, at: Date) =>
      stack.hints.keep({
        kennitala,
        action: 'update',
        payload: null,
        token: 't',
        at,
        eventId: null,
        member: 'm_0',
      });
    await keep(old, new Date(stack.clock.now().getTime() - HOUR_MS));
    await keep(young, stack.clock.now());
    expect((await stack.run({ trigger: 'http', dryRun: true })).record.outcome).toBe('dry-run');
    expect(await stack.hints.read(old)).not.toBeNull();
    await stack.run();
    expect(await stack.hints.read(old)).toBeNull();
    expect(await stack.hints.read(young)).not.toBeNull();
  });
});
