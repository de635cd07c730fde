import type { LocalStack } from '../stack.ts';
import { callOperatorsApi } from './operator-call.ts';

/** The parts of a reconcile's record that a tour tells of. */
export interface ReconcileRecord {
  readonly outcome: string | null;
  readonly durationMs: number | null;
  readonly error: string | null;
  readonly changes: { readonly added: number; readonly removed: number; readonly updated: number } | null;
  readonly missedEvents: {
    readonly created: number;
    readonly updated: number;
    readonly deleted: number;
  } | null;
}

/** Runs a reconcile as an administrator. Throws when it leaves no record. */
export const reconcileNow = async (stack: LocalStack): Promise<ReconcileRecord> => {
  const answer = await callOperatorsApi(stack, '/runs', { mirror: 'portal' });
  const body = (await answer.json()) as { readonly run?: ReconcileRecord; readonly detail?: string };
  if (body.run === undefined) throw new Error(`The reconcile answered ${answer.status}: ${body.detail}`);
  return body.run;
};

/** How many members a reconcile found different. */
export const differencesIn = ({ changes }: ReconcileRecord): number =>
  changes === null ? 0 : changes.added + changes.removed + changes.updated;
