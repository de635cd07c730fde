import { status } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NO_MISCHIEF } from '../../../local/src/registry/deliveries.ts';
import { answerWebhook } from '../../src/portal/receive-webhook.ts';
import { makeWebhookGate } from '../../src/portal/webhook-caller.ts';
import { SECRET } from '../support/registry-events.ts';
import { type ReconcileStack, startReconcileStack } from '../support/stack.ts';
import { expectEqual } from './reconcile/support/equality.ts';
import { type Death, startWebhookServer, type WebhookServer } from './support/webhook-server.ts';

const HISTORIES = 25;
const HOUR_MS = 3_600_000;
/** Long enough that nothing is given up. */
const RETRY_DELAYS_MS = [5, 10, 20, 40, 80, 160, 320, 640, 1_000, 1_000];

let server: WebhookServer;
let stack: ReconcileStack;
beforeAll(async () => {
  server = await startWebhookServer();
  stack = await startReconcileStack({
    members: 20,
    webhook: { url: server.url, secrets: [SECRET], retryDelaysMs: RETRY_DELAYS_MS },
  });
  expect((await stack.run()).record.outcome).toBe('published');
});
afterAll(async () => {
  await stack.close();
  await server.close();
});

/** What happens to a commit, to an instance or to nobody while one request is served. */
type Mishap = Death | 'commit fails before' | 'commit fails after';

const history = fc.record({
  drop: fc.constantFrom(0, 0, 0.3),
  duplicate: fc.constantFrom(0, 0.5),
  reorder: fc.constantFrom(0, 0.5),
  mishaps: fc.array(
    fc.constantFrom<Mishap>(null, null, 'before', 'after', 'commit fails before', 'commit fails after'),
    { maxLength: 20 },
  ),
  changes: fc.array(fc.constantFrom('create', 'update', 'update', 'update', 'delete', 'restore'), {
    minLength: 5,
    maxLength: 25,
    size: 'max',
  }),
  /** At which change a reconcile begins, while events are under way. */
  reconcileAt: fc.nat(40),
});

const failCommit = (when: 'before' | 'after'): void => {
  stack.firestore.failNext({
    method: 'commit',
    code: status.PERMISSION_DENIED,
    when,
    matches: (request) => JSON.stringify(request).includes('webhook_receipts'),
  });
};

/** This registry counts versions. */
const NO_HINTS = { keep: () => Promise.reject(new Error('No event is a hint.')) };

const serve = (mishaps: readonly Mishap[]): void => {
  const left = mishaps.values();
  const { registry, rosterRefresh, reference } = stack.portal;
  const identify = makeWebhookGate(
    { signing: { readAll: async () => [SECRET], drop: () => undefined }, legacyKey: null },
    stack.clock.now,
  );
  const { members, clock } = stack;
  const dependencies = {
    identify,
    members,
    registry,
    hints: NO_HINTS,
    rosterRefresh,
    reference,
    now: clock.now,
    log: () => undefined,
  };
  server.serve(
    (call) => answerWebhook(call, dependencies),
    () => {
      const mishap = left.next().value ?? null;
      if (mishap === 'commit fails before') failCommit('before');
      else if (mishap === 'commit fails after') failCommit('after');
      else return mishap;
      return null;
    },
  );
};

/** Members that the history deleted, so that some come back. */
const change = (what: string, deleted: number[]): void => {
  const { registry } = stack;
  const back = what === 'restore' ? deleted.shift() : undefined;
  if (back !== undefined) registry.restoreMember(back);
  else if (what === 'create') registry.createMember();
  else if (what === 'delete') deleted.push(registry.deleteMember(registry.randomMember()).id);
  else registry.updateMember(registry.randomMember());
};

it(
  'over real HTTP and Firestore the portal ends equal, with lost events after one reconcile',
  {
    timeout: 120_000,
  },
  () =>
    fc.assert(
      fc.asyncProperty(history, async ({ mishaps, changes, reconcileAt, ...mischief }) => {
        const { webhooks } = stack.registry;
        if (webhooks === null) throw new Error('The registry sends no webhooks.');
        serve(mishaps);
        webhooks.misbehave({ ...mischief, reorder_delay_ms: 20 });
        const deleted: number[] = [];
        const running: Promise<unknown>[] = [];
        for (const [n, what] of changes.entries()) {
          change(what, deleted);
          if (n === reconcileAt) running.push(stack.run());
          if (n % 5 === 4) await new Promise((resolve) => setTimeout(resolve, 5));
        }
        await Promise.all(running);
        await webhooks.drain();
        webhooks.misbehave(NO_MISCHIEF);
        expect(webhooks.stats().failed).toBe(0);

        if (mischief.drop === 0) await expectEqual(stack);
        stack.clock.advance(HOUR_MS);
        const { record } = await stack.run();
        expect(record.outcome).toMatch(mischief.drop === 0 ? /^unchanged$/ : /^(un)?changed$|^published$/);
        await expectEqual(stack);
        expect((await stack.run()).record.outcome).toBe('unchanged');
      }),
      { numRuns: HISTORIES, endOnFailure: true },
    ),
);
