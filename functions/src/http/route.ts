import { z } from 'zod';
import type { AdminCaller } from './callers.ts';
import { answerJson, type HttpAnswer, parseBody, parseInput } from './problems.ts';

/** What a handler gets: everything checked. */
export interface RouteInput<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: AdminCaller;
  /** Stands in the answer's `x-request-id` and in the log. */
  readonly requestId: string;
}

/** An answer that is no plain 200: a problem document, say. */
export interface OtherAnswer {
  readonly answer: HttpAnswer;
}

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
  /** Of a 200. Handlers are held to it by the compiler, answers by the tests. */
  readonly answer: Answer;
  readonly handle: (
    input: RouteInput<z.output<Params>, z.output<Query>, z.output<Body>>,
  ) => Promise<z.output<Answer> | OtherAnswer>;
}

/** What came in, unchecked, from a caller who is known. */
export interface RawInput {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly rawBody: Uint8Array;
  readonly caller: AdminCaller;
  readonly requestId: string;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly answer: z.ZodType;
  /** Throws `invalid_request`, and whatever the handler throws. */
  readonly run: (raw: RawInput) => Promise<HttpAnswer>;
}

const nothing = z.strictObject({});

/** One route: its checks and its handler in one place. What a route does not declare it does not accept. */
export const defineRoute = <
  Answer extends z.ZodType<object>,
  Params extends z.ZodType = typeof nothing,
  Query extends z.ZodType = typeof nothing,
  Body extends z.ZodType = typeof nothing,
>(
  definition: RouteDefinition<Params, Query, Body, Answer>,
): Route => ({
  method: definition.method,
  path: definition.path,
  answer: definition.answer,
  run: async ({ params, query, rawBody, caller, requestId }) => {
    const result = await definition.handle({
      params: parseInput('path', params, (definition.params ?? nothing) as Params),
      query: parseInput('query', query, (definition.query ?? nothing) as Query),
      body: parseBody(rawBody, (definition.body ?? nothing) as Body),
      caller,
      requestId,
    });
    return isOther(result) ? result.answer : answerJson(200, result as object);
  },
});

const isOther = (result: unknown): result is OtherAnswer =>
  typeof result === 'object' && result !== null && 'answer' in result && 'headers' in Object(result.answer);
