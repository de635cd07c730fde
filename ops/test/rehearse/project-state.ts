export type Json = Record<string, unknown>;

export interface Call {
  readonly method: string;
  /** Machine and path, without the API's version: `run.googleapis.com/projects/P/locations/L/services`. */
  readonly what: string;
  /** Of the API, such as `v2`. */
  readonly version: string;
  readonly query: URLSearchParams;
  readonly body: Json;
  readonly raw: Buffer;
  /** What the route's expression found. */
  readonly found: readonly string[];
}

/** What is in the project, by machine and path, as a Google API would answer it. */
export type State = Map<string, Json>;

/** A refusal, as Google words it. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Handle = (call: Call, state: State) => unknown;
/** `METHOD machine/path` without the API's version, and what is answered. */
export type Routes = readonly (readonly [RegExp, Handle])[];

export const PROJECT = 'demo-deploy';
export const PROJECT_NUMBER = '123456789012';
export const REGION = 'europe-west2';
export const FUNCTIONS = 'cloudfunctions.googleapis.com';
export const RUN = 'run.googleapis.com';
export const NOW = '2026-11-20T12:00:00.000000Z';

export const get = (state: State, what: string): Json => {
  const found = state.get(what);
  if (found === undefined) throw new Refusal(404, `Requested entity was not found: ${what}`);
  return found;
};

/** Keeps it, and answers it. */
export const put = (state: State, what: string, value: Json): Json => {
  state.set(what, value);
  return value;
};

/** Everything directly under a collection. */
export const under = (state: State, what: string): Json[] =>
  [...state]
    .filter(([key]) => key.startsWith(`${what}/`) && !key.slice(what.length + 1).includes('/'))
    .map(([, value]) => value);

/** Everything whose name has this in it. */
export const holding = (state: State, part: RegExp): Json[] =>
  [...state].filter(([key]) => part.test(key)).map(([, value]) => value);

/** A long-running operation that has ended already. */
export const done = (state: State, response: Json): Json =>
  put(state, `operations/o${state.size}`, { name: `operations/o${state.size}`, done: true, response });

/** Somebody has given a role under a condition on everything: `gcloud` then asks about each other binding, unless told. */
const CONDITIONAL = {
  role: 'roles/viewer',
  members: ['user:guest@example.is'],
  condition: { title: 'guest', expression: 'request.time < timestamp("2027-01-01T00:00:00Z")' },
};
/** Services and secrets go by their short names, projects by their id. */
export const policyKey = (what: string): string =>
  `policy:${what
    .replace(PROJECT_NUMBER, PROJECT)
    .replace(/^projects\/[^/]+\/locations\/[^/]+\//, '')
    .replace(/^projects\/[^/]+\/(?=secrets)/, '')}`;
export const policyOf = (state: State, what: string): Json =>
  state.get(policyKey(what)) ?? { version: 3, etag: 'BwX=', bindings: [CONDITIONAL] };
