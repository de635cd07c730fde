import type { LocalStack } from '../stack.ts';

/** The parts of a reconcile's record that a tour tells of. */
export interface ReconcileRecord {
  readonly outcome: string | null;
  readonly duration_ms: number | null;
  readonly error: string | null;
  readonly changes: { readonly added: number; readonly removed: number; readonly updated: number } | null;
  readonly missedEvents: {
    readonly created: number;
    readonly updated: number;
    readonly deleted: number;
  } | null;
}

/** Runs reconcileMembersNow as an administrator. Throws when it leaves no record. */
export const reconcileNow = async (stack: LocalStack): Promise<ReconcileRecord> => {
  const served = stack.functions.functions.find(({ name }) => name === 'reconcileMembersNow');
  if (served === undefined)
    throw new Error('functions/lib does not export reconcileMembersNow. Build it anew.');
  const token = stack.auth.mintIdToken({ uid: 'local-operator', claims: { roles: ['admin'] } });
  const answer = await fetch(served.url, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  const body = (await answer.json()) as { readonly record?: ReconcileRecord; readonly detail?: string };
  if (body.record === undefined)
    throw new Error(`reconcileMembersNow answered ${answer.status}: ${body.detail}`);
  return body.record;
};

/** How many members a reconcile found different. */
export const differencesIn = ({ changes }: ReconcileRecord): number =>
  changes === null ? 0 : changes.added + changes.removed + changes.updated;
