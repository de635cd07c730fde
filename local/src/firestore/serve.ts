import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
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
import type { Engine } from './engine.ts';
import { invalid, parseResourceName, RpcError, toServiceError } from './names.ts';
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

/** The calls with one answer that the client library of a server makes. */
const UNARY = {
  commit: (database: Database, request: wire.CommitRequest) => database.commit(request),
  batchWrite: (database: Database, { writes }: wire.BatchWriteRequest) => database.batchWrite(writes ?? []),
  beginTransaction: ({ transactions }: Database, { options }: wire.BeginTransactionRequest) => ({
    transaction: transactions.begin(options).id,
  }),
  rollback: ({ transactions }: Database, { transaction }: wire.RollbackRequest) => {
    transactions.get(transaction ?? '').finish();
    return {};
  },
  listDocuments,
  listCollectionIds,
};
/** The calls with a stream of answers. */
const STREAMING = { batchGetDocuments, runQuery, runAggregationQuery };

/** A request names its database, or something in it. */
type Request = { readonly database?: string | null; readonly parent?: string | null };
type Unary = (database: Database, request: Request) => unknown;
type Streaming = (database: Database, request: Request) => AsyncIterable<unknown>;
type RpcMethod = 'listen' | keyof typeof UNARY | keyof typeof STREAMING;

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
  /** @throws RpcError INVALID_ARGUMENT (3) for what is no name, NOT_FOUND (5) for that of another database */
  const assertOwn = ({ database: name, parent }: Request): void => {
    if (parseResourceName(name ?? parent).database === database.name) return;
    throw new RpcError(status.NOT_FOUND, `This server has ${database.name} alone.`);
  };
  const server = new Server({
    'grpc.max_receive_message_length': REQUEST_MAX_BYTES,
    'grpc.max_send_message_length': -1,
  });
  const implementation: UntypedServiceImplementation = {};
  for (const [name, run] of Object.entries(UNARY)) {
    const answer = async (request: Request) => {
      if (isMalformed(request)) throw invalid('A text is no valid UTF-8.');
      await faults.before(name as RpcMethod, request);
      assertOwn(request);
      const response = await (run as Unary)(database, request);
      faults.after(name as RpcMethod, request);
      return response;
    };
    implementation[name] = (
      { request }: ServerUnaryCall<Request, unknown>,
      callback: sendUnaryData<unknown>,
    ) =>
      void answer(request).then(
        (response) => callback(null, response),
        (error: unknown) => callback(toServiceError(error)),
      );
  }
  for (const [name, run] of Object.entries(STREAMING)) {
    const answer = async (call: ServerWritableStream<Request, unknown>) => {
      await faults.before(name as RpcMethod, call.request);
      assertOwn(call.request);
      await writeAll(call, (run as Streaming)(database, call.request));
      faults.after(name as RpcMethod, call.request);
    };
    implementation[name] = (call: ServerWritableStream<Request, unknown>) => {
      // Headers first: the client library takes a refusal without them for a lost connection and asks twice more.
      call.sendMetadata(new Metadata());
      answer(call).then(
        () => call.end(),
        (error: unknown) => call.emit('error', toServiceError(error)),
      );
    };
  }
  implementation['listen'] = (call: ServerDuplexStream<wire.ListenRequest, wire.ListenResponse>) => {
    call.pause();
    faults.before('listen', undefined).then(
      () => {
        serveListen(call, (request) => {
          assertOwn(request);
          return database.engine;
        });
        call.resume();
      },
      (error: unknown) => call.emit('error', toServiceError(error)),
    );
  };
  server.addService(firestoreService, implementation);
  return server;
}

/** @returns the port, which the system chooses when 0 is asked for */
export const listenOn = (server: Server, host: string, port: number): Promise<number> =>
  promisify(server.bindAsync.bind(server))(`${host}:${port}`, ServerCredentials.createInsecure());

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
  engineFor: (request: wire.ListenRequest) => Engine,
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
    if (targets.has(targetId)) throw invalid('The target is already listened to.');
    const stream = engineFor(request).listen({
      addTarget: { ...target, targetId, ...withRewrittenQuery(target) },
    });
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
