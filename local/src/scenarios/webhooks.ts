import { setTimeout as sleep } from 'node:timers/promises';
import { NO_MISCHIEF } from '../registry/deliveries.ts';
import type { LocalStack } from '../stack.ts';
import { openPortalView, type PortalView } from './portal-view.ts';
import {
  differencesIn,
  isDone,
  type ReconcileRecord,
  reconcileNow,
  type Say,
  type Scenario,
  standInOf,
  type TouredRegistry,
  tell,
} from './tour.ts';

/**
 * How much happens, and how long the functions are down: for a person who watches, about a minute. That a change is seen
 * within a second is the promise.
 */
const TOUR = {
  burst: 500,
  outageChanges: 200,
  outageSeconds: 10,
  lossyChanges: 100,
  visibleWithinMs: 1_000,
};
type Pace = Readonly<typeof TOUR>;

interface Tour {
  readonly stack: LocalStack;
  readonly registry: TouredRegistry;
  readonly portal: PortalView;
  readonly pace: Pace;
  readonly say: Say;
}

/** `npm start -- --scenario webhooks`: how the portal follows the registry, whatever happens in between. */
export const playWebhooks: Scenario = (stack, say) => tourWebhooks(stack, say, TOUR);

/** The same tour at another pace. */
export const tourWebhooks = async (stack: LocalStack, say: Say, pace: Pace): Promise<boolean> => {
  const registry = standInOf(stack, say);
  if (registry === null) return false;
  const portal = openPortalView(stack);
  const tour: Tour = { stack, registry, portal, pace, say };
  try {
    const results = [];
    for (const part of [load, oneMember, mischief, burst, outage, loss]) results.push(await part(tour));
    const left = await portal.differences(registry);
    const isWell = left === 0 && results.every(Boolean);
    say(['', left === 0 ? 'Portal equals registry.' : `${left} members differ from the registry.`]);
    if (!isWell) say(['Not everything was as it should be: see the lines with a cross above.']);
    return isWell;
  } finally {
    registry.reset();
    await portal.close();
  }
};

const load = async ({ stack, registry, say }: Tour): Promise<boolean> => {
  say(['', `1. A reconcile loads the registry's ${registry.summary().members} members into the portal`]);
  return tellReconcile(await reconcileNow(stack), say);
};

const oneMember = async ({ registry, portal, pace, say }: Tour): Promise<boolean> => {
  say(['', '2. One member in the registry, and when Firestore shows it']);
  const seenAfter = ({ id, version }: { id: number; version: number }): Promise<number | null> =>
    portal.untilVisible(registry.member(id).ssn.replace('-', ''), version);
  // The first event starts the function's process, which production keeps, and the connection that listens.
  await seenAfter(registry.createMember());
  const watch = async (what: string, change: () => { id: number; version: number }): Promise<boolean> => {
    const changed = change();
    const milliseconds = await seenAfter(changed);
    return tell(say, milliseconds !== null && milliseconds < pace.visibleWithinMs, [
      `member #${changed.id} ${what}`,
      milliseconds === null ? 'never seen' : `seen after ${milliseconds.toFixed(0)} ms`,
    ]);
  };
  const created = registry.createMember();
  return [
    await watch('created', () => created),
    await watch('changed', () => registry.updateMember(created.id)),
    await watch('deleted', () => registry.deleteMember(created.id)),
  ].every(Boolean);
};

const mischief = async ({ registry, portal, say }: Tour): Promise<boolean> => {
  say(['', '3. Sixty changes; half of the events come twice, half are overtaken by later ones']);
  const before = registry.webhooks.stats();
  registry.webhooks.misbehave({ duplicate: 0.5, reorder: 0.5 });
  await registry.burst({ count: 60, create: 0.1, delete: 0.1 });
  await registry.webhooks.drain();
  registry.webhooks.misbehave(NO_MISCHIEF);
  const { duplicated, reordered } = registry.webhooks.stats();
  const left = await portal.differences(registry);
  return tell(say, left === 0, [
    `${duplicated - before.duplicated} duplicates, ${reordered - before.reordered} held back`,
    `${left} members differ`,
  ]);
};

const burst = async ({ stack, registry, portal, pace, say }: Tour): Promise<boolean> => {
  say(['', `4. A burst of ${pace.burst} changes, some of which join or leave`]);
  const at = new Date();
  const since = performance.now();
  await registry.burst({ count: pace.burst, create: 0.05, delete: 0.02 });
  await registry.webhooks.drain();
  const seconds = (performance.now() - since) / 1_000;
  const left = await portal.differences(registry);
  const followed = tell(say, left === 0, [
    `in the portal after ${seconds.toFixed(1)} s`,
    `${(pace.burst / seconds).toFixed(0)} events a second`,
    `${left} members differ`,
  ]);
  await stack.functions.drain();
  const uploads = await portal.rosterUploads(at);
  // A window of five seconds makes one upload, and the burst may lie across a border.
  const most = 2 + Math.ceil(seconds / 5);
  const refreshed = tell(say, uploads >= 1 && uploads <= most, [
    `kennitalas.txt uploaded ${uploads === 1 ? 'once' : `${uploads} times`}`,
  ]);
  return followed && refreshed;
};

const outage = async ({ stack, registry, portal, pace, say }: Tour): Promise<boolean> => {
  const { outageChanges, outageSeconds } = pace;
  say(['', `5. ${outageChanges} changes while the functions are killed for ${outageSeconds} seconds`]);
  const before = registry.webhooks.stats();
  const share = { create: 0.05, delete: 0.05 };
  const changing = registry.burst({ count: outageChanges, seconds: outageSeconds * 1.5, ...share });
  await sleep(outageSeconds * 250);
  await stack.functions.kill();
  say(['   killed']);
  await sleep(outageSeconds * 1_000);
  await stack.functions.start();
  say(['   started again']);
  await changing;
  await registry.webhooks.drain();
  await stack.functions.drain();
  const after = registry.webhooks.stats();
  const left = await portal.differences(registry);
  return tell(say, left === 0 && after.failed === before.failed && after.retried > before.retried, [
    `${after.retried - before.retried} retries`,
    `${after.failed - before.failed} events given up`,
    `${left} members differ`,
  ]);
};

const loss = async ({ stack, registry, portal, pace, say }: Tour): Promise<boolean> => {
  say(['', `6. ${pace.lossyChanges} changes of which a third is never announced, and a reconcile`]);
  const before = registry.webhooks.stats();
  registry.webhooks.misbehave({ drop: 1 / 3 });
  await registry.burst({ count: pace.lossyChanges, create: 0.1, delete: 0.2 });
  // One deletion is surely lost: of the others, who changed lately is not counted as missed.
  registry.webhooks.misbehave({ drop: 1 });
  registry.deleteMember(registry.randomMember());
  await registry.webhooks.drain();
  registry.webhooks.misbehave(NO_MISCHIEF);
  await stack.functions.drain();
  const lost = await portal.differences(registry);
  say([`   ${registry.webhooks.stats().dropped - before.dropped} events lost, ${lost} members differ`]);
  const record = await reconcileNow(stack);
  const healed = tellReconcile(record, say);
  const { created, updated, deleted } = record.missedEvents ?? { created: 0, updated: 0, deleted: 0 };
  say([
    `   missedEvents: ${created} created, ${updated} updated, ${deleted} deleted`,
    '   (who changed in the last two minutes is not counted: the event may be under way; deletes always are)',
  ]);
  const missed = created + updated + deleted;
  return (
    healed &&
    tell(say, differencesIn(record) === lost && missed > 0 && missed <= lost, [`${lost} members healed`])
  );
};

const tellReconcile = (record: ReconcileRecord, say: Say): boolean => {
  const { outcome, durationMs, error } = record;
  return tell(say, isDone(record), [
    `reconcile: ${outcome}`,
    `${differencesIn(record)} members written`,
    `${durationMs} ms`,
    ...(error === null ? [] : [error]),
  ]);
};
