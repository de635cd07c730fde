import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { makeFaultPlan } from '../fault-plan.ts';
import type { Database } from './database.ts';
import { parseResourceName, RpcError, toServiceError } from './names.ts';
import type * as wire from './protocol.ts';
import { firestoreService, isMalformed } from './protocol.ts';
import {
  batchGetDocuments,
  listCollectionIds,
  listDocuments,
  runAggregationQuery,
  runQuery,
} from './reads.ts';
import { rewriteQuery } from './rewrite-query.ts';

/** Cloud Firestore's own limit on a request's payload: 10 MiB of data and its envelope. */
const REQUEST_MAX_BYTES = 11_534_336;

/** The database that a name is about. @throws RpcError INVALID_ARGUMENT (3) for what is no name, NOT_FOUND (5) for another one */
type FindDatabase = (name: string | null | undefined) => Database;

/** The calls with one answer that the client library of a server makes. */
const unaryRpcs = (find: FindDatabase) => ({
  commit: async (request: wire.CommitRequest) => find(request.database).commit(request),
  batchWrite: async (request: wire.BatchWriteRequest) =>
    find(request.database).batchWrite(request.writes ?? []),
  beginTransaction: async (request: wire.BeginTransactionRequest) => ({
    transaction: find(request.database).transactions.begin(request.options).id,
  }),
  rollback: async (request: wire.RollbackRequest) => {
    find(request.database)
      .transactions.get(request.transaction ?? '')
      .finish();
    return {};
  },
  listDocuments: async (request: wire.ListDocumentsRequest) => listDocuments(find(request.parent), request),
  listCollectionIds: async (request: wire.ListCollectionIdsRequest) =>
    listCollectionIds(find(request.parent), request),
});

/** The calls with a stream of answers. */
const streamingRpcs = (find: FindDatabase) => ({
  batchGetDocuments: (request: wire.BatchGetDocumentsRequest) =>
    batchGetDocuments(find(request.database), request),
  runQuery: (request: wire.RunQueryRequest) => runQuery(find(request.parent), request),
  runAggregationQuery: (request: wire.RunAggregationQueryRequest) =>
    runAggregationQuery(find(request.parent), request),
});

type Unary = (request: unknown) => Promise<unknown>;
type Streaming = (request: unknown) => AsyncIterable<unknown>;

type RpcMethod = 'listen' | keyof ReturnType<typeof unaryRpcs> | keyof ReturnType<typeof streamingRpcs>;

/** A failure to come, for tests that prove what survives it. */
export interface Fault {
  /** Any method when absent. */
  readonly method?: RpcMethod;
  /** The gRPC code that the client sees. The client library itself tries again after some of them, 14 for one. */
  readonly code: status;
  /** How many calls fail; 1 when absent. */
  readonly times?: number;
  /** `before`: nothing is done. `after`: all is done and the answer is lost. `before` when absent. */
  readonly when?: 'before' | 'after';
  /** Only the calls whose request it accepts. */
  readonly matches?: (request: unknown, method: RpcMethod) => boolean;
}

type Faults = ReturnType<typeof makeFaults>;

export const makeFaults = () => {
  const plan = makeFaultPlan<Fault>();
  let delayMillis = 0;
  const strike = (stage: 'before' | 'after', method: RpcMethod, request: unknown): void => {
    const met = plan.meet(
      ({ when = 'before', ...fault }) =>
        when === stage &&
        (fault.method ?? method) === method &&
        (fault.matches === undefined || fault.matches(request, method)),
    );
    if (met) throw new RpcError(met.code, `Fault ${stage} ${method}, asked for by a test.`);
  };
  return {
    /** Returns a function that takes back what has not failed yet. */
    failNext: (fault: Fault): (() => void) => plan.arm(fault).disarm,
    /** Milliseconds that every call waits before it is done. */
    setDelay: (milliseconds: number): void => {
      delayMillis = milliseconds;
    },
    clear: (): void => {
      plan.clear();
      delayMillis = 0;
    },
    before: async (method: RpcMethod, request: unknown): Promise<void> => {
      if (delayMillis > 0) await sleep(delayMillis);
      strike('before', method, request);
    },
    after: (method: RpcMethod, request: unknown): void => strike('after', method, request),
  };
};

/** A gRPC server for the database, not yet listening. */
export function makeGrpcServer(database: Database, faults: Faults): Server {
  const find: FindDatabase = (name) => {
    if (parseResourceName(name).database === database.name) return database;
    throw new RpcError(status.NOT_FOUND, `This server has ${database.name} alone.`);
  };
  const server = new Server({
    'grpc.max_receive_message_length': REQUEST_MAX_BYTES,
    'grpc.max_send_message_length': -1,
  });
  const implementation: UntypedServiceImplementation = {};
  for (const [name, run] of Object.entries(unaryRpcs(find))) {
    implementation[name] = unary(name as RpcMethod, run as Unary, faults);
  }
  for (const [name, run] of Object.entries(streamingRpcs(find))) {
    implementation[name] = streaming(name as RpcMethod, run as Streaming, faults);
  }
  implementation['listen'] = (call: ServerDuplexStream<wire.ListenRequest, wire.ListenResponse>) => {
    call.pause();
    faults.before('listen', undefined).then(
      () => {
        serveListen(call, find);
        call.resume();
      },
      (error: unknown) => call.emit('error', toServiceError(error)),
    );
  };
  server.addService(firestoreService, implementation);
  return server;
}

/** @returns the port, which the system chooses when 0 is asked for */
export async function listenOn(server: Server, host: string, port: number): Promise<number> {
  return await new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
}

const unary =
  (method: RpcMethod, run: Unary, faults: Faults) =>
  ({ request }: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>): void => {
    const answer = async () => {
      if (isMalformed(request)) throw new RpcError(status.INVALID_ARGUMENT, 'A text is no valid UTF-8.');
      await faults.before(method, request);
      const response = await run(request);
      faults.after(method, request);
      return response;
    };
    answer().then(
      (response) => callback(null, response),
      (error: unknown) => callback(toServiceError(error)),
    );
  };

const streaming =
  (method: RpcMethod, run: Streaming, faults: Faults) =>
  (call: ServerWritableStream<unknown, unknown>): void => {
    // Headers first: the client library takes a refusal without them for a lost connection and asks twice more.
    call.sendMetadata(new Metadata());
    const answer = async () => {
      await faults.before(method, call.request);
      await writeAll(call, run(call.request));
      faults.after(method, call.request);
    };
    answer().then(
      () => call.end(),
      (error: unknown) => call.emit('error', toServiceError(error)),
    );
  };

/** Waits for a slow client instead of holding a large answer in memory. */
async function writeAll(call: ServerWritableStream<unknown, unknown>, responses: AsyncIterable<unknown>) {
  const gone = new AbortController();
  call.once('cancelled', () => gone.abort());
  for await (const response of responses) {
    if (call.cancelled) return;
    if (!call.write(response)) await once(call, 'drain', { signal: gone.signal });
  }
}

/**
 * Serves one Listen call. Every target has an engine stream of its own, made when the target is added:
 * a target added to a running stream would start from the last commit instead of from the data.
 */
function serveListen(
  call: ServerDuplexStream<wire.ListenRequest, wire.ListenResponse>,
  find: FindDatabase,
): void {
  const targets = new Map<number, Duplex>();

  const stop = () => {
    for (const stream of targets.values()) stream.destroy();
    targets.clear();
  };
  const fail = (error: unknown) => {
    stop();
    call.emit('error', toServiceError(error));
  };
  const add = (request: wire.ListenRequest, target: wire.V1Target) => {
    const targetId = target.targetId || 1;
    if (targets.has(targetId))
      throw new RpcError(status.INVALID_ARGUMENT, 'The target is already listened to.');
    const { engine } = find(request.database);
    const stream = engine.listen({ addTarget: { ...target, targetId, ...withRewrittenQuery(target) } });
    targets.set(targetId, stream);
    stream.on('data', (response: wire.ListenResponse) => void call.write(response));
    stream.on('error', fail);
  };
  const remove = (targetId: number) => {
    targets.get(targetId)?.destroy();
    targets.delete(targetId);
    call.write({ targetChange: { targetChangeType: 'REMOVE', targetIds: [targetId] } });
  };

  call.on('data', (request: wire.ListenRequest) => {
    try {
      if (request.addTarget) add(request, request.addTarget);
      else if (request.removeTarget) remove(request.removeTarget);
    } catch (error) {
      fail(error);
    }
  });
  call.on('end', () => {
    stop();
    call.end();
  });
  call.on('cancelled', stop);
  call.on('error', stop);
}

function withRewrittenQuery({ query }: wire.V1Target): Pick<wire.V1Target, 'query'> {
  if (!query?.structuredQuery) return {};
  return { query: { ...query, structuredQuery: rewriteQuery(query.structuredQuery) } };
}
