import { mkdir, readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type Bucket, openBucket } from './bucket.ts';
import { VERSIONS_FOLDER } from './bucket-files.ts';
import { type Faults, makeFaults } from './faults.ts';
import { type Api, dispatch } from './routes.ts';
import { ApiError, type ApiRequest, badRequest, errorReply, type Reply } from './wire.ts';

export type { FaultTarget } from './faults.ts';

export interface StorageOptions {
  /** Holds `<bucket>/<object name>` as plain files, and `.versions/` with everything else. Made if absent. */
  readonly directory: string;
  /** A free one of 127.0.0.1 if absent or 0. */
  readonly port?: number;
  /** False: a bucket that is not on disk is 404, as in Cloud Storage. */
  readonly createBucketsOnDemand?: boolean;
}

/**
 * A Cloud Storage server over a folder: what of the JSON API this project uses. Buckets with object versioning and soft
 * delete, objects with generations, the precondition on them, and checksums; anything else answers 501. One process at a
 * time may use a directory.
 */
export interface LocalStorage extends Pick<Faults, 'failNext' | 'holdNext'> {
  readonly host: string;
  readonly port: number;
  /** For `STORAGE_EMULATOR_HOST` or `apiEndpoint`. */
  readonly url: string;
  /** Cuts open connections. The directory can be started again. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

export const startStorage = async ({
  directory,
  port = 0,
  createBucketsOnDemand = true,
}: StorageOptions): Promise<LocalStorage> => {
  const faults = makeFaults();
  const bucket = await openBuckets(directory, createBucketsOnDemand);
  let origin = '';
  const api: Api = { bucket, origin: () => origin };
  const server = createServer((incoming, outgoing) => void answer(api, faults, incoming, outgoing));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, resolve);
  });
  const address = server.address() as AddressInfo;
  origin = `http://${HOST}:${address.port}`;

  return {
    host: HOST,
    port: address.port,
    url: origin,
    failNext: faults.failNext,
    holdNext: faults.holdNext,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      faults.releaseAll();
      server.closeAllConnections();
      await closed;
    },
  };
};

/** Opens what is on disk, at once: generations must start above everything that is there. */
const openBuckets = async (directory: string, createOnDemand: boolean): Promise<Api['bucket']> => {
  const root = path.join(directory, VERSIONS_FOLDER);
  await mkdir(root, { recursive: true });
  const open = new Map<string, Promise<Bucket>>();
  for (const name of await readdir(root)) open.set(name, Promise.resolve(await openBucket(directory, name)));

  return (name) => {
    const known = open.get(name);
    if (known) return known;
    assertBucketName(name);
    if (!createOnDemand) throw new ApiError(404, 'notFound', 'The specified bucket does not exist.');
    const opening = openBucket(directory, name);
    open.set(name, opening);
    // A bucket that could not be opened is tried again by the next request.
    opening.catch(() => open.delete(name));
    return opening;
  };
};

/**
 * Rules of https://cloud.google.com/storage/docs/buckets#naming. They also keep `.versions` and every path that would leave
 * the directory from being a bucket.
 */
const assertBucketName = (name: string): void => {
  if (!/^[a-z0-9](?:[a-z0-9_-]|\.(?!\.)){1,220}[a-z0-9]$/.test(name)) {
    throw badRequest(`Invalid bucket name: '${name}'`);
  }
};

const answer = async (
  api: Api,
  faults: Faults,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> => {
  try {
    const request = await readRequest(incoming);
    const refusal = await faults.meet(request, 'before');
    if (refusal !== null) return strike(outgoing, refusal);
    const reply = await dispatch(api, request).catch(errorReply);
    const loss = await faults.meet(request, 'after');
    if (loss !== null) return strike(outgoing, loss);
    send(outgoing, reply);
  } catch {
    // The client went away in the middle of its request.
    outgoing.destroy();
  }
};

const readRequest = async (incoming: IncomingMessage): Promise<ApiRequest> => {
  const [requestPath = '/', query = ''] = (incoming.url ?? '/').split('?', 2);
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return {
    method: incoming.method ?? 'GET',
    path: requestPath,
    query: new URLSearchParams(query),
    headers: incoming.headers,
    body: Buffer.concat(chunks),
  };
};

const strike = (outgoing: ServerResponse, loss: number | 'destroy'): void => {
  if (loss === 'destroy') outgoing.socket?.destroy();
  else send(outgoing, errorReply(new ApiError(loss, 'backendError', 'Injected fault.')));
};

const send = (outgoing: ServerResponse, { status, headers, body }: Reply): void => {
  outgoing.writeHead(status, headers).end(body);
};
