import { aborted, isDeepStrictEqual } from 'node:util';
import type { RegistryHttp } from '../../src/adapters/django/registry-http.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { bucketOf, DIGEST_SCHEME, keySumsOf, tryDigest } from '../../src/domain/member/digest.ts';
import type { Json } from '../../src/domain/member/fields.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { Change } from '../../src/registry/ports.ts';
import type { MakeCall } from '../support/memory/call.ts';
import { sumsOf, withDigest } from '../support/sums.ts';

/**
 * with the companion app: counts versions, signs its events and sends them until they are acknowledged, compares what a change
 *                         was made on, and gives sums of digests
 * without it:             announces changes of the member's own row once, tells nothing of contacts, writes of what it is sent
 *                         an e-mail that is not empty, answers `success` to all else, and shows one member from other tables
 * that only writes:       announces all, writes all that it is sent, and shows one member as its list does, without versions
 */
export type RegistryKind = 'with the companion app' | 'without it' | 'that only writes';

export const PATHS = ['profile.email', 'profile.facebook', 'profile.reachable'] as const;
export type Path = (typeof PATHS)[number] | 'name';
export type Values = Readonly<Record<Path, Json>>;
/** What the registry refuses to keep. */
export const REFUSED_VALUE = 'refused';
export const isTakenByLegacy = (path: string, value: Json): boolean =>
  path === 'profile.email' && value !== '';

interface Row {
  readonly id: number;
  readonly values: Values;
  readonly version: number;
  readonly modifiedAt: number;
  readonly changedAt: Readonly<Record<string, number>>;
}

/** One value that a field has had, and who wrote it over what. */
export interface Told {
  readonly kennitala: Kennitala;
  readonly path: string;
  readonly value: Json;
  readonly before: Json;
  readonly by: 'registry' | 'portal';
  readonly at: number;
  /** False for what a member joined with. */
  readonly wasEdited: boolean;
}

/** An event on its way to our webhook. */
export interface Announced {
  readonly id: string;
  readonly body: string;
  /** The row of the change queue that it acknowledges; null without the companion app. */
  readonly row: number | null;
}

type Moment = Pick<Told, 'at'> & { readonly isThere: boolean };

interface QueueRow {
  readonly id: number;
  readonly ssn: Kennitala;
  readonly action: 'create' | 'update' | 'delete';
  readonly created_at: string;
}

export const BASE_URL = 'https://registry.example.is/';
/** So few that a list has several pages, each read at its own moment. */
const PAGE_SIZE = 2;
const JOINED: Values = {
  name: 'Generated',
  'profile.email': '',
  'profile.facebook': '',
  'profile.reachable': false,
};

export const makeRegistry = (kind: RegistryKind, now: () => number, { allowsCreate = false } = {}) => {
  const isCompanion = kind === 'with the companion app';
  const isLegacy = kind === 'without it';
  const rows = new Map<Kennitala, Row>();
  /** When each member came and went, ever. */
  const presence = new Map<Kennitala, Moment[]>();
  const told: Told[] = [];
  const announced: Announced[] = [];
  const queue: QueueRow[] = [];
  const remembered = new Map<string, { readonly change: unknown; readonly answer: object }>();
  const corrected = new Map<Kennitala, Kennitala>();
  let [version, ids] = [0, 0];

  const iso = (): string => new Date(now()).toISOString();

  /** The number that a person has now, or had last. */
  const personOf = (kennitala: Kennitala): Kennitala => {
    const to = corrected.get(kennitala);
    return to === undefined ? kennitala : personOf(to);
  };
  const momentsOf = (kennitala: Kennitala): Moment[] => presence.get(kennitala) ?? [];

  const announce = (kennitala: Kennitala, action: QueueRow['action'], isOwn = true): void => {
    const data = action === 'delete' ? {} : { data: wireOf(kennitala) };
    const event = { kennitala, action, ...data, occurred_at: iso(), ...(isCompanion && { version }) };
    announced.push({ id: `msg_${version}`, body: JSON.stringify(event), row: isCompanion ? version : null });
    if (isCompanion || isOwn) queue.push({ id: version, ssn: kennitala, action, created_at: iso() });
  };

  const write = (kennitala: Kennitala, values: Partial<Values>, by: Told['by'], wasEdited = true): void => {
    const row = rows.get(kennitala) as Row;
    version += 1;
    const changedAt: Record<string, number> = { ...row.changedAt };
    for (const [path, value] of Object.entries(values)) {
      told.push({ kennitala, path, value, before: row.values[path as Path], by, at: now(), wasEdited });
      changedAt[path] = now();
    }
    rows.set(kennitala, {
      ...row,
      values: { ...row.values, ...values },
      version,
      modifiedAt: now(),
      changedAt,
    });
  };

  const wireOf = (kennitala: Kennitala): Record<string, unknown> | null => {
    const row = rows.get(kennitala);
    if (row === undefined) return null;
    const { values } = row;
    const wire = {
      id: row.id,
      ssn: kennitala,
      name: values.name,
      reachable: values['profile.reachable'],
      contact_info: { email: values['profile.email'], facebook: values['profile.facebook'] },
      ...(isCompanion && { version: row.version }),
    };
    return isCompanion ? withDigest(wire) : wire;
  };

  const applyOne = (change: Change): object => {
    const { kennitala, changes, expected } = change;
    const row = rows.get(kennitala);
    if (change.action === 'create') return create(change);
    if (row === undefined) return refuse('unknown_member');
    const isTaken = (path: string, value: Json) => !isLegacy || isTakenByLegacy(path, value);
    const entries = Object.entries(changes).filter(([path, value]) => isTaken(path, value));
    if (entries.some(([, value]) => value === REFUSED_VALUE)) return refuse('invalid_value');
    const differing = entries.filter(([path, value]) => !isDeepStrictEqual(row.values[path as Path], value));
    const disputed = differing.filter(
      ([path]) => !isDeepStrictEqual(row.values[path as Path], expected?.[path]),
    );
    if (isCompanion && disputed.length > 0) {
      const times = disputed.flatMap(([path]) => row.changedAt[path] ?? []);
      const changed_at = times.length === 0 ? null : new Date(Math.max(...times)).toISOString();
      const current = Object.fromEntries(entries.map(([path]) => [path, row.values[path as Path]]));
      return { status: 'conflict', current, version: row.version, changed_at };
    }
    if (differing.length > 0) {
      write(kennitala, Object.fromEntries(differing), 'portal');
      announce(kennitala, 'update', false);
    }
    return { status: 'success', ...(isCompanion && { version: rows.get(kennitala)?.version }) };
  };

  const create = ({ kennitala, changes }: Change): object => {
    if (!allowsCreate) return refuse('action_not_allowed');
    if (rows.has(kennitala)) return refuse('already_exists');
    const told = Object.entries(changes).filter(([path]) => (PATHS as readonly string[]).includes(path));
    join(kennitala, { name: changes['profile.name'] ?? '', ...Object.fromEntries(told) }, 'portal');
    return { status: 'success', ...(isCompanion && { version }) };
  };

  const come = (kennitala: Kennitala, row: Row): void => {
    rows.set(kennitala, row);
    presence.set(kennitala, [...momentsOf(kennitala), { at: now(), isThere: true }]);
    corrected.delete(kennitala);
  };

  const join = (kennitala: Kennitala, values: Partial<Values>, by: Told['by'] = 'registry'): void => {
    ids += 1;
    come(kennitala, { id: ids, values: JOINED, version: 0, modifiedAt: now(), changedAt: {} });
    write(kennitala, { ...JOINED, ...values }, by, false);
    announce(kennitala, 'create');
  };

  const leave = (kennitala: Kennitala): void => {
    rows.delete(kennitala);
    momentsOf(kennitala).push({ at: now(), isThere: false });
    version += 1;
    announce(kennitala, 'delete');
  };

  const acknowledge = (isTold: (row: QueueRow) => boolean): void => {
    queue.splice(0, queue.length, ...queue.filter((row) => !isTold(row)));
  };

  /** The companion app remembers its answers by the change's id. */
  const apply = (change: Change): object => {
    const known = isCompanion ? remembered.get(change.change_id) : undefined;
    const request = { ...change, edited_at: null };
    const isSame = known !== undefined && isDeepStrictEqual(known.change, request);
    if (isSame) return { ssn: change.kennitala, ...known.answer };
    const hadSuccess = known !== undefined && 'status' in known.answer && known.answer.status === 'success';
    const answer = hadSuccess ? refuse('change_id_reused') : applyOne(change);
    if (!('code' in answer)) remembered.set(change.change_id, { change: request, answer });
    return { ssn: change.kennitala, ...answer };
  };

  const list = (query: Readonly<Record<string, string>>): object => {
    const { page = '1', page_size = '500', modified_since, bucket, after } = query;
    const size = Math.min(Number(page_size), PAGE_SIZE);
    const since = modified_since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(modified_since);
    const isAsked = ([kennitala, row]: [Kennitala, Row]): boolean =>
      row.modifiedAt >= since && (bucket === undefined || bucketOf(kennitala) === Number(bucket));
    const found = [...rows].filter(isAsked).sort(([, a], [, b]) => a.id - b.id);
    // With the companion app a page begins after the last row of the one before; otherwise rows are counted.
    const from =
      after === undefined ? (Number(page) - 1) * size : found.findIndex(([, { id }]) => id > Number(after));
    const rowsOfPage = from < 0 ? [] : found.slice(from, from + size);
    const last = rowsOfPage.at(-1)?.[1].id;
    const next = new URLSearchParams({ ...query, page: String(Number(page) + 1) });
    if (isCompanion && last !== undefined) next.set('after', String(last));
    return {
      count: found.length,
      next: from >= 0 && from + size < found.length ? `${BASE_URL}api/members/?${next}` : null,
      results: rowsOfPage.map(([kennitala]) => wireOf(kennitala)),
    };
  };

  const digests = (): object => {
    const members = [...rows.keys()];
    const keys = keySumsOf(members);
    const sums = sumsOf(members.map((kennitala) => [kennitala, tryDigest(wireOf(kennitala)?.['digest'])]));
    const buckets = sums.map((sum, bucket) => ({ bucket, ...sum, ka: keys[bucket]?.a, kb: keys[bucket]?.b }));
    return { scheme: DIGEST_SCHEME, newest_version: version, buckets };
  };

  /** `null`: 404, as each route says it. */
  const answer = (route: string, { query = {}, params = {}, body = {} }: Asked): object | null => {
    switch (route) {
      case '/api/members/kennitalas/':
        return { count: rows.size, kennitalas: [...rows.keys()], exported_at: iso() };
      case '/api/members/':
        return list(query);
      case '/api/sync/member/:ssn/': {
        const wire = wireOf(params['ssn'] as Kennitala);
        if (wire === null || !isLegacy) return wire;
        const { ssn, name, reachable } = wire;
        return { ssn, name, reachable, email: 'old@example.is' };
      }
      case '/api/sync/apply/':
        return { results: (body as { changes: Change[] }).changes.map(self.apply) };
      case '/api/sync/changes/':
        return { changes: queue.map((row) => ({ ...row })) };
      case '/api/sync/mark-synced/': {
        const marked = new Set((body as { sync_ids: number[] }).sync_ids);
        acknowledge(({ id }) => marked.has(id));
        return { success: true };
      }
      case '/api/sync/digests/':
        return isCompanion ? digests() : null;
      default:
        throw new Error(`The registry has no route ${route}.`);
    }
  };

  const httpOf = (call: MakeCall): Omit<RegistryHttp, 'close'> => {
    const ask = async (method: string, route: string, asked: Asked = {}): Promise<object | null> => {
      const { signal } = asked;
      const given = call('registry', `${method} ${route}`, () => answer(route, asked));
      if (signal === undefined) return given;
      const over = aborted(signal, given).then(() => {
        if (signal.reason instanceof SyncError) throw signal.reason;
        throw new SyncError('registry_timeout', 'The registry did not answer in time.');
      });
      return Promise.race([given, over]);
    };
    const found = async (method: string, route: string, asked: Asked): Promise<object> => {
      const said = await ask(method, route, asked);
      if (said !== null) return said;
      throw new SyncError('registry_rejected', 'There is nothing there.', { details: { status: 404 } });
    };
    return {
      getJson: async (route, schema, options) => schema.parse(await found('GET', route, options as Asked)),
      findJson: async (route, schema, options) =>
        schema.nullable().parse(await ask('GET', route, options as Asked)),
      postJson: async (route, body, schema, options) =>
        schema.parse(await found('POST', route, { ...(options as Asked), body })),
    };
  };

  const self = {
    kind,
    isCompanion,
    allowsCreate,
    rows,
    presence,
    told,
    announced,
    httpOf,
    queue,
    /** What it does with one change that it is sent. */
    apply,
    answer,
    wireOf,
    get version() {
      return version;
    },
    /** Our webhook has answered 200: with the companion app that acknowledges the change. */
    acknowledge: ({ row }: Announced): void => {
      if (row !== null) acknowledge(({ id }) => id === row);
    },
    join,
    leave,
    /** `wasEdited` false: as after an import, nobody's word over what was there. */
    edit: (kennitala: Kennitala, values: Partial<Values>, wasEdited = true): void => {
      write(kennitala, values, 'registry', wasEdited);
      // Without the companion app nobody hears of a change beside the member's own row.
      const isOwn = 'name' in values || 'profile.reachable' in values;
      if (!isLegacy || isOwn) announce(kennitala, 'update');
    },
    /** A wrong number is corrected: the row stays, its old number is deleted and the new one created. */
    correctNumber: (from: Kennitala, to: Kennitala): void => {
      const row = rows.get(from) as Row;
      leave(from);
      version += 1;
      come(to, { ...row, version, modifiedAt: now() });
      corrected.set(from, to);
      announce(to, 'create');
    },
    /** Without the companion app: a deletion that is announced and rolled back. */
    announceInVain: (kennitala: Kennitala): void => {
      version += 1;
      announce(kennitala, 'delete', false);
    },
    personOf,
    /** Whether nobody could tell whose document it was: its row is gone, or it had none and its number was corrected. */
    isLost: (id: number | null, kennitala: Kennitala): boolean =>
      id === null ? corrected.has(kennitala) : ![...rows.values()].some((row) => row.id === id),
    /** All that was written of a field of a person's. */
    toldOf: (kennitala: Kennitala, path: string, by?: Told['by']): Told[] =>
      told.filter(
        (it) => it.path === path && personOf(it.kennitala) === personOf(kennitala) && it.by === (by ?? it.by),
      ),
    /** Whether the registry had the number, or lacked it, at some moment from then on. */
    was: (isThere: boolean, kennitala: Kennitala, since: number): boolean =>
      isEver(isThere, momentsOf(kennitala), since),
    /** Whether the registry lacked the person under each of their numbers. */
    wasAway: (kennitala: Kennitala, since: number): boolean => {
      const numbers = [...presence.keys()].filter((one) => personOf(one) === personOf(kennitala));
      const moments = numbers.flatMap(momentsOf).sort((a, b) => a.at - b.at || (a.isThere ? 1 : -1));
      // A number that is corrected goes and comes at once.
      const lasting = moments.filter(({ at }, n) => moments[n + 1]?.at !== at);
      return isEver(false, lasting, since);
    },
  };
  return self;
};

export type Registry = ReturnType<typeof makeRegistry>;

interface Asked {
  readonly query?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

const isEver = (isThere: boolean, moments: readonly Moment[], since: number): boolean => {
  const before = moments.findLast(({ at }) => at <= since)?.isThere ?? false;
  return before === isThere || moments.some((one) => one.at > since && one.isThere === isThere);
};

const refuse = (code: string): object => ({ status: 'error', code, message: 'refused by the model' });
