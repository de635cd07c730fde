import { PEOPLE } from '../cases/people.ts';
import { REMOVE, type RulesCase } from '../cases/rules-case.ts';
import type { Fields } from '../evaluator/decide.ts';
import type { Json } from '../evaluator/from-json.ts';

type WireValue = Readonly<Record<string, unknown>>;

export interface OfficialRules {
  /** @throws Error with the emulator's words when it cannot compile them */
  load(rules: string): Promise<void>;
  /** Stores a document past the rules, or sees to it that there is none. */
  store(path: string, fields: Fields | null): Promise<void>;
  /** Makes the case's call as its person. */
  decide(row: RulesCase): Promise<'allow' | 'deny'>;
  /** `true`, `false` or `error` as the condition of a `get` came out. */
  get(path: string, claims?: Fields): Promise<'true' | 'false' | 'error'>;
}

const PERMISSION_DENIED = 403;
/** What the emulator takes for a server: no rule binds it. */
const OWNER = 'owner';

/**
 * The official emulator by its REST API, which takes an unsigned token for a signed-in person as the browser's library
 * sends it. Each project has rules and documents of its own.
 */
export function makeOfficialRules(host: string, projectId: string): OfficialRules {
  const root = `projects/${projectId}/databases/(default)/documents`;

  const call = async (method: string, path: string, token: string | null, body?: object) => {
    const answer = await fetch(`http://${host}/${path}`, {
      method,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const mustWork = async (...request: Parameters<typeof call>) => {
    const { status, text } = await call(...request);
    if (status !== 200) throw new Error(`${request[0]} ${request[1]} was answered ${status}: ${text}`);
  };

  return {
    load: (content) =>
      mustWork('PUT', `emulator/v1/projects/${projectId}:securityRules`, null, {
        rules: { files: [{ name: 'firestore.rules', content }] },
      }),
    store: (path, fields) =>
      fields === null
        ? mustWork('DELETE', `v1/${root}/${path}`, OWNER)
        : mustWork('PATCH', `v1/${root}/${path}`, OWNER, { fields: toWireFields(fields) }),
    async decide(row) {
      const person = PEOPLE[row.who];
      const token = person && unsignedToken(projectId, person.uid, person.claims);
      const { status, text } = await call(...requestOf(row, root), token, bodyOf(row, root));
      if (status === PERMISSION_DENIED) return 'deny';
      // Who may ask for what is not there is told so.
      if (status === 200 || (status === 404 && row.operation === 'get')) return 'allow';
      throw new Error(`${row.title}: the emulator answered ${status}: ${text}`);
    },
    async get(path, claims = {}) {
      const { status, text } = await call('GET', `v1/${root}/${path}`, unsignedToken(projectId, 'u', claims));
      if (status === 200 || status === 404) return 'true';
      if (status === PERMISSION_DENIED) return text.includes("false for 'get'") ? 'false' : 'error';
      throw new Error(`${path}: the emulator answered ${status}: ${text}`);
    },
  };
}

function requestOf({ operation, path }: RulesCase, root: string): [method: string, path: string] {
  switch (operation) {
    case 'get':
      return ['GET', `v1/${root}/${path}`];
    case 'list':
      return ['GET', `v1/${root}/${path}`];
    case 'delete':
      return ['DELETE', `v1/${root}/${path}`];
    case 'create':
    case 'update':
      return ['POST', `v1/${root}:commit`];
    default: {
      const never: never = operation;
      throw new Error(`unknown operation ${String(never)}`);
    }
  }
}

/** As the client's library writes: a set of the whole document, or an update by paths of a document that exists. */
function bodyOf({ change, path }: RulesCase, root: string): object | undefined {
  if (!change) return undefined;
  const name = `${root}/${path}`;
  if ('set' in change) return { writes: [{ update: { name, fields: toWireFields(change.set) } }] };
  const entries = Object.entries(change.update);
  const written = entries.flatMap(([at, value]) => (value === REMOVE ? [] : [[at, value] as const]));
  return {
    writes: [
      {
        update: { name, fields: toWireFields(nested(written)) },
        updateMask: { fieldPaths: entries.map(([at]) => at) },
        currentDocument: { exists: true },
      },
    ],
  };
}

/** The fields that a mask of dot paths picks from: `a.b: 1` is `{a: {b: 1}}`. */
function nested(entries: readonly (readonly [string, Json])[]): Fields {
  const fields: { [key: string]: Json } = {};
  for (const [path, value] of entries) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    const parent = names.reduce((at, name) => {
      at[name] ??= {};
      return at[name] as { [key: string]: Json };
    }, fields);
    parent[last] = value;
  }
  return fields;
}

function unsignedToken(projectId: string, uid: string, claims: Fields): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const standard = {
    iss: `https://securetoken.google.com/${projectId}`,
    aud: projectId,
    sub: uid,
    user_id: uid,
    iat: now,
    exp: now + 3600,
  };
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode({ ...claims, ...standard })}.`;
}

function toWireFields(fields: Fields): Record<string, WireValue> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, toWire(value)]));
}

function toWire(value: Json): WireValue {
  if (value === null) return { nullValue: null };
  if (typeof value === 'boolean') return { booleanValue: value };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { integerValue: String(value) } : { doubleValue: value };
  if (value instanceof Date) return { timestampValue: value.toISOString() };
  if (Array.isArray(value)) return { arrayValue: { values: value.map((item: Json) => toWire(item)) } };
  return { mapValue: { fields: toWireFields(value as Fields) } };
}
