import type { AllowStatement, Method, Ruleset } from './ast.ts';
import { EvaluationError } from './errors.ts';
import { evaluate, type Run } from './evaluate.ts';
import { fromJson, type Json } from './from-json.ts';
import { type Candidate, findCandidates } from './match.ts';
import { isMap, RulesObject, RulesPath, type Value } from './values.ts';

export type Fields = { readonly [key: string]: Json };

/** `path` is absolute: `databases/(default)/documents/members/x` or `b/bucket/o/name`. */
export interface RulesRequest {
  readonly method: Method;
  readonly path: string;
  readonly auth: { readonly uid: string; readonly token: Fields } | null;
  /** The stored document, or null where there is none. */
  readonly before: Fields | null;
  /** The document as it would be after the write; null for reads and deletes. */
  readonly after: Fields | null;
  readonly time: Date;
  /** What `get()` and `exists()` see besides, by path below `documents/`. */
  readonly documents?: { readonly [path: string]: Fields };
}

export interface Outcome {
  readonly statement: AllowStatement;
  readonly result: 'true' | 'false' | 'error';
}

export interface Decision {
  readonly isAllowed: boolean;
  /** One for each `allow` that speaks about the path and the method; all are evaluated, for the sake of coverage. */
  readonly outcomes: readonly Outcome[];
  readonly expressions: number;
}

/**
 * Decides one request: it is allowed if any `allow` that speaks about it is true. An error denies, but only its statement.
 *
 * @throws LimitError where the request would pass a published limit; UnsupportedError where the rules use what the
 *   evaluator does not know.
 */
export function decide(
  ruleset: Ruleset,
  request: RulesRequest,
  errors: Run['errors'] = 'absorbed',
): Decision {
  const documents = new Map(
    Object.entries(request.documents ?? {}).map(([path, data]) => [path, asMap(data)]),
  );
  const run: Run = { documents, errors, expressions: 0, callDepth: 0 };
  const segments = request.path.split('/');
  const candidates = findCandidates(ruleset, segments, globalsOf(ruleset.service, request, segments));
  const outcomes = candidates
    .filter(({ statement }) => statement.methods.includes(request.method))
    .map((candidate) => ({ statement: candidate.statement, result: judge(candidate, run) }));
  return {
    isAllowed: outcomes.some(({ result }) => result === 'true'),
    outcomes,
    expressions: run.expressions,
  };
}

function judge({ statement, scope }: Candidate, run: Run): Outcome['result'] {
  try {
    const value = evaluate(statement.condition, scope, run);
    return typeof value === 'boolean' ? (value ? 'true' : 'false') : 'error';
  } catch (error) {
    if (error instanceof EvaluationError) return 'error';
    throw error;
  }
}

function globalsOf(
  service: string,
  request: RulesRequest,
  segments: readonly string[],
): ReadonlyMap<string, Value> {
  const { auth, method, before, after } = request;
  const isFirestore = service === 'cloud.firestore';
  const fields = {
    auth: auth && new RulesObject('request.auth', { uid: auth.uid, token: fromJson(auth.token) }),
    method,
    path: new RulesPath(segments),
    time: fromJson(request.time),
    // Cloud Storage's resources have other fields; leaving them out makes a rule that reads them loud.
    // Nothing to read for a read or a delete: the engine fails, where null would be a value.
    ...(isFirestore && after ? { resource: resourceOf(after, segments) } : {}),
  };
  const absent = isFirestore && !after ? ['resource'] : [];
  const globals = new Map<string, Value>([['request', new RulesObject('request', fields, absent)]]);
  // A list is judged by its query's constraints, not by a document, so there is no `resource` to read either.
  if (isFirestore && method !== 'list') globals.set('resource', before && resourceOf(before, segments));
  return globals;
}

function resourceOf(data: Fields, segments: readonly string[]): RulesObject {
  return new RulesObject('resource', {
    data: fromJson(data),
    id: segments.at(-1) ?? '',
    __name__: new RulesPath(segments),
  });
}

function asMap(data: Fields): ReadonlyMap<string, Value> {
  const value = fromJson(data);
  return isMap(value) ? value : new Map();
}
