import type { Duplex } from 'node:stream';
import { FirestoreMock, type MetaDocument } from '@firebase-bridge/firestore-admin';
import { Timestamp } from 'firebase-admin/firestore';
import { assertPathOf, invalid, parseResourceName } from './names.ts';
import type * as wire from './protocol.ts';

/** Cloud Firestore keeps a minute of old versions, and so does the engine: it reads nothing older. */
export const HISTORY_MILLIS = 60_000;

interface GapicContext {
  getAccessor(): Accessor;
  serializeDoc(document: MetaDocument, fieldMask?: string[]): wire.V1Document;
  toInternalPath(name: string, kind: 'document' | 'collection'): string;
  toGapicPath(path: string): string;
}

interface GapicClient {
  context: GapicContext;
  commit(request: wire.CommitRequest): Promise<[wire.CommitResponse]>;
  runAggregationQuery(request: wire.RunAggregationQueryRequest): Duplex;
  listen(): Duplex;
  close(): Promise<void>;
}

interface Accessor {
  serverTime: () => Timestamp;
  getDoc(path: string, readTime?: Timestamp): MetaDocument;
  listDocuments(collectionPath: string, showMissing: boolean): MetaDocument[];
  listCollectionIds(documentPath: string): string[];
  toMetaArray(): MetaDocument[];
  _src: { docs: Map<string, { _history: { updateTime: Timestamp }[] }> };
}

interface Query {
  readonly readTime?: Timestamp;
  run(context: GapicContext, readTime: Timestamp): MetaDocument[];
  encoder(answer: {
    context: GapicContext;
    stream: { push(response: wire.RunQueryResponse): void };
    docs: MetaDocument[];
    readTime: Timestamp;
  }): void;
}

const { QueryBuilder } = (await import(
  new URL(
    'lib/_internal/mock-gapic-client/utils/query-builder.js',
    import.meta.resolve('@firebase-bridge/firestore-admin'),
  ).href
)) as { QueryBuilder: { fromQuery(context: GapicContext, request: wire.RunQueryRequest): Query } };

export type Engine = ReturnType<typeof makeEngine>;

/**
 * The in-memory database of one `projects/p/databases/d`.
 *
 * It is @firebase-bridge/firestore-admin (README.md lists what that does otherwise than Cloud Firestore) at the level below
 * the client library. That level is not public, so this file alone names what is used of it, and package.json pins the exact
 * version.
 */
export function makeEngine(database: string) {
  const mock = new FirestoreMock();
  const clock = makeClock();
  const [, projectId, , databaseId] = database.split('/');
  const controller = mock.createDatabase(projectId, databaseId);
  const { _clientPool } = controller.firestore() as unknown as {
    _clientPool: { clientFactory(requiresGrpc: boolean): GapicClient };
  };
  const client = _clientPool.clientFactory(true);
  const { context } = client;
  const accessor = context.getAccessor();
  accessor.serverTime = clock.now;
  correctNames(context, database);

  return {
    clock,
    /** The document as of `readTime`, or now; undefined when there was none. */
    read(path: string, readTime?: Timestamp, fieldMask?: string[]): wire.V1Document | undefined {
      assertPathOf('document', path);
      const meta = accessor.getDoc(path, readTime);
      return meta.exists ? context.serializeDoc(meta, fieldMask) : undefined;
    },
    /** When the document last changed, its deletion included; the epoch when it never existed. */
    changedAt: (path: string) => accessor.getDoc(path).updateTime,
    /** Documents of a collection in no order; with `showMissing` also ids that only have subcollections. */
    listDocuments: (path: string, showMissing: boolean) =>
      accessor.listDocuments(path, showMissing).map((meta) => ({
        id: meta.id,
        // With showMissing the engine gives a parent without data, which "exists" only for its subcollections.
        document: meta.data ? context.serializeDoc(meta) : undefined,
      })),
    listCollectionIds: (path: string) => accessor.listCollectionIds(path),
    /** The paths of all documents that exist. */
    paths: () => accessor.toMetaArray().map(({ path }) => path),
    /** Takes effect before it returns; the promise brings the answer, or the refusal of a commit that changed nothing. */
    async commit(request: wire.CommitRequest) {
      const [response] = await client.commit(request);
      return response;
    },
    /** At once: the engine's own way waits 6 ms by timers, which no Firestore does. */
    runQuery(request: wire.RunQueryRequest) {
      const query = QueryBuilder.fromQuery(context, request);
      const readTime = query.readTime ?? clock.now();
      const responses: wire.RunQueryResponse[] = [];
      const stream = { push: (response: wire.RunQueryResponse) => responses.push(response) };
      query.encoder({ context, stream, docs: query.run(context, readTime), readTime });
      return responses;
    },
    runAggregationQuery: (request: wire.RunAggregationQueryRequest) => client.runAggregationQuery(request),
    listen(first: wire.ListenRequest) {
      // The engine takes the state that a listener starts from when the stream is made, so it must not be made earlier.
      const stream = client.listen();
      stream.write(first);
      return stream;
    },
    /** Drops the versions of a document that nothing can read any more; the engine itself never does. */
    forgetHistory(path: string) {
      const history = accessor._src.docs.get(path)?._history;
      if (!history) return;
      const oldest = clock.now().toMillis() - HISTORY_MILLIS;
      // The newest version before that time is still what a reader at that time sees.
      const first = history.findLastIndex((version) => version.updateTime.toMillis() <= oldest);
      history.splice(0, Math.max(first, 0));
    },
    async close() {
      await client.close();
      mock.deleteAll();
    },
  };
}

/** The engine refuses every id that starts with a dot or holds two pairs of underscores; Cloud Firestore does not. */
function correctNames(context: GapicContext, database: string): void {
  context.toInternalPath = (name, kind) => {
    const parsed = parseResourceName(name);
    if (parsed.database !== database) {
      throw invalid(`The resource is not in ${database}.`);
    }
    const isRoot = kind === 'document' && parsed.path === '';
    if (!isRoot) assertPathOf(kind, parsed.path);
    return parsed.path;
  };
  context.toGapicPath = (path) => `${database}/documents${path === '' ? '' : `/${path}`}`;
}

const MICROS_PER_MILLI = 1000;
const MICROS_PER_SECOND = 1_000_000;

/**
 * The server's time, in microseconds as Cloud Firestore's is.
 *
 * The engine compares times by the millisecond, so two commits in one millisecond would look like one: a precondition
 * on `updateTime` would pass when it must not, and a transaction would miss a conflict. This clock gives each commit
 * a time of its own and moves to the next millisecond after each snapshot.
 */
export function makeClock() {
  let last = 0;

  const moveTo = (micros: number) => {
    last = Math.max(last, micros, Date.now() * MICROS_PER_MILLI);
  };

  return {
    /** The time of the operation under way; never goes back. */
    now() {
      moveTo(0);
      return fromMicros(last);
    },
    /** Moves on, so that the next commit has a time that no other commit has. */
    tick() {
      moveTo(last + 1);
    },
    /** A whole millisecond not before any earlier commit and before every later one: the read time of a snapshot. */
    fence() {
      moveTo(0);
      const snapshot = Math.ceil(last / MICROS_PER_MILLI) * MICROS_PER_MILLI;
      moveTo(snapshot + MICROS_PER_MILLI - 1);
      return fromMicros(snapshot);
    },
  };
}

function fromMicros(micros: number): Timestamp {
  const seconds = Math.floor(micros / MICROS_PER_SECOND);
  return new Timestamp(seconds, (micros - seconds * MICROS_PER_SECOND) * 1000);
}
