import { z } from 'zod';
import { SyncError } from '../lib/errors.ts';
import type { Authorize, Caller, RateLimit } from './callers.ts';
import { parseJsonBody } from './front.ts';

/** What a handler gets: everything checked. */
export interface RouteInput<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** Stands in the answer's `x-request-id` and in the log. */
  readonly requestId: string;
}

/** Everybody may call; what is logged says "nobody". */
export const EVERYBODY = 'everybody';

/** Who may call a route: whoever is proved so, or everybody; it may depend on what is asked. */
export type WhoMayCall = (query: Readonly<Record<string, string>>) => Authorize | typeof EVERYBODY;

export interface RouteDefinition<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> {
  readonly method: 'GET' | 'POST';
  /** As the router spells it: `/runs/:id`. */
  readonly path: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Handlers are held to it by the compiler, answers by the tests. */
  readonly answer: Answer;
  /** When an answer of the same shape is no 200. A failure is no answer: it is thrown. */
  readonly unless?: {
    readonly when: (answer: z.output<Answer>) => boolean;
    readonly status: number;
    readonly description: string;
  };
  /** Without it, whoever may call the app. */
  readonly who?: WhoMayCall;
  /** How often one caller may come, beside the app's own limits. */
  readonly limit?: RateLimit;
  /** For the OpenAPI document: a sentence, and the names of its security schemes. */
  readonly summary?: string;
  readonly security?: readonly string[] | undefined;
  readonly handle: (
    input: RouteInput<z.output<Params>, z.output<Query>, z.output<Body>>,
  ) => Promise<z.output<Answer>>;
}

/** What came in, unchecked, from a caller who is known. */
export interface RawInput {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly rawBody: Uint8Array;
  readonly caller: Caller;
  readonly requestId: string;
}

type AnyDefinition = RouteDefinition<z.ZodType, z.ZodType, z.ZodType, z.ZodType>;

export interface Route extends Omit<AnyDefinition, 'handle' | 'unless'> {
  readonly unless?: { readonly status: number; readonly description: string } | undefined;
  /** Throws `invalid_request`, and whatever the handler throws. */
  readonly run: (raw: RawInput) => Promise<{ readonly status: number; readonly body: object }>;
}

const nothing = z.strictObject({});

/** One route: its checks and its handler in one place. What a route does not declare it does not accept. */
export const defineRoute = <
  Answer extends z.ZodType<object>,
  Params extends z.ZodType = typeof nothing,
  Query extends z.ZodType = typeof nothing,
  Body extends z.ZodType = typeof nothing,
>({
  handle,
  ...definition
}: RouteDefinition<Params, Query, Body, Answer>): Route => ({
  ...definition,
  run: async ({ params, query, rawBody, caller, requestId }) => {
    const body = await handle({
      params: parseInput('path', params, (definition.params ?? nothing) as Params),
      query: parseInput('query', query, (definition.query ?? nothing) as Query),
      body: parseBody(rawBody, (definition.body ?? nothing) as Body),
      caller,
      requestId,
    });
    const { unless } = definition;
    return { status: unless?.when(body) ? unless.status : 200, body };
  },
});

/** A JSON body whatever its type says, under a schema; no bytes count as `{}`. Throws `invalid_request`. */
const parseBody = <Schema extends z.ZodType>(rawBody: Uint8Array, schema: Schema): z.output<Schema> =>
  parseInput('body', rawBody.byteLength === 0 ? {} : parseJsonBody(rawBody), schema);

/** What a caller sent, under a schema. Throws `invalid_request` that names the first faults' fields, never their values. */
export const parseInput = <Schema extends z.ZodType>(
  what: 'body' | 'query' | 'path',
  input: unknown,
  schema: Schema,
): z.output<Schema> => {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, 5).map(({ code, path, message }) => {
    const where = path.length === 0 ? what : path.map(String).join('.');
    // A key that the caller made up could be anything.
    return `${where}: ${code === 'unrecognized_keys' ? 'has a key that is not known here' : message}`;
  });
  throw new SyncError('invalid_request', `The ${what} is not of the agreed form: ${faults.join('; ')}`);
};
