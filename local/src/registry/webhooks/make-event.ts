import type { ChangeEntry } from '../journal.ts';
import { withDigest } from '../members/digests.ts';
import type { Directory } from '../members/directory.ts';

/** One owed webhook. `id` is the outbox id, `index` the member's row. */
export interface WebhookEvent {
  readonly id: number;
  readonly index: number;
  readonly body: string;
}

/**
 * The event of a change. Call it before the next change of that member: the body is made once and stays as it is over
 * all attempts, so that `data` is what the member was at `version`. A delete carries no data about who was deleted.
 */
export const makeEvent = (change: ChangeEntry, directory: Directory): WebhookEvent => ({
  id: change.id,
  index: change.index,
  body: JSON.stringify({
    kennitala: directory.ssn(change.index),
    action: change.action,
    ...(change.action !== 'delete' && { data: withDigest(directory.member(change.index)) }),
    version: change.id,
    occurred_at: change.at,
  }),
});
