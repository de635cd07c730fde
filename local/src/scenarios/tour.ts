import { setTimeout as sleep } from 'node:timers/promises';
import type { StartedRun } from '../../../functions/src/ops/schemas.ts';
import type { Deliveries } from '../registry/deliveries.ts';
import type { LocalRegistry } from '../registry/start-registry.ts';
import type { LocalStack } from '../stack.ts';
import type { PortalView } from './portal-view.ts';

export type ReconcileRecord = StartedRun['run'];

/** Runs a reconcile as an administrator. Throws when it leaves no record. */
export const reconcileNow = async (stack: LocalStack): Promise<ReconcileRecord> => {
  const answer = await stack.callAsAdmin('opsApi', '/runs', { mirror: 'portal' });
  const body = (await answer.json()) as { readonly run?: ReconcileRecord; readonly detail?: string };
  if (body.run === undefined) throw new Error(`The reconcile answered ${answer.status}: ${body.detail}`);
  return body.run;
};

/** How many members a reconcile found different. */
export const differencesIn = ({ changes }: ReconcileRecord): number =>
  changes === null ? 0 : changes.added + changes.removed + changes.updated;

/** Whether a run left the mirror equal to the registry. */
export const isDone = ({ outcome }: ReconcileRecord): boolean =>
  outcome === 'published' || outcome === 'unchanged';

/** Shows lines to the person who watches. */
export type Say = (lines: readonly string[]) => void;

/** A tour through a running stack that tells what it does. True when everything was as it should be. */
export type Scenario = (stack: LocalStack, say: Say) => Promise<boolean>;

/** A function's first start takes seconds, and many on a busy machine: nobody waits that long for what does come. */
const LIMIT_MS = 90_000;
const PAUSE_MS = 25;

/** Asks until the answer is not null, and answers it with the milliseconds that took; null after the limit. */
export const untilThere = async <T>(
  ask: () => Promise<T | null>,
): Promise<{ readonly value: T; readonly milliseconds: number } | null> => {
  const startedAt = performance.now();
  while (performance.now() - startedAt < LIMIT_MS) {
    const value = await ask();
    if (value !== null) return { value, milliseconds: performance.now() - startedAt };
    await sleep(PAUSE_MS);
  }
  return null;
};

/** The stand-in, with its webhooks. */
export type TouredRegistry = LocalRegistry & { readonly webhooks: Deliveries };

/** The registry whose members a tour may change; null, and why is said, where a real one is used. */
export const standInOf = ({ registry }: LocalStack, say: Say): TouredRegistry | null => {
  if (registry?.webhooks) return { ...registry, webhooks: registry.webhooks };
  say(['This tour changes members, so it needs the stand-in registry: leave --django out.']);
  return null;
};

export const someone = (registry: LocalRegistry): { readonly id: number; readonly kennitala: string } => {
  const id = registry.randomMember();
  return { id, kennitala: registry.member(id).ssn.replace('-', '') };
};

/** The registry and the portal change one e-mail, and neither has heard of the other. Null when no conflict was found. */
export const makeConflict = async (
  registry: TouredRegistry,
  portal: PortalView,
  emails: { readonly registry: string; readonly portal: string },
) => {
  const { id, kennitala } = someone(registry);
  registry.webhooks.pause();
  registry.updateMember(id, { contact_info: { email: emails.registry } });
  await portal.edit(kennitala, emails.portal);
  const found = await untilThere(() => portal.conflictOf(kennitala));
  registry.webhooks.resume();
  return found && { ...found.value, member: { id, kennitala } };
};

/** One line with a tick or a cross. Answers which. */
export const tell = (say: Say, isWell: boolean, facts: readonly string[]): boolean => {
  say([`   ${isWell ? '✓' : '✗'} ${facts.join(', ')}`]);
  return isWell;
};
