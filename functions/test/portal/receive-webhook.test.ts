import { status } from '@grpc/grpc-js';
import { Timestamp } from 'firebase-admin/firestore';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import { event, eventId, resultOf, someone } from '../support/registry-events.ts';
import { startWebhookStack, type WebhookStack } from '../support/stack.ts';

let stack: WebhookStack;
beforeAll(async () => {
  stack = await startWebhookStack();
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
      stack.db.collection('sync_queue').add({
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

  it('skips placeholders', async () => {
    expect(await resultOf(stack.deliver(eventId(), event('9999000001', 1, 'create')))).toMatchObject({
      status: 200,
      result: 'skipped',
    });
    expect(await stack.member('9999000001')).toBeUndefined();
  });

  it('asks once for a new roster when members join or leave, and not when they change', async () => {
    const fresh = await startWebhookStack();
    try {
      const kennitala = someone();
      await fresh.deliver('a', event(kennitala, 1, 'create'));
      await fresh.deliver('b', event(someone(), 1, 'create'));
      const afterJoining = await fresh.refreshes();
      expect(afterJoining).toBeGreaterThanOrEqual(1);
      expect(afterJoining).toBeLessThanOrEqual(2);
      await fresh.db.recursiveDelete(fresh.db.collection('roster_refreshes'));
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
    const one = await startWebhookStack();
    try {
      const kennitala = someone();
      one.firestore.failNext({
        method: 'commit',
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
  it('is given each versioned event, and its failure does not make the sender repeat', async () => {
    const versions: (number | null)[] = [];
    const one = await startWebhookStack({
      register: async ({ version }) => {
        versions.push(version);
        if (version === 2) throw new SyncError('database_unavailable', 'PostgreSQL did not answer.');
      },
    });
    try {
      const kennitala = someone();
      expect((await one.deliver('a', event(kennitala, 1, 'create'))).status).toBe(200);
      expect((await one.deliver('b', event(kennitala, 2))).status).toBe(200);
      expect(versions).toEqual([1, 2]);
      expect(
        one.logs.find(({ fields }) => fields['event'] === 'webhook_register_missed')?.fields,
      ).toMatchObject({
        code: 'database_unavailable',
      });
    } finally {
      await one.close();
    }
  });

  it('and its silence does not either: the answer comes within seconds, and the miss is told', async () => {
    const one = await startWebhookStack({ register: () => new Promise(() => undefined) });
    try {
      expect((await one.deliver('a', event(someone(), 1, 'create'))).status).toBe(200);
      expect(
        one.logs.find(({ fields }) => fields['event'] === 'webhook_register_missed')?.fields,
      ).toMatchObject({ code: 'database_unavailable' });
    } finally {
      await one.close();
    }
  });
});
