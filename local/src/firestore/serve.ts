import { once } from 'node:events';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Faults, RpcMethod } from './faults.ts';
import { serveListen } from './listen.ts';
import { firestoreService, isMalformed } from './protocol.ts';
import { RpcError, toServiceError } from './rpc-error.ts';
import { type FindDatabase, makeStreamingRpcs, makeUnaryRpcs } from './rpcs.ts';
import type { ListenRequest, ListenResponse } from './wire.ts';

/** Cloud Firestore's own limit on a request's payload: 10 MiB of data and its envelope. */
const REQUEST_MAX_BYTES = 11_534_336;

type Unary = (request: unknown) => Promise<unknown>;
type Streaming = (request: unknown) => AsyncIterable<unknown>;

/** A gRPC server for the databases, not yet listening. */
export function makeGrpcServer(find: FindDatabase, faults: Faults): Server {
  const server = new Server({
    'grpc.max_receive_message_length': REQUEST_MAX_BYTES,
    'grpc.max_send_message_length': -1,
  });
  const implementation: UntypedServiceImplementation = {};
  for (const [name, run] of Object.entries(makeUnaryRpcs(find))) {
    implementation[name] = unary(name as RpcMethod, run as Unary, faults);
  }
  for (const [name, run] of Object.entries(makeStreamingRpcs(find))) {
    implementation[name] = streaming(name as RpcMethod, run as Streaming, faults);
  }
  implementation['listen'] = (call: ServerDuplexStream<ListenRequest, ListenResponse>) => {
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

function unary(method: RpcMethod, run: Unary, faults: Faults): handleUnaryCall<unknown, unknown> {
  return ({ request }, callback) => {
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
}

function streaming(
  method: RpcMethod,
  run: Streaming,
  faults: Faults,
): handleServerStreamingCall<unknown, unknown> {
  return (call) => {
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
}

/** Waits for a slow client instead of holding a large answer in memory. */
async function writeAll(call: ServerWritableStream<unknown, unknown>, responses: AsyncIterable<unknown>) {
  const gone = new AbortController();
  call.once('cancelled', () => gone.abort());
  for await (const response of responses) {
    if (call.cancelled) return;
    if (!call.write(response)) await once(call, 'drain', { signal: gone.signal });
  }
}
