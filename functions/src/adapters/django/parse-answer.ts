import type { ZodType } from 'zod';
import { brokenOff, invalidAnswer, redirectFailure } from './failures.ts';

export interface Answer {
  readonly status: number;
  /** Null for a body that is not UTF-8. */
  readonly text: string | null;
  readonly contentType: string;
  /** Whether the answer says where it ends; otherwise a lost connection looks like its end. */
  readonly isDelimited: boolean;
  /** The status of the first redirect that was followed to it, null when it came directly. */
  readonly redirectStatus: number | null;
}

/**
 * A body as JSON. The parser's error quotes what it read, so neither its text nor the error itself (as a `cause`)
 * leaves this file.
 * @throws SyncError `registry_invalid_response`; `registry_rejected` for a web page at the end of a redirect, which is
 *   a login page; `registry_unreachable` for a part of an answer that does not say where it ends.
 */
export const parseJson = (where: string, answer: Answer): unknown => {
  const { text } = answer;
  if (text === null) throw invalidAnswer(where, 'the body is not UTF-8');
  try {
    return JSON.parse(text);
  } catch {
    if (isHtml(answer.contentType, text)) {
      if (answer.redirectStatus === null) throw invalidAnswer(where, 'the registry answered HTML, not JSON');
      throw redirectFailure(where, answer.redirectStatus, 'to a web page, probably a login page');
    }
    if (!answer.isDelimited) throw brokenOff(where);
    if (text.trim() === '') throw invalidAnswer(where, 'the body is empty');
    throw invalidAnswer(where, 'the body is not JSON, or only a part of it');
  }
};

/**
 * JSON as what its schema describes.
 * @throws SyncError `registry_invalid_response` naming the path of the first fault and what was expected there, never
 *   the value (which the schema's own error quotes).
 */
export const parseAnswer = <T>(where: string, value: unknown, schema: ZodType<T>): T => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue === undefined ? 'the answer' : pathOf(issue.path);
  throw invalidAnswer(where, `${path} ${expectationOf(issue)}`, { path });
};

/** Whether a refusal is the API's own word and not a proxy's, a framework's or a web page. Never throws. */
export const isAgreedRefusal = (answer: Answer, schema: ZodType): boolean => {
  try {
    return schema.safeParse(parseJson('', answer)).success;
  } catch {
    return false;
  }
};

const isHtml = (contentType: string, text: string): boolean =>
  /^\s*(text\/html|application\/xhtml)/i.test(contentType) || /^\s*</.test(text);

/** `kennitalas[17]`. A key that does not look like a field's name may be data: a map's keys are the registry's. */
const pathOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((before, segment) => {
    if (typeof segment === 'number') return `${before}[${segment}]`;
    const name = typeof segment === 'string' && /^[a-z][a-z_]{0,39}$/i.test(segment) ? segment : '*';
    return before === '' ? name : `${before}.${name}`;
  }, '') || 'the answer';

const expectationOf = (issue: { code?: string; expected?: unknown } | undefined): string => {
  if (issue?.code === 'invalid_type') return `is missing or not of type ${String(issue.expected)}`;
  if (issue?.code === 'too_small' || issue?.code === 'too_big') return 'is out of range';
  return 'is not of the agreed form';
};
