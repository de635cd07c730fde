import { status } from '@grpc/grpc-js';
import { Timestamp } from 'firebase-admin/firestore';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import { answerWebhook } from '../../src/portal/receive-webhook.ts';
import { event, eventId, resultOf, signed, someone } from '../support/registry-events.ts';
import { startWebhookStack, type WebhookStack } from '../support/stack.ts';

let stack: WebhookStack;
beforeAll(async () => {
  stack = await startWebhookStack({ mayBeInMemory: true });
});
afterAll(async () => {
  await stack.close();
});

describe('an event of a member', () => {
  it('creates, changes and deletes the portal document, and answers with an opaque reference', async () => {
    const kennitala = someone();
    const created = await resultOf(
      stack.deliver(eventId(), event(kennitala, 1, 'create', { contact_info: { email: 'a@b.is' } })),
    );
    expect(created).toMatchObject({ status: 200, success: true, result: 'applied', action: 'create' });
    expect(created['member']).toMatch(/^m_[0-9a-f]{16}$/);
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { kennitala, name: 'Generated Person', email: 'a@b.is', reachable: false },
      membership: { status: 'active' },
      metadata: { source_version: 1, origin: 'registry', deleted_at: null, schema_version: 1 },
    });
    await stack.deliver(eventId(), event(kennitala, 2, 'update', { contact_info: { email: 'c@d.is' } }));
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { email: 'c@d.is' },
      metadata: { source_version: 2 },
    });
    expect(await resultOf(stack.deliver(eventId(), event(kennitala, 3, 'delete')))).toMatchObject({
      result: 'applied',
    });
    const gone = await stack.member(kennitala);
    expect(gone).toMatchObject({ membership: { status: 'inactive' }, metadata: { source_version: 3 } });
    expect(gone?.['metadata'].deleted_at).toBeInstanceOf(Timestamp);
  });

  it('is applied once: a repetition gets the first answer and writes nothing', async () => {
    const kennitala = someone();
    const id = eventId();
    const first = await resultOf(stack.deliver(id, event(kennitala, 1, 'create')));
    await stack.deliver(eventId(), event(kennitala, 2, 'update', { name: 'Renamed Person' }));
    const again = await resultOf(stack.deliver(id, event(kennitala, 1, 'create')));
    expect(again).toEqual({ ...first, result: 'duplicate' });
    expect(await stack.member(kennitala)).toMatchObject({ profile: { name: 'Renamed Person' } });
  });

  it.each([
    ['an older update', 'update', 4],
    ['an update of the same version', 'update', 5],
    ['an older delete', 'delete', 4],
    ['an older create', 'create', 1],
  ])('%s is stale', async (_what, action, version) => {
    const kennitala = someone();
    await stack.deliver(eventId(), event(kennitala, 5, 'create'));
    const before = await stack.member(kennitala);
    expect(
      await resultOf(stack.deliver(eventId(), event(kennitala, version, action, { name: 'Late Person' }))),
    ).toMatchObject({
      status: 200,
      result: 'stale',
    });
    expect(await stack.member(kennitala)).toEqual(before);
  });

  it('a delete of a member that was never seen leaves a tombstone, which a late update cannot revive', async () => {
    const kennitala = someone();
    await stack.deliver(eventId(), event(kennitala, 7, 'delete'));
    expect(await resultOf(stack.deliver(eventId(), event(kennitala, 6)))).toMatchObject({ result: 'stale' });
    expect(await stack.member(kennitala)).toMatchObject({ membership: { status: 'inactive' } });
    expect(await resultOf(stack.deliver(eventId(), event(kennitala, 8, 'create')))).toMatchObject({
      result: 'applied',
    });
    expect(await stack.member(kennitala)).toMatchObject({
      membership: { status: 'active' },
      metadata: { deleted_at: null },
    });
  });

  it('ends in the newest version when fifty come at once in any order', async () => {
    const kennitala = someone();
    const versions = Array.from({ length: 50 }, (_, n) => n + 1).sort(
      (a, b) => ((a * 37) % 50) - ((b * 37) % 50),
    );
    const answers = await Promise.all(
      versions.map((version) =>
        stack.deliver(eventId(), event(kennitala, version, 'update', { name: `Person ${version}` })),
      ),
    );
    for (const [n, answer] of answers.entries()) {
      if (answer.status === 503)
        expect(
          (
            await stack.deliver(
              eventId(),
              event(kennitala, versions[n] ?? 0, 'update', { name: `Person ${versions[n]}` }),
            )
          ).status,
        ).toBe(200);
    }
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { name: 'Person 50' },
      metadata: { source_version: 50 },
    });
  });

  it('keeps a portal edit that is newer than the event, and lets an older one go', async () => {
    const kennitala = someone();
    await stack.deliver(
      eventId(),
      event(kennitala, 1, 'create', { contact_info: { email: 'old@b.is', phone: '5551234' } }),
    );
    const edit = (path: string, value: string, at: string) =>
      stack.db
        .collection('sync_queue')
        .doc()
        .set({
          kennitala,
          sync_status: 'pending',
          edited_at: Timestamp.fromDate(new Date(at)),
          changes: { [path]: { old_value: null, new_value: value } },
        });
    await edit('profile.email', 'mine@b.is', '2026-11-20T11:00:00Z');
    await edit('profile.phone', '5559999', '2026-11-20T09:00:00Z');
    await stack.deliver(
      eventId(),
      event(kennitala, 2, 'update', { contact_info: { email: 'new@b.is', phone: '5550000' } }),
    );
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { email: 'mine@b.is', phone: '5550000' },
    });
  });

  it.each(['create', 'update', 'delete'])('skips the %s of a placeholder, and says so', async (action) => {
    expect(await resultOf(stack.deliver(eventId(), event('9999000001', 1, action)))).toEqual({
      status: 200,
      success: true,
      result: 'skipped',
      action,
      member: null,
    });
    expect(await stack.member('9999000001')).toBeUndefined();
    expect(stack.logs.at(-1)).toEqual({
      severity: 'INFO',
      message: '[WEBHOOK] skipped: a placeholder',
      fields: { event: 'webhook_received', result: 'skipped' },
    });
  });

  it('is told in the log with its result, its reference and the time that it took', async () => {
    const { member } = await resultOf(stack.deliver(eventId(), event(someone(), 1, 'create')));
    const { milliseconds, ...fields } = stack.logs.at(-1)?.fields ?? {};
    expect(stack.logs.at(-1)).toMatchObject({ severity: 'INFO', message: '[WEBHOOK] applied' });
    expect(fields).toEqual({ event: 'webhook_received', result: 'applied', action: 'create', member });
    expect(Number(milliseconds)).toBeLessThan(3_600_000);
  });

  it('asks once for a new roster when members join or leave, and not when they change', async () => {
    const fresh = await startWebhookStack({ mayBeInMemory: true });
    try {
      const kennitala = someone();
      await fresh.deliver('a', event(kennitala, 1, 'create'));
      await fresh.deliver('b', event(someone(), 1, 'create'));
      const afterJoining = await fresh.refreshes();
      expect(afterJoining).toBeGreaterThanOrEqual(1);
      expect(afterJoining).toBeLessThanOrEqual(2);
      for (const { ref } of (await fresh.db.collection('roster_refreshes').get()).docs) await ref.delete();
      await fresh.deliver('c', event(kennitala, 2, 'update'));
      expect(await fresh.refreshes()).toBe(0);
    } finally {
      await fresh.close();
    }
  });
});

describe('Firestore that fails', () => {
  it.each(['before', 'after'] as const)(
    '%s the commit took effect: 503, and the repetition ends well',
    async (when) => {
      const kennitala = someone();
      const id = eventId();
      stack.firestore.failNext({ method: 'commit', code: status.PERMISSION_DENIED, when });
      const failed = await stack.deliver(id, event(kennitala, 1, 'create'));
      expect([failed.status, failed.headers['retry-after']]).toEqual([503, '5']);
      expect(await resultOf(stack.deliver(id, event(kennitala, 1, 'create')))).toMatchObject({
        status: 200,
        result: when === 'before' ? 'applied' : 'duplicate',
      });
      expect(await stack.member(kennitala)).toMatchObject({ membership: { status: 'active' } });
    },
  );

  it('for the roster refresh alone: 503, and the repetition asks for it', async () => {
    const one = await startWebhookStack({ mayBeInMemory: true });
    try {
      const kennitala = someone();
      one.firestore.failNext({
        code: status.PERMISSION_DENIED,
        matches: (request) => JSON.stringify(request).includes('roster_refreshes'),
      });
      expect((await one.deliver('a', event(kennitala, 1, 'create'))).status).toBe(503);
      expect(await one.refreshes()).toBe(0);
      expect(await resultOf(one.deliver('a', event(kennitala, 1, 'create')))).toMatchObject({
        result: 'duplicate',
      });
      expect(await one.refreshes()).toBe(1);
    } finally {
      await one.close();
    }
  });
});

describe('a register that follows the webhook', () => {
  const withRegister = async (
    register: NonNullable<WebhookStack['dependencies']['register']>,
    test: (one: WebhookStack, missed: () => unknown[]) => Promise<void>,
  ) => {
    const one = await startWebhookStack({ mayBeInMemory: true, register });
    try {
      await test(one, () => one.logs.filter(({ fields }) => fields['event'] === 'webhook_register_missed'));
    } finally {
      await one.close();
    }
  };
  const MISSED = {
    severity: 'WARNING',
    message: '[WEBHOOK] The register did not take the event: database_unavailable. Its next run will.',
    fields: { event: 'webhook_register_missed', code: 'database_unavailable' },
  };

  it('is given each versioned event once, and its failure does not make the sender repeat', async () => {
    const versions: (number | null)[] = [];
    const register = async ({ version }: { readonly version: number | null }) => {
      versions.push(version);
      if (version === 2) throw new SyncError('database_unavailable', 'PostgreSQL did not answer.');
    };
    await withRegister(register, async (one, missed) => {
      const kennitala = someone();
      expect((await one.deliver('a', event(kennitala, 1, 'create'))).status).toBe(200);
      expect(missed()).toEqual([]);
      for (const result of ['applied', 'duplicate'])
        expect(await resultOf(one.deliver('b', event(kennitala, 2)))).toMatchObject({ status: 200, result });
      expect(versions).toEqual([1, 2]);
      expect(missed()).toEqual([MISSED]);
    });
  });

  /** One event, with every timer that it sets in the hands of the test: the store alone answers at once. */
  const receivedBy = async (
    register: () => Promise<void>,
    during: (answer: Promise<Response>) => unknown,
  ) => {
    const receipt = { result: 'applied', action: 'update', member: 'm_1', changesRoster: false } as const;
    const outcome = { kind: 'decided', decision: { kind: 'unchanged' }, receipt } as const;
    const members = { ...stack.dependencies.members, applyChange: async () => outcome };
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const call = signed(eventId(), JSON.stringify(event(someone(), 1)));
      await during(answerWebhook(call, { ...stack.dependencies, members, register }));
    } finally {
      vi.useRealTimers();
    }
  };

  it('and its silence does not either: the answer comes within seconds, and the miss is told', async () => {
    const asked = Promise.withResolvers<void>();
    const register = () => {
      asked.resolve();
      return new Promise<void>(() => undefined);
    };
    await receivedBy(register, async (answer) => {
      await asked.promise;
      await vi.advanceTimersByTimeAsync(5_999);
      expect(stack.logs.at(-1)).not.toEqual(MISSED);
      await vi.advanceTimersByTimeAsync(1);
      expect((await answer).status).toBe(200);
      expect(stack.logs.at(-2)).toEqual(MISSED);
    });
  });

  it('and answers leaves nothing that would wait for it', async () => {
    await receivedBy(
      async () => undefined,
      async (answer) => {
        expect((await answer).status).toBe(200);
        expect(vi.getTimerCount()).toBe(0);
      },
    );
  });
});
