import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { MiddlewareHandler } from 'hono';
import type { Fault, FaultPlan } from './faults.ts';
import { hyphenate, makePlaceholderNumber, spellKennitala } from './kennitalas.ts';

/** What the handlers of one request share. */
export interface RegistryEnv {
  Bindings: HttpBindings;
  Variables: {
    /** How this request's answer misbehaves; empty for an honest answer. */
    fault: Fault;
  };
}

/** What a registry behind a login answers to a client without a session: a page, with status 200. */
const LOGIN_PAGE =
  '<!DOCTYPE html><html lang="is"><head><title>Innskráning</title></head><body><h1>Innskráning</h1></body></html>';

const DEFAULT_TRICKLE_BYTES = 64;

/** Finds the request's fault, and plays what concerns the answer as a whole or the way it is sent. Outermost. */
export const faultyTransport =
  (plan: FaultPlan): MiddlewareHandler<RegistryEnv> =>
  async (c, next) => {
    const fault = plan.take(c.req.path);
    c.set('fault', fault);
    if (fault.delay_ms) await pause(fault.delay_ms, c.env.outgoing);
    if (fault.disconnect === 'at-once') {
      c.env.outgoing.socket?.resetAndDestroy();
      return RESPONSE_ALREADY_SENT;
    }
    if (fault.status !== undefined) {
      return c.json({ detail: 'The stand-in was asked for this answer.' }, fault.status as 503);
    }
    if (fault.html) return c.html(LOGIN_PAGE);
    if (fault.redirect !== undefined) return c.redirect(fault.redirect, 302);

    await next();
    if (fault.trickle_ms || fault.disconnect === 'mid-body') {
      await sendBadly(c.env.outgoing, c.res, fault);
      // Taken away first: Hono would merge the headers of an answer that is replaced into the new one, by a copy that
      // the server no longer knows as already sent.
      c.res = undefined;
      c.res = RESPONSE_ALREADY_SENT;
    }
    return undefined;
  };

/** Plays what concerns the content. Inside compression, so that a spoiled answer is compressed like an honest one. */
export const faultyContent: MiddlewareHandler<RegistryEnv> = async (c, next) => {
  await next();
  const { fault } = c.var;
  if (!c.res.ok || Object.keys(fault).length === 0) return;
  const text = JSON.stringify(spoilJson((await c.res.json()) as Json, fault));
  const sent = fault.truncate ? text.slice(0, Math.floor(text.length / 2)) : text;
  c.res = new Response(sent, { status: c.res.status, headers: { 'Content-Type': 'application/json' } });
};

/** Writes the answer past Hono: only the bare socket can stop in the middle of a body. */
const sendBadly = async (
  outgoing: HttpBindings['outgoing'],
  answer: Response,
  fault: Fault,
): Promise<void> => {
  const body = Buffer.from(await answer.arrayBuffer());
  outgoing.writeHead(answer.status, { ...Object.fromEntries(answer.headers), 'content-length': body.length });
  const end = fault.disconnect === 'mid-body' ? Math.floor(body.length / 2) : body.length;
  const step = fault.trickle_ms ? (fault.trickle_bytes ?? DEFAULT_TRICKLE_BYTES) : Math.max(1, end);
  for (let at = 0; at < end && !outgoing.destroyed; at += step) {
    await new Promise<void>((resolve) =>
      outgoing.write(body.subarray(at, Math.min(end, at + step)), () => resolve()),
    );
    if (fault.trickle_ms) await pause(fault.trickle_ms, outgoing);
  }
  if (fault.disconnect === 'mid-body') outgoing.socket?.resetAndDestroy();
  else outgoing.end();
};

/** Ends early when the client hangs up, so that a closed server has no timer left over. */
const pause = async (ms: number, outgoing: HttpBindings['outgoing']): Promise<void> => {
  const hungUp = new AbortController();
  const abort = (): void => hungUp.abort();
  outgoing.once('close', abort);
  await sleep(ms, undefined, { signal: hungUp.signal }).catch(() => {});
  outgoing.off('close', abort);
};

type Json = Record<string, unknown>;

/** What a tired hand types. None of them can be read as a kennitala, not even after cleaning. */
const UNREADABLE = ['óþekkt', '12345', '123456789', '010190-29', 'x'.repeat(10)] as const;
/** So that these never repeat the registry's own. */
const FIRST_PLACEHOLDER = 900_000;
const LIST_KEYS = ['kennitalas', 'results', 'changes'] as const;

/** The answer with the fault in it. The answer's list, under whichever key it stands, and `count` change together. */
const spoilJson = (answer: Json, fault: Fault): Json => {
  const spoiled = { ...answer };
  const key = LIST_KEYS.find((name) => Array.isArray(answer[name]));
  if (key !== undefined) {
    const before = answer[key] as unknown[];
    const after = spoilList(before, fault);
    spoiled[key] = after;
    if (typeof answer['count'] === 'number') {
      spoiled['count'] = fault.empty ? 0 : answer['count'] + after.length - before.length;
    }
    if (fault.empty && 'next' in spoiled) spoiled['next'] = null;
  }
  if (typeof spoiled['count'] === 'number') spoiled['count'] += fault.count ?? 0;
  for (const name of fault.wrong_types ?? []) spoiled[name] = otherType(spoiled[name]);
  for (const name of fault.missing_keys ?? []) delete spoiled[name];
  return spoiled;
};

const spoilList = (list: readonly unknown[], fault: Fault): unknown[] => {
  if (fault.empty) return [];
  const spelled = list.map((entry, at) =>
    at < (fault.hyphens ?? 0) ? withNumber(entry, hyphenated) : entry,
  );
  const model = list[0] ?? '';
  const numbers = [
    ...times(fault.placeholders, (n) => spellKennitala(makePlaceholderNumber(FIRST_PLACEHOLDER + n))),
    ...times(fault.unreadable, (n) => UNREADABLE[n % UNREADABLE.length] ?? ''),
  ];
  const made = numbers.map((number) => withNumber(model, () => number));
  return [...spelled, ...spelled.slice(0, fault.duplicates ?? 0), ...made];
};

const times = <T>(count = 0, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

const hyphenated = (number: string): string => (number.includes('-') ? number : hyphenate(number));

/** An entry is a number itself, or an object that holds one as `ssn`. */
const withNumber = (entry: unknown, change: (number: string) => string): unknown =>
  typeof entry === 'string'
    ? change(entry)
    : typeof entry === 'object' && entry !== null && 'ssn' in entry
      ? { ...entry, ssn: change(String(entry.ssn)) }
      : entry;

const otherType = (value: unknown): unknown => {
  if (typeof value === 'string') return 7;
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? {} : [{ unexpected: true }, ...value.slice(1)];
  return 'unexpected';
};
