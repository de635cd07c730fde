import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { isPlaceholder, tryKennitala } from '../domain/kennitala.ts';
import { type MemberChange, parseMemberChange, parseMemberHint } from '../domain/member/member-change.ts';
import { isWire } from '../domain/member/wire.ts';
import { answerJson, parseJsonBody } from '../http/front.ts';
import { asSyncError, SyncError, stackFrames } from '../lib/errors.ts';
import { type LogSink, severityOfFault } from '../lib/log.ts';
import { type AppliedEvent, type ApplyEventDependencies, applyVersionedEvent } from './apply-event.ts';
import type { FollowedHint } from './follow-hint.ts';
import type { HintStore, RosterRefresh } from './ports.ts';
import type { WebhookCaller, WebhookHeaders } from './webhook-caller.ts';

/** The largest member is a few kilobytes. */
export const MAX_WEBHOOK_BYTES = 256 * 1024;

/** Above the register's own limits for an event, which say what was wrong; far below the sender's patience. */
const AFTER_COMMIT_LIMIT_MS = 6_000;

export interface WebhookCall {
  readonly method: string;
  readonly headers: WebhookHeaders;
  readonly rawBody: Uint8Array | undefined;
}

export interface WebhookDependencies extends ApplyEventDependencies {
  readonly identify: (rawBody: Uint8Array, headers: WebhookHeaders) => Promise<WebhookCaller>;
  readonly hints: Pick<HintStore, 'keep'>;
  readonly rosterRefresh: RosterRefresh;
  /** Keeps the register's row up to date too; without it the hourly run alone does. */
  readonly register?: ((change: MemberChange) => Promise<void>) | null | undefined;
  readonly log: LogSink;
}

/** What the sender is told once the outcome of its event is durable. */
export interface WebhookAnswer {
  readonly success: true;
  readonly result: AppliedEvent['result'] | 'skipped';
  readonly action: AppliedEvent['receipt']['action'];
  /** The opaque reference; null for a placeholder. */
  readonly member: string | null;
}

/**
 * Answers one registry event: 200 once its outcome is durable, otherwise a status that tells the sender whether to
 * try again (CONTRACTS, section 2).
 */
export const answerWebhook = async (
  call: WebhookCall,
  dependencies: WebhookDependencies,
): Promise<Response> => {
  try {
    return answerJson(200, await receiveWebhook(call, dependencies));
  } catch (cause) {
    return answerWebhookFailure(asSyncError(cause), dependencies.log);
  }
};

/** The signature is checked over the raw bytes before anything in them is read. */
const receiveWebhook = async (
  call: WebhookCall,
  dependencies: WebhookDependencies,
): Promise<WebhookAnswer> => {
  const logs = makeWebhookLogs(dependencies.log);
  const startedAt = dependencies.now().getTime();
  if (call.method !== 'POST') throw new SyncError('method_not_allowed', 'Send a POST.');
  const rawBody = call.rawBody ?? new Uint8Array();
  if (rawBody.byteLength > MAX_WEBHOOK_BYTES) {
    throw new SyncError('too_large', `The body is over ${MAX_WEBHOOK_BYTES} bytes.`);
  }
  const caller = await dependencies.identify(rawBody, call.headers);
  const json = parseJsonBody(rawBody);
  if (isAboutPlaceholder(json)) {
    logs.skipped();
    return { success: true, result: 'skipped', action: json.action, member: null };
  }
  const applied = await apply(caller, json, dependencies, logs);
  logs.received(applied, dependencies.now().getTime() - startedAt);
  const { action, member } = applied.receipt;
  return { success: true, result: applied.result, action, member };
};

/** What became of an event or a hint, as its sender and the log hear of it. */
interface Received {
  readonly result: AppliedEvent['result'];
  readonly receipt: Pick<AppliedEvent['receipt'], 'action' | 'member'>;
}

const apply = async (
  caller: WebhookCaller,
  json: unknown,
  dependencies: WebhookDependencies,
  logs: WebhookLogs,
): Promise<Received> => {
  if (caller.kind === 'legacy' || carriesNoVersion(json)) return acceptHint(caller, json, dependencies);
  const change = parseMemberChange(json);
  const applied = await applyVersionedEvent(change, caller.eventId, dependencies);
  const { rosterRefresh, register, now } = dependencies;
  // A repeated event, one that was not believed, or one that is older than what the portal has, whose word the register may
  // have missed, is not passed on: what the register lacks, its next run brings.
  const isNews = applied.result !== 'duplicate' && !applied.wasAsked && !applied.isOvertaken;
  await Promise.all([
    applied.changesRoster && rosterRefresh.request(now()),
    // The portal has the event; a register that is down is mended by its next run, and must not make the sender repeat.
    isNews && register != null && afterCommit(() => register(change), logs.registerMissed),
  ]);
  return applied;
};

/**
 * What else an event does once its outcome is durable: neither a failure nor silence may cost the sender its answer, or it
 * would repeat what the portal has. The request to refresh the roster is not of this kind: nothing else would bring it
 * before the weekly run, so it is part of the outcome, and the repetition asks again.
 */
const afterCommit = async (
  work: () => Promise<void>,
  missed: (failure: SyncError) => void,
): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    const noAnswer = `No answer within ${AFTER_COMMIT_LIMIT_MS} ms.`;
    timer = setTimeout(() => reject(new SyncError('database_unavailable', noAnswer)), AFTER_COMMIT_LIMIT_MS);
  });
  try {
    await Promise.race([work(), silence]);
  } catch (cause) {
    missed(asSyncError(cause));
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Its sender waits inside the transaction of the change, ten seconds at most, and never repeats: the hint is stored and
 * answered at once, and the change is looked for afterwards.
 */
const acceptHint = async (
  caller: WebhookCaller,
  json: unknown,
  { hints, reference, now }: WebhookDependencies,
): Promise<Received> => {
  const hint = parseMemberHint(json);
  const member = await reference(hint.kennitala);
  const eventId = caller.kind === 'signed' ? caller.eventId : null;
  const result = await hints.keep({ ...hint, eventId, member, token: randomUUID(), at: now() });
  return { result, receipt: { action: hint.action, member } };
};

const carriesNoVersion = (json: unknown): boolean => isWire(json) && (json['version'] ?? null) === null;

const named = z.looseObject({ kennitala: z.string(), action: z.enum(['create', 'update', 'delete']) });

const isAboutPlaceholder = (json: unknown): json is z.output<typeof named> => {
  const read = named.safeParse(json);
  const kennitala = read.success ? tryKennitala(read.data.kennitala) : null;
  return kennitala !== null && isPlaceholder(kennitala);
};

/** A failure as the sender reads it, logged once. What is not named is a 503 with a reference that the log carries. */
export const answerWebhookFailure = (failure: SyncError, log: LogSink): Response => {
  const logs = makeWebhookLogs(log);
  if (failure.code === 'internal') {
    const reference = randomUUID();
    logs.failed(reference, stackFrames(failure));
    return answerFailure(503, {
      error: 'Something failed here; send it again.',
      code: 'internal',
      reference,
    });
  }
  logs.refused(failure);
  const status = statusOf(failure);
  const path = failure.details['path'];
  return answerFailure(status, {
    error: failure.message,
    code: failure.code,
    ...(status === 400
      ? { issues: typeof path === 'string' ? [{ path, message: failure.message }] : [] }
      : {}),
  });
};

/** The sender knows 400, 401, 405, 413, 415 and 503: whatever is not its fault is 503, and it tries again. */
const statusOf = ({ code, httpStatus }: SyncError): number => {
  if (code === 'member_invalid') return 400;
  return [400, 401, 405, 413, 415].includes(httpStatus) ? httpStatus : 503;
};

const RETRY_AFTER_SECONDS = '5';

const answerFailure = (status: number, body: object): Response =>
  answerJson(status, body, {
    ...(status === 503 && { 'retry-after': RETRY_AFTER_SECONDS }),
    ...(status === 405 && { allow: 'POST' }),
  });

/** The messages of the webhook. A member is named by the opaque reference only. */
export const makeWebhookLogs = (log: LogSink) => ({
  received: ({ result, receipt }: Received, milliseconds: number) =>
    log('INFO', `[WEBHOOK] ${result}`, {
      event: 'webhook_received',
      result,
      action: receipt.action,
      member: receipt.member,
      milliseconds,
    }),
  followed: (member: string, result: FollowedHint, looks: number, milliseconds: number) =>
    log(result === 'unconfirmed' ? 'WARNING' : 'INFO', `[WEBHOOK] A hint was followed: ${result}`, {
      event: 'hint_followed',
      result,
      member,
      looks,
      milliseconds,
    }),
  skipped: () =>
    log('INFO', '[WEBHOOK] skipped: a placeholder', { event: 'webhook_received', result: 'skipped' }),
  refused: ({ code, httpStatus, details }: SyncError) =>
    log(httpStatus >= 500 ? severityOfFault(log, code) : 'WARNING', `[WEBHOOK] Refused: ${code}`, {
      event: 'webhook_refused',
      code,
      status: httpStatus,
      ...details,
    }),
  registerMissed: ({ code }: SyncError) =>
    log('WARNING', `[WEBHOOK] The register did not take the event: ${code}. Its next run will.`, {
      event: 'webhook_register_missed',
      code,
    }),
  failed: (reference: string, stack: string) =>
    log(severityOfFault(log, stack), '[WEBHOOK] Unexpected failure', {
      event: 'webhook_failed',
      reference,
      stack,
    }),
});

export type WebhookLogs = ReturnType<typeof makeWebhookLogs>;
