import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makePortalWriter } from '../../../src/adapters/firestore/portal-documents.ts';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { parseMemberChange } from '../../../src/domain/member/member-change.ts';
import { answerRun, assertOccurrenceDone } from '../../../src/mirror/run-answer.ts';
import { applyVersionedEvent } from '../../../src/portal/apply-event.ts';
import type { PortalWriter } from '../../../src/portal/ports.ts';
import type { MemberPagesOptions } from '../../../src/registry/ports.ts';
import { type ReconcileStack, startReconcileStack, takingOnly } from '../../support/stack.ts';
import { countMemberWrites, expectEqual } from './support/equality.ts';

const HOUR_MS = 3_600_000;

let stack: ReconcileStack;
beforeEach(async () => {
  stack = await startReconcileStack();
});
afterEach(async () => {
  await stack.close();
});

const settle = async () => {
  await stack.run();
  stack.clock.advance(HOUR_MS);
};

/** The event of the member's last change, as its webhook would bring it. */
const deliver = async (id: number, action: 'create' | 'update' | 'delete', version: number) => {
  const kennitala = stack.kennitalaOf(id);
  const data = action === 'delete' ? null : { ...stack.registry.member(id), version };
  const event = { kennitala, action, data, version, occurred_at: stack.clock.now().toISOString() };
  const { registry, reference, now } = stack.portal;
  return applyVersionedEvent(parseMemberChange(event), `msg_${version}`, {
    members: stack.members,
    registry,
    reference,
    now,
  });
};

/** Something that happens between the plan and its writes. */
const beforeWriting = (happen: () => Promise<unknown>): { portal: { writer: PortalWriter } } => ({
  portal: {
    writer: {
      write: async (writes, options) => {
        await happen();
        await stack.portal.writer.write(writes, options);
      },
    },
  },
});

/** Something that happens while the registry is read: after the first page was fetched, before it is looked at. */
const whileReading = (happen: () => Promise<unknown>) => ({
  portal: {
    pages: {
      pages: async function* (options: MemberPagesOptions) {
        let isFirst = options.modifiedSince === undefined;
        for await (const page of stack.portal.pages.pages(options)) {
          if (isFirst) await happen();
          isFirst = false;
          yield page;
        }
      },
    },
  },
});

describe('a webhook that lands meanwhile', () => {
  it('between plan and writing wins, and is no failure', async () => {
    await settle();
    stack.registry.updateMember(1, { name: 'Planned' });
    const { record } = await stack.run(
      { trigger: 'http' },
      beforeWriting(async () => {
        const { version } = stack.registry.updateMember(1, { name: 'Newer' });
        await deliver(1, 'update', version);
      }),
    );
    expect(record).toMatchObject({
      outcome: 'published',
      overtaken: 1,
      missedEvents: { created: 0, updated: 0, deleted: 0 },
    });
    const member = await stack.memberData(stack.kennitalaOf(1));
    expect(member).toMatchObject({ profile: { name: 'Newer' }, metadata: { origin: 'registry' } });
    await expectEqual(stack);
  });

  it('between plan and writing wins with a create and with a delete', async () => {
    await settle();
    const created = stack.registry.createMember();
    const { version } = stack.registry.deleteMember(2);
    const { record } = await stack.run(
      { trigger: 'http' },
      beforeWriting(async () => {
        await deliver(created.id, 'create', created.version);
        await deliver(2, 'delete', version);
      }),
    );
    expect(record).toMatchObject({ outcome: 'published', overtaken: 2, changes: { added: 1, removed: 1 } });
    expect((await stack.memberData(stack.kennitalaOf(2)))?.['metadata']).toMatchObject({
      origin: 'registry',
      source_version: version,
    });
    await expectEqual(stack);
  });

  it('while the registry is read wins over the older page', async () => {
    await settle();
    stack.registry.updateMember(1, { name: 'On the page' });
    const { record } = await stack.run(
      { trigger: 'http' },
      whileReading(async () => {
        const { version } = stack.registry.updateMember(1, { name: 'Newer' });
        await deliver(1, 'update', version);
      }),
    );
    expect(record).toMatchObject({ outcome: 'unchanged', findings: { overtaken: 1, ahead: 0 } });
    await expectEqual(stack);
  });

  it('wins so too where nothing carries a version', async () => {
    await settle();
    stack.registry.setCompanion(false);
    const kennitala = stack.kennitalaOf(1);
    await stack.run(
      { trigger: 'http' },
      whileReading(() => stack.documentOf(kennitala).update({ 'profile.name': 'Newer' })),
    );
    expect((await stack.memberData(kennitala))?.['profile'].name).toBe('Newer');
  });

  it('brings a member who is on no page yet, and they stay', async () => {
    await settle();
    let id = 0;
    await stack.run(
      { trigger: 'http' },
      whileReading(async () => {
        const created = stack.registry.createMember();
        id = created.id;
        await deliver(id, 'create', created.version);
      }),
    );
    expect((await stack.memberData(stack.kennitalaOf(id)))?.['membership'].status).toBe('active');
    await expectEqual(stack);
  });

  it('and the member’s own client, whose edit is not overwritten by a plan made before it', async () => {
    await settle();
    stack.registry.updateMember(1, { name: 'Planned' });
    const kennitala = stack.kennitalaOf(1);
    const { record } = await stack.run(
      { trigger: 'http' },
      beforeWriting(() => stack.documentOf(kennitala).update({ 'profile.email': 'mine@postur.example' })),
    );
    expect(record).toMatchObject({ overtaken: 1 });
    expect((await stack.memberData(kennitala))?.['profile'].email).toBe('mine@postur.example');
  });
});

describe('a run whose differences are too many to keep', () => {
  const few = { portal: { keptWrites: 5 } };

  it('reads the registry again and writes the same', async () => {
    expect((await stack.run({ trigger: 'http' }, few)).record).toMatchObject({ memberCount: 40 });
    await expectEqual(stack);
    stack.clock.advance(HOUR_MS);
    for (const id of [1, 2, 3, 4, 5, 6, 7]) stack.registry.updateMember(id);
    stack.registry.deleteMember(8);
    const writes = countMemberWrites(stack);
    expect((await stack.run({ trigger: 'http' }, few)).record).toMatchObject({
      changes: { updated: 7, removed: 1 },
      missedEvents: { updated: 7, deleted: 1 },
      overtaken: 0,
    });
    expect(writes()).toBe(8);
    await expectEqual(stack);
  });

  it('leaves to the next run what changed between the readings', async () => {
    const { record } = await stack.run(
      { trigger: 'http' },
      {
        portal: {
          ...few.portal,
          ...beforeWriting(async () => {
            stack.registry.updateMember(1, { name: 'Newer' });
            stack.registry.deleteMember(2);
          }).portal,
        },
      },
    );
    expect(record).toMatchObject({ outcome: 'published', memberCount: 38, overtaken: 2 });
    expect((await stack.run()).record).toMatchObject({ changes: { added: 1 } });
    await expectEqual(stack);
  });
});

describe('a run that does not finish', () => {
  const cutShort = (count: number): { portal: { writer: PortalWriter } } => ({
    portal: { writer: takingOnly(count, stack.portal.writer) },
  });

  it('says how much is left, and the next ones go on until the portal is equal', async () => {
    const first = await stack.run({ trigger: 'http' }, cutShort(5));
    expect(first.record).toMatchObject({
      status: 'error',
      outcome: 'partial',
      errorCode: 'deadline_exceeded',
      memberCount: 5,
      unfinished: { added: 35, removed: 0, updated: 0 },
    });
    expect((await stack.db.doc('sync_state/portal').get()).data()).toMatchObject({
      lease: null,
      unfinished: { added: 35 },
    });
    expect(() => assertOccurrenceDone(first)).toThrow(/ended partial/);
    expect(() => answerRun(first, {})).toThrow(
      expect.objectContaining({ code: 'deadline_exceeded', httpStatus: 503, retryable: true }),
    );
    const second = await stack.run({ trigger: 'http' }, cutShort(10));
    expect(second.record).toMatchObject({ outcome: 'partial', memberCount: 15, changes: { added: 35 } });
    expect((await stack.run()).record).toMatchObject({ outcome: 'published', memberCount: 40 });
    expect((await stack.db.doc('sync_state/portal').get()).get('unfinished')).toBeNull();
    await expectEqual(stack);
  });

  it('is judged by the guard for what comes on top of what was let through', async () => {
    await stack.close();
    stack = await startReconcileStack({ members: 400 });
    await stack.run({ trigger: 'http' }, cutShort(50));
    for (let n = 0; n < 51; n += 1) stack.registry.createMember();
    const dry = await stack.run({ trigger: 'http', dryRun: true });
    expect(dry.record.guard?.findings).toEqual([{ rule: 'added_share', count: 51, allowed: 50 }]);
    stack.registry.deleteMember(400);
    expect((await stack.run()).record).toMatchObject({ outcome: 'published', memberCount: 450 });
    await expectEqual(stack);
  });

  it('because the store failed: the next one ends equal', async () => {
    stack.firestore.failNext({ method: 'batchWrite', code: status.PERMISSION_DENIED });
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'failed', errorCode: 'store_unavailable' });
    expect((await stack.run()).record.outcome).toBe('published');
    await expectEqual(stack);
  });

  it('because its process died in the middle of the writing: the next one ends equal', async () => {
    let batches = 0;
    const disarm = stack.firestore.failNext({
      code: status.PERMISSION_DENIED,
      times: Number.POSITIVE_INFINITY,
      matches: (_request, method) => {
        if (method === 'batchWrite') batches += 1;
        return batches > 1;
      },
    });
    await expect(stack.run()).rejects.toMatchObject({ code: 'audit_unavailable' });
    disarm();
    const half = (await stack.portalDocuments()).size;
    expect(half).toBeGreaterThan(0);
    expect(half).toBeLessThan(40);
    expect((await stack.run()).record.outcome).toBe('skipped');
    stack.clock.advance(150_001);
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'published', changes: { added: 40 - half, unchanged: half } });
    await expectEqual(stack);
    expect((await stack.db.doc('sync_audit/run-001').get()).data()).toMatchObject({
      outcome: 'failed',
      errorCode: 'abandoned',
      changes: { added: 40 },
    });
  });

  it('because the answers to its writes were lost: the writes count as its own', async () => {
    stack.firestore.failNext({ method: 'batchWrite', code: status.UNAVAILABLE, when: 'after' });
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'published', memberCount: 40, overtaken: 0 });
    await expectEqual(stack);
  });
});

describe('the writer', () => {
  it('takes no further write once the time is up, and finishes those that it took', async () => {
    await settle();
    const ended = new AbortController();
    const [first] = await stack.portalDocuments();
    const seen = await stack.members.read(first?.[0] as Kennitala);
    if (seen.stored === null) throw new Error('There is no member.');
    const { member, meta } = seen.stored;
    let taken = 0;
    let settled = 0;
    const writes = async function* () {
      for (let n = 0; n < 5_000; n += 1) {
        taken += 1;
        const kennitala = `0101${String(n).padStart(4, '0')}99` as Kennitala;
        yield {
          kennitala,
          member,
          meta: { ...meta, source_hash: 'x', origin: 'reconcile' as const },
          ifState: null,
        };
      }
    };
    await makePortalWriter(async () => stack.db, { throttling: false }).write(writes(), {
      at: new Date(),
      signal: ended.signal,
      onSettled: () => {
        settled += 1;
        ended.abort();
      },
    });
    expect(settled).toBe(taken);
    expect(taken).toBeLessThan(5_000);
  });
});
