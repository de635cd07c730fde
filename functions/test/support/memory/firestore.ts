import { FieldPath, FieldValue, type Firestore, Timestamp } from 'firebase-admin/firestore';
import type { MakeCall } from './call.ts';

type Data = Readonly<Record<string, unknown>>;

interface Held {
  readonly data: Data;
  readonly createTime: Timestamp;
  readonly updateTime: Timestamp;
}

/** A document as it is or was; what the adapters ask of a snapshot. */
export interface Snapshot {
  readonly id: string;
  readonly ref: unknown;
  readonly exists: boolean;
  readonly createTime: Timestamp | undefined;
  readonly updateTime: Timestamp | undefined;
  readonly readTime: Timestamp;
  data(): Data | undefined;
  get(path: string): unknown;
}

/** One write of a document, for the triggers. */
export interface Written {
  readonly path: string;
  readonly before: Snapshot;
  readonly after: Snapshot;
}

/** What a process is shown of a document, and what becomes of a write of its; null: nothing. */
export interface Lens {
  readonly read?: (path: string, data: Data) => Data;
  readonly write?: (write: Write, before: Data | null) => Write | null;
}

type Collections = Map<string, Map<string, Held>>;

export interface Write {
  readonly kind: 'create' | 'set' | 'merge' | 'update' | 'delete';
  readonly path: string;
  readonly data: Data;
  readonly ifUpdateTime: Timestamp | null;
}

export const [NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED] = [5, 6, 9, 10];
const failure = (code: number): Error => Object.assign(new Error(`Firestore refuses: ${code}`), { code });

/**
 * Firestore in memory, as far as this project's adapters use its client. Commits are atomic, conditions hold at the commit, and
 * a transaction commits only if all that it read is still so; otherwise it is tried again, as the client does it.
 */
export const makeMemoryFirestore = (
  now: () => number,
  onWrite: (written: Written) => void = () => undefined,
) => {
  const collections: Collections = new Map();
  const collectionAt = (path: string): Map<string, Held> => {
    const name = parentOf(path);
    const found = collections.get(name) ?? new Map<string, Held>();
    collections.set(name, found);
    return found;
  };
  let last = { ms: 0, micros: 0 };

  const nextTime = (): Timestamp => {
    const ms = Math.max(now(), last.ms);
    const micros = ms === last.ms ? last.micros + 1 : 0;
    last = { ms: ms + Math.floor(micros / 1_000), micros: micros % 1_000 };
    return new Timestamp(Math.floor(last.ms / 1_000), (last.ms % 1_000) * 1_000_000 + last.micros * 1_000);
  };

  const held = (path: string): Held | null => collections.get(parentOf(path))?.get(path) ?? null;

  const commit = (writes: readonly Write[]): Timestamp => {
    const changed = new Map<string, Held | null>();
    const seen = (path: string): Held | null =>
      changed.has(path) ? (changed.get(path) ?? null) : held(path);
    const updateTime = nextTime();
    commitTime = updateTime;
    for (const { kind, path, data, ifUpdateTime } of writes) {
      const before = seen(path);
      if (kind === 'create' && before !== null) throw failure(ALREADY_EXISTS);
      if (kind === 'update' && before === null) throw failure(NOT_FOUND);
      if (ifUpdateTime !== null && before?.updateTime.isEqual(ifUpdateTime) !== true) {
        throw failure(FAILED_PRECONDITION);
      }
      changed.set(
        path,
        kind === 'delete'
          ? null
          : {
              data: written(kind, before?.data ?? {}, data),
              createTime: before?.createTime ?? updateTime,
              updateTime,
            },
      );
    }
    const before = [...changed.keys()].map((path) => [path, held(path)] as const);
    for (const [path, after] of changed) {
      if (after === null) collectionAt(path).delete(path);
      else collectionAt(path).set(path, after);
    }
    for (const [path, was] of before) {
      const is = changed.get(path) ?? null;
      if (was !== null || is !== null) {
        onWrite({ path, before: snapshotOf(path, was), after: snapshotOf(path, is) });
      }
    }
    return updateTime;
  };

  const snapshotOf = (
    path: string,
    found: Held | null,
    ref: unknown = null,
    fields: Fields = null,
  ): Snapshot => {
    const data = found === null ? undefined : fields === null ? found.data : masked(found.data, fields);
    return {
      id: idOf(path),
      ref,
      exists: found !== null,
      createTime: found?.createTime,
      updateTime: found?.updateTime,
      readTime: Timestamp.fromMillis(now()),
      data: () => data,
      get: (field) => (data === undefined ? undefined : valueAt(data, field)),
    };
  };

  /** The client of one instance: each request waits to be let go. */
  const clientOf = (
    call: MakeCall,
    sleep: (ms: number) => Promise<unknown>,
    random: () => number,
    lens: Lens = {},
  ): Firestore => {
    const request = <T>(what: string, effect: () => T): Promise<T> => call('firestore', what, effect);
    const show = (path: string, found: Held | null, fields: Fields = null): Snapshot => {
      const { read: seen } = lens;
      const shownAs =
        found === null || seen === undefined ? found : { ...found, data: seen(path, found.data) };
      return snapshotOf(path, shownAs, refOf(path), fields);
    };
    const read = (path: string, fields: Fields = null) => show(path, held(path), fields);
    const send = (writes: readonly Write[]): { readonly writeTime: Timestamp }[] => {
      const { write: sent } = lens;
      const writeTime = commit(
        sent === undefined ? writes : writes.flatMap((one) => sent(one, held(one.path)?.data ?? null) ?? []),
      );
      return writes.map(() => ({ writeTime }));
    };

    /** One of a client, since each snapshot of a history has one. */
    class DocumentRef {
      readonly path: string;
      constructor(path: string) {
        this.path = path;
      }
      get id() {
        return idOf(this.path);
      }
      get parent() {
        return collectionOf(parentOf(this.path));
      }
      get firestore() {
        return client;
      }
      collection(name: string) {
        return collectionOf(`${this.path}/${name}`);
      }
      get() {
        return request(`read ${shown(this.path)}`, () => read(this.path));
      }
      create(data: Data) {
        return one({ kind: 'create', path: this.path, data, ifUpdateTime: null });
      }
      set(data: Data, { merge = false } = {}) {
        return one({ kind: merge ? 'merge' : 'set', path: this.path, data, ifUpdateTime: null });
      }
      update(data: Data) {
        return one({ kind: 'update', path: this.path, data, ifUpdateTime: null });
      }
      delete({ lastUpdateTime = null }: { lastUpdateTime?: Timestamp | null } = {}) {
        return one({ kind: 'delete', path: this.path, data: {}, ifUpdateTime: lastUpdateTime });
      }
      listCollections() {
        return request(`list below ${shown(this.path)}`, () => {
          const below = [...collections].filter(
            ([name, { size }]) => size > 0 && parentOf(name) === this.path,
          );
          return below.map(([name]) => collectionOf(name));
        });
      }
    }
    const refOf = (path: string): object => new DocumentRef(path);
    const one = async (write: Write) =>
      (await request(`${write.kind} ${shown(write.path)}`, () => send([write])))[0];

    const queryOf = (query: Query): object => {
      const found = (): Snapshot[] =>
        select(collections, query).map(([path, document]) => show(path, document, query.fields));
      const what = `query ${query.collection}`;
      return {
        where: (path: unknown, op: string, value: unknown) =>
          queryOf({
            ...query,
            filters: [...query.filters, { path: pathOf(path), op, value: stored(value) }],
          }),
        orderBy: (path: unknown, direction = 'asc') =>
          queryOf({
            ...query,
            orders: [...query.orders, { path: pathOf(path), isDown: direction === 'desc' }],
          }),
        limit: (limit: number) => queryOf({ ...query, limit }),
        select: (...fields: string[]) => queryOf({ ...query, fields }),
        startAfter: (...after: unknown[]) => queryOf({ ...query, after }),
        get: () => request(what, () => toResult(found())),
        count: () => ({ get: () => request(what, () => ({ data: () => ({ count: found().length }) })) }),
        aggregate: (asked: Readonly<Record<string, { aggregateType: string; _field?: string }>>) => ({
          get: () =>
            request(what, () => {
              const sums = Object.entries(asked).map(([name, { aggregateType, _field = '' }]) => {
                const values = found().map((document) =>
                  aggregateType === 'count' ? 1 : document.get(_field),
                );
                return [name, values.reduce((sum: number, value) => sum + (Number(value) || 0), 0)];
              });
              return { data: () => Object.fromEntries(sums) };
            }),
        }),
        /** Two documents a message, so that others can come between. */
        stream: () => ({
          destroy: () => undefined,
          async *[Symbol.asyncIterator]() {
            for (let after: unknown[] = []; ; ) {
              const page = { ...query, limit: STREAMED_AT_ONCE, after };
              const documentsNow = await request(what, () =>
                select(collections, page).map(([path, document]) => show(path, document)),
              );
              yield* documentsNow;
              if (documentsNow.length < STREAMED_AT_ONCE) return;
              after = [documentsNow.at(-1)];
            }
          },
        }),
        [ASK]: found,
      };
    };
    const collectionOf = (path: string): object => ({
      ...queryOf({ ...EVERYTHING, collection: path }),
      id: idOf(path),
      path,
      get parent() {
        return path.includes('/') ? refOf(path.slice(0, path.lastIndexOf('/'))) : null;
      },
      doc: (id = `auto${String(Math.floor(random() * 1e15)).padStart(15, '0')}`) => refOf(`${path}/${id}`),
      listDocuments: () =>
        request(`list ${shown(path)}`, () =>
          select(collections, { ...EVERYTHING, collection: path }).map(([found]) => refOf(found)),
        ),
    });
    const getAll = (args: readonly unknown[], effect = read): Snapshot[] => {
      const mask = args.find((arg): arg is { fieldMask: string[] } =>
        Object.hasOwn(arg as object, 'fieldMask'),
      );
      return args
        .filter((arg) => arg !== mask)
        .map((ref) => effect((ref as { path: string }).path, mask?.fieldMask ?? null));
    };

    /** What is read is noted; it must still be so at the commit. */
    const transaction = () => {
      const reads: (() => string)[] = [];
      const seen: string[] = [];
      const noted = (state: () => string): void => {
        reads.push(state);
        seen.push(state());
      };
      const readNoted = (path: string, fields: Fields = null): Snapshot => {
        noted(() => stateOf(held(path)));
        return read(path, fields);
      };
      const writes: Write[] = [];
      return {
        writes,
        isAsRead: () => reads.every((state, n) => state() === seen[n]),
        handle: {
          get: (asked: { readonly path: string; readonly [ASK]?: () => Snapshot[] }) =>
            request('read in a transaction', () => {
              const find = asked[ASK];
              if (find === undefined) return readNoted(asked.path);
              noted(() =>
                find()
                  .map(({ id, updateTime }) => `${id} ${timeText(updateTime)}`)
                  .join(),
              );
              return toResult(find());
            }),
          getAll: (...args: unknown[]) => request('read in a transaction', () => getAll(args, readNoted)),
          ...writerInto(writes),
        },
      };
    };

    const runTransaction = async (
      work: (handle: unknown) => Promise<unknown>,
      { maxAttempts = 5 }: { maxAttempts?: number } = {},
    ): Promise<unknown> => {
      for (let attempt = 1; ; attempt += 1) {
        const { handle, writes, isAsRead } = transaction();
        try {
          const value = await work(handle);
          await request('commit a transaction', () => {
            if (!isAsRead()) throw failure(ABORTED);
            return send(writes);
          });
          return value;
        } catch (cause) {
          const { code } = cause as { code?: unknown };
          if (attempt >= maxAttempts || !TRIED_AGAIN.has(code)) throw cause;
          await sleep(BACKOFF_MS * 1.5 ** (attempt - 1));
        }
      }
    };

    const bulkWriter = () => {
      const sent: Promise<unknown>[] = [];
      const send = async (write: Write): Promise<unknown> => {
        for (let attempt = 1; ; attempt += 1) {
          try {
            return await one(write);
          } catch (cause) {
            const { code } = cause as { code?: unknown };
            if (attempt >= BULK_ATTEMPTS || !TRIED_AGAIN.has(code)) throw cause;
          }
        }
      };
      const into = writerInto({ push: (write) => sent.push(send(write)) });
      const lastSent =
        (name: 'create' | 'update') =>
        (...args: Parameters<(typeof into)['update']>) => {
          into[name](...args);
          return sent.at(-1);
        };
      return {
        create: lastSent('create'),
        update: lastSent('update'),
        flush: async () => undefined,
        close: () => Promise.allSettled(sent),
      };
    };

    const client = {
      collection: collectionOf,
      collectionGroup: (name: string) => queryOf({ ...EVERYTHING, collection: name, isGroup: true }),
      doc: refOf,
      getAll: (...args: unknown[]) => request('read documents', () => getAll(args)),
      batch: () => {
        const writes: Write[] = [];
        return {
          ...writerInto(writes),
          commit: () =>
            request(`commit ${writes.map(({ path }) => shown(path)).join(', ')}`, () => send(writes)),
        };
      },
      runTransaction,
      bulkWriter,
    };
    return client as unknown as Firestore;
  };

  return {
    clientOf,
    held: (path: string): Data | null => held(path)?.data ?? null,
    /** All documents of a collection, or of all collections of that name, by their paths. */
    all: (collection: string, isGroup = false): [string, Data][] =>
      select(collections, { ...EVERYTHING, collection, isGroup }).map(([path, { data }]) => [path, data]),
    /** Written by whoever is no process of ours, a member's client for one. */
    write: (kind: Write['kind'], path: string, data: Data): void => {
      commit([{ kind, path, data, ifUpdateTime: null }]);
    },
    everything: () =>
      [...collections.values()].flatMap((documents) =>
        [...documents].map(([path, { data }]) => [path, data] as const),
      ),
  };
};

export type MemoryFirestore = ReturnType<typeof makeMemoryFirestore>;

const ASK = Symbol('the documents of a query');
const STREAMED_AT_ONCE = 2;
const BACKOFF_MS = 1_000;
const BULK_ATTEMPTS = 4;
/** What the client begins a transaction again for. */
const TRIED_AGAIN = new Set<unknown>([1, 2, 4, 10, 13, 14, 16]);

type Fields = readonly string[] | null;

interface Query {
  readonly collection: string;
  readonly isGroup: boolean;
  readonly filters: readonly { readonly path: string; readonly op: string; readonly value: unknown }[];
  readonly orders: readonly { readonly path: string; readonly isDown: boolean }[];
  readonly limit: number;
  readonly after: readonly unknown[];
  readonly fields: Fields;
}

const EVERYTHING: Query = {
  collection: '',
  isGroup: false,
  filters: [],
  orders: [],
  limit: Number.POSITIVE_INFINITY,
  after: [],
  fields: null,
};

/** A document's name in the place of a field. */
const NAME = '__name__';

const select = (collections: Collections, query: Query): [string, Held][] => {
  const { collection, isGroup, filters, orders, limit, after } = query;
  const fieldOf = ([path, { data }]: [string, Held], field: string): unknown =>
    field === NAME ? path : valueAt(data, field);
  const inAll = [
    ...orders,
    ...(orders.some(({ path }) => path === NAME)
      ? []
      : [{ path: NAME, isDown: orders.at(-1)?.isDown === true }]),
  ];
  const [cursor] = after;
  const place =
    (cursor as Snapshot | undefined)?.ref === undefined
      ? after
      : inAll.map(({ path }) =>
          path === NAME ? (cursor as { ref: { path: string } }).ref.path : (cursor as Snapshot).get(path),
        );
  const documents = isGroup
    ? [...collections].flatMap(([name, held]) => (idOf(name) === collection ? [...held] : []))
    : [...(collections.get(collection) ?? [])];
  const found = documents.filter(
    (entry) =>
      filters.every(({ path, op, value }) => matches(fieldOf(entry, path), op, value)) &&
      orders.every(({ path }) => fieldOf(entry, path) !== undefined) &&
      (after.length === 0 ||
        compareBy(
          inAll,
          (path) => fieldOf(entry, path),
          (_, n) => (inAll[n]?.path === NAME ? `${collection}/${idOf(String(place[n]))}` : place[n]),
        ) > 0),
  );
  found.sort((a, b) =>
    compareBy(
      inAll,
      (path) => fieldOf(a, path),
      (path) => fieldOf(b, path),
    ),
  );
  return found.slice(0, limit);
};

const compareBy = (
  orders: Query['orders'],
  one: (path: string) => unknown,
  other: (path: string, n: number) => unknown,
): number => {
  for (const [n, { path, isDown }] of orders.entries()) {
    const order = compare(one(path), other(path, n));
    if (order !== 0) return isDown ? -order : order;
  }
  return 0;
};

const matches = (value: unknown, op: string, wanted: unknown): boolean => {
  const isSame = (one: unknown): boolean => typeOf(value) === typeOf(one) && compare(value, one) === 0;
  const holds = (one: unknown): boolean =>
    Array.isArray(value) && value.some((each) => compare(each, one) === 0);
  if (value === undefined) return false;
  switch (op) {
    case '==':
      return isSame(wanted);
    case 'in':
      return (wanted as unknown[]).some(isSame);
    case 'array-contains':
      return holds(wanted);
    case 'array-contains-any':
      return (wanted as unknown[]).some(holds);
    default: {
      if (typeOf(value) !== typeOf(wanted)) return false;
      const order = compare(value, wanted);
      if (op === '<') return order < 0;
      if (op === '<=') return order <= 0;
      if (op === '>') return order > 0;
      if (op === '>=') return order >= 0;
      throw new Error(`This Firestore knows no filter ${op}.`);
    }
  }
};

const typeOf = (value: unknown): string =>
  value instanceof Timestamp ? 'time' : value === null ? 'null' : typeof value;

const compare = (one: unknown, other: unknown): number => {
  const [a, b] = [one, other].map((value) => (value instanceof Timestamp ? value.valueOf() : value)) as [
    string,
    string,
  ];
  return a < b ? -1 : a > b ? 1 : 0;
};

const isMap = (value: unknown): value is Data =>
  typeof value === 'object' &&
  value !== null &&
  (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null);

const valueAt = (data: Data, path: string): unknown => {
  let here: unknown = data;
  for (const key of path.split('.')) here = isMap(here) ? here[key] : undefined;
  return here;
};

const withAt = (data: Data, [key = '', ...rest]: readonly string[], value: unknown): Data => {
  const { [key]: before, ...others } = data;
  const after =
    rest.length > 0 ? withAt(isMap(before) ? before : {}, rest, value) : transformed(before, value);
  return after === undefined ? others : { ...data, [key]: after };
};

const masked = (data: Data, fields: readonly string[]): Data => {
  let found: Data = {};
  for (const field of fields) {
    const value = valueAt(data, field);
    if (value !== undefined) found = withAt(found, field.split('.'), value);
  }
  return found;
};

/** The document after the write: maps are merged only where it merges, and an update's keys are paths. */
const written = (kind: Write['kind'], before: Data, data: Data): Data => {
  if (kind === 'merge') return merged(before, data);
  if (kind !== 'update') return stored(data) as Data;
  let after = before;
  for (const [path, value] of Object.entries(data)) after = withAt(after, path.split('.'), value);
  return after;
};

const merged = (before: Data, data: Data): Data => {
  let after = before;
  for (const [key, value] of Object.entries(data)) {
    const was = before[key];
    after = withAt(after, [key], isMap(value) && isMap(was) ? merged(was, value) : value);
  }
  return after;
};

/** Of the commit that is made at this moment; none waits for anything. */
let commitTime: Timestamp;

/** Undefined: the field goes. */
const transformed = (before: unknown, value: unknown): unknown => {
  if (!(value instanceof FieldValue)) return stored(value);
  const { methodName, elements = [] } = value as unknown as { methodName: string; elements?: unknown[] };
  if (methodName === 'FieldValue.delete') return undefined;
  if (methodName === 'FieldValue.serverTimestamp') return commitTime;
  if (methodName !== 'FieldValue.arrayUnion') throw new Error(`This Firestore knows no ${methodName}.`);
  const had = Array.isArray(before) ? before : [];
  const texts = new Set(had.map((one) => JSON.stringify(one)));
  return [...had, ...elements.map(stored).filter((one) => !texts.has(JSON.stringify(one)))];
};

const stored = (value: unknown): unknown => {
  if (value === null || typeof value !== 'object') {
    if (value === undefined) throw new Error('Firestore takes no undefined.');
    return value;
  }
  if (value instanceof Timestamp) return value;
  if (value instanceof Date) return Timestamp.fromDate(value);
  if (value instanceof FieldValue) return transformed(undefined, value);
  if (Array.isArray(value)) return value.map(stored);
  if (!isMap(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const key in value) copy[key] = stored(value[key]);
  return copy;
};

const writerInto = (writes: { push(write: Write): unknown }) => {
  const put =
    (kind: Write['kind']) =>
    (ref: object, data: Data = {}, options: { lastUpdateTime?: Timestamp; merge?: boolean } = {}) => {
      const { path } = ref as { path: string };
      writes.push({
        kind: options.merge === true ? 'merge' : kind,
        path,
        data,
        ifUpdateTime: options.lastUpdateTime ?? null,
      });
    };
  return { create: put('create'), set: put('set'), update: put('update'), delete: put('delete') };
};

const toResult = (docs: readonly Snapshot[]) => ({ docs, size: docs.length, empty: docs.length === 0 });

const pathOf = (path: unknown): string =>
  path instanceof FieldPath && path.isEqual(FieldPath.documentId()) ? NAME : String(path);

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));
const idOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const timeText = (time: Timestamp | undefined): string => time?.valueOf() ?? '';
const stateOf = (found: Held | null): string => timeText(found?.updateTime);
/** A place without the names of its documents. */
const shown = (path: string): string => {
  const parent = parentOf(path);
  return parent.includes('/') ? `${shown(parentOf(parent))}/${idOf(parent)}` : parent;
};
