import { Agent, fetch } from 'undici';
import { z } from 'zod';
import { OpsError } from './ops-error.ts';
import type { Target } from './target.ts';
import { printableIn } from './text.ts';

/** A refusal of the API: a problem document (RFC 9457). */
export class ApiProblem extends OpsError {
  readonly status: number;
  readonly code: string;
  /** The whole document: a run that was refused or failed stands in it. */
  readonly document: unknown;

  constructor(status: number, code: string, detail: string, document: unknown) {
    super(`${code}: ${detail}`);
    this.status = status;
    this.code = code;
    this.document = document;
  }
}

/** The operators' API. Every answer is held to its schema. All throw ApiProblem for a refusal, OpsError otherwise. */
export interface Api {
  get<Schema extends z.ZodType>(path: string, schema: Schema, query?: Query): Promise<z.output<Schema>>;
  post<Schema extends z.ZodType>(path: string, body: object, schema: Schema): Promise<z.output<Schema>>;
  close(): Promise<void>;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

const READ_LIMIT_MS = 60_000;
/** A run answers when it has ended: at most the time limit of the API's function, 1,800 s, and the way there. */
const RUN_LIMIT_MS = 1_860_000;

const problem = z.looseObject({ code: z.string(), detail: z.string(), reference: z.string().optional() });

/** `raw`: for JSON, which says the same in its own spelling and is read by programs. */
export const makeApi = (target: Target, texts: 'printable' | 'raw'): Api => {
  const dispatcher = new Agent({ headersTimeout: RUN_LIMIT_MS, bodyTimeout: RUN_LIMIT_MS });
  let token: Promise<string> | undefined;

  const call = async <Schema extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    schema: Schema,
    body?: object,
  ): Promise<z.output<Schema>> => {
    token ??= target.token();
    const authorization = `Bearer ${await token}`;
    let status: number;
    let text: string;
    try {
      const response = await fetch(`${target.apiUrl}${path}`, {
        method,
        dispatcher,
        headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        redirect: 'manual',
        signal: AbortSignal.timeout(method === 'GET' ? READ_LIMIT_MS : RUN_LIMIT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      status = response.status;
      text = await response.text();
    } catch (cause) {
      throw new OpsError(lost(method, target), { cause });
    }
    const document = parseJson(text);
    return readAnswer(status, texts === 'raw' ? document : printableIn(document), schema);
  };

  return {
    get: (path, schema, query = {}) => call('GET', `${path}${queryText(query)}`, schema),
    post: (path, body, schema) => call('POST', path, schema, body),
    close: () => dispatcher.close(),
  };
};

const readAnswer = <Schema extends z.ZodType>(
  status: number,
  document: unknown,
  schema: Schema,
): z.output<Schema> => {
  if (status !== 200) {
    const read = problem.safeParse(document);
    if (!read.success) {
      throw new OpsError(
        `The API answered ${status} without saying why. Is opsApi deployed, the address right?`,
      );
    }
    const { code, detail, reference } = read.data;
    const said = reference === undefined ? detail : `${detail} Reference: ${reference}`;
    throw new ApiProblem(status, code, said, document);
  }
  const read = schema.safeParse(document);
  if (read.success) return read.data;
  const fields = read.error.issues.map(({ path }) => path.join('.')).slice(0, 5);
  throw new OpsError(
    `The API's answer is not of the agreed form (${fields.join(', ')}). Are both of one version?`,
  );
};

/** What was sent to be written may have been: the operator has to look, and not to think that it failed. */
const lost = (method: 'GET' | 'POST', { apiUrl }: Target): string =>
  method === 'GET'
    ? `The API does not answer at ${apiUrl}.`
    : 'The API did not answer. Whether it does what was asked is not known: look with status and runs.';

const queryText = (query: Query): string => {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
