import { isDifferent } from '../../mirror/run.ts';
import type { RegisterPlan } from '../plan-register.ts';
import type { Notification, ReferTo } from '../ports.ts';

/** Somebody who wants to be told of changes. */
export interface Subscriber {
  /** Letters, digits and hyphens; stands in logs, in the outbox, and in the name of its secret. */
  readonly name: string;
  /** https, or http on this machine. */
  readonly url: string;
}

/** Receivers of webhooks commonly take 64 KB; a reference has 21 bytes here. The link has all of them. */
const REFERENCES_MAX = 1_000;

/**
 * One message a subscriber for a run that changed something: how many, who by opaque reference (the first thousand), and
 * where the changed rows are listed.
 */
export const makeNotifications = (
  plan: RegisterPlan,
  { runId, startedAt }: { readonly runId: string; readonly startedAt: Date },
  { referTo, subscribers, apiUrl }: { referTo: ReferTo; subscribers: readonly Subscriber[]; apiUrl: string },
): Notification[] => {
  if (subscribers.length === 0 || !isDifferent(plan)) return [];
  const changed = [...plan.removed, ...plan.added, ...plan.updated];
  const body = JSON.stringify({
    type: 'membership.changed',
    timestamp: startedAt.toISOString(),
    run: runId,
    added: plan.added.length,
    removed: plan.removed.length,
    updated: plan.updated.length,
    members: changed.slice(0, REFERENCES_MAX).map(referTo),
    complete: changed.length <= REFERENCES_MAX,
    details: `${apiUrl}/sync/runs/${encodeURIComponent(runId)}/changes`,
  });
  return subscribers.map(({ name }) => ({ messageId: runId, subscriber: name, body }));
};
