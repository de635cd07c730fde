import { z } from 'zod';
import type { RunReport } from '../../../functions/src/mirror/mirror.ts';
import type { LocalStack } from '../stack.ts';

/** What a person may ask of one run. */
export interface SyncRequest {
  /** Plan only: nothing is published. */
  readonly dryRun: boolean;
  readonly approve: Readonly<Record<'planId' | 'operator' | 'reason', string>> | undefined;
}

export interface SyncAnswer {
  /** The audit record as `sync_audit` holds it, times as ISO 8601; null when the run left none. */
  readonly record: AuditRecord | null;
  /** What a dry run or a refused run would cost. */
  readonly forecast: RunReport['forecast'];
  /** What went wrong before there was a record. */
  readonly problem: string | null;
}

export type AuditRecord = Omit<RunReport['record'], 'timestamp' | 'djangoExportedAt' | 'expireAt'>;

/** Runs one sync the way production would: by the schedule, or as an administrator for a dry run or an approval. */
export const runSync = (stack: LocalStack, options: SyncRequest): Promise<SyncAnswer> =>
  options.dryRun || options.approve !== undefined ? runAsAdmin(stack, options) : runAsScheduler(stack);

/** What `runMemberListSync` answers: a report, or a problem document with the report in it. */
interface RunAnswer {
  readonly record?: AuditRecord;
  readonly forecast?: SyncAnswer['forecast'];
  readonly detail?: string;
}

/** As Cloud Scheduler calls it. */
export const runAsScheduler = async (stack: LocalStack): Promise<SyncAnswer> => {
  const before = await latestRecord(stack);
  const answer = await fetch(stack.urlOf('syncMemberList'), { method: 'POST' });
  const record = await latestRecord(stack);
  const isNew = record !== null && record.runId !== before?.runId;
  return {
    record: isNew ? record : null,
    forecast: null,
    problem: isNew ? null : `syncMemberList answered ${answer.status} and left no record; its log says why.`,
  };
};

const runAsAdmin = async (stack: LocalStack, { dryRun, approve }: SyncRequest): Promise<SyncAnswer> => {
  const asked = { ...(dryRun && { dryRun }), ...(approve && { approve }) };
  const answer = await stack.callAsAdmin('runMemberListSync', '', asked);
  const unread = { detail: 'not JSON; its log says why' };
  const body = (await answer.json().catch(() => unread)) as RunAnswer;
  return {
    record: body.record ?? null,
    forecast: body.forecast ?? null,
    problem: body.record === undefined ? `runMemberListSync answered ${answer.status}: ${body.detail}` : null,
  };
};

/** The newest roster record, read as an operator would: with the official client, from Firestore. */
const latestRecord = async ({
  firestore,
  functions: { projectId },
}: LocalStack): Promise<AuditRecord | null> => {
  const { Firestore } = await import('@google-cloud/firestore');
  const client = new Firestore({ projectId, host: `${firestore.host}:${firestore.port}`, ssl: false });
  try {
    const found = await client
      .collection('sync_audit')
      .where('mirror', '==', 'roster')
      .orderBy('timestamp', 'desc')
      .limit(1)
      .get();
    const data = found.docs[0]?.data();
    return data === undefined ? null : (JSON.parse(JSON.stringify(data, timesAsText)) as AuditRecord);
  } finally {
    await client.terminate();
  }
};

/** firebase's Timestamp as JSON makes it, back to ISO 8601. */
const timesAsText = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && '_seconds' in value && '_nanoseconds' in value
    ? new Date(Number(value._seconds) * 1_000 + Number(value._nanoseconds) / 1e6).toISOString()
    : value;

const status = z.object({ active_members: z.int(), last_run: z.object({ status: z.string() }).nullable() });

/** Runs the register's hourly sync once, and tells what its API says of it: lines for a person. */
export const runRegister = async (stack: LocalStack): Promise<string[]> => {
  if (stack.postgres === null) return [];
  await fetch(stack.urlOf('membershipSyncHourly'), { method: 'POST' });
  const api = stack.urlOf('membershipSync');
  const answer = await fetch(`${api}/sync/status`, {
    headers: { authorization: `Bearer ${stack.secrets.ADMIN_API_KEY.split(' ')[0]}` },
  });
  const read = status.safeParse(await answer.json().catch(() => null));
  if (!read.success) return [`The register: ${api}/sync/status answered ${answer.status}; its log says why.`];
  const { active_members, last_run } = read.data;
  return [
    `The register: ${active_members} active members in ${stack.postgres.url}, last run ${last_run?.status ?? 'none'}`,
    `  ${api}/sync/status, with ADMIN_API_KEY as the bearer token; ${api}/docs`,
  ];
};

const LIMIT_MS = 5_000;

/**
 * Asks the registry of `--django` once, before anything is started: an address that refuses and a wrong token are said at
 * once. What else is wrong with it, slowness too, the run says itself, as in production.
 * @throws Error that names the option to change.
 */
export const assertRegistryAnswers = async (url: string, token: string, scheme = 'Token'): Promise<void> => {
  const { origin } = new URL(url);
  let status: number | null;
  try {
    const answer = await fetch(`${url.replace(/\/$/, '')}/api/sync/status/`, {
      headers: { authorization: `${scheme} ${token}`, accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    await answer.body?.cancel();
    status = answer.status;
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    if (cause.name === 'TimeoutError') return;
    const { code = cause.name } = (cause.cause ?? cause) as NodeJS.ErrnoException;
    throw new Error(`No registry answers at ${origin} (${code}). Check the address of --django.`, { cause });
  }
  if (status !== 401 && status !== 403) return;
  throw new Error(
    `The registry at ${origin} refuses the token (${status}). Check --token and DJANGO_AUTH_SCHEME.`,
  );
};
