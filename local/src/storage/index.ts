import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { makeFaultPlan } from '../fault-plan.ts';
import { serveOnLoopback } from '../loopback.ts';
import { type Bucket, badRequest, openBucket } from './bucket.ts';
import { VERSIONS_FOLDER } from './bucket-files.ts';
import { addRoutes, type StorageEnv } from './routes.ts';

export interface StorageOptions {
  /** Holds `<bucket>/<object name>` as plain files, and `.versions/` with everything else. Made if absent. */
  readonly directory: string;
  /** A free one of 127.0.0.1 if absent or 0. */
  readonly port?: number;
  /** False: a bucket that is not on disk is 404, as in Cloud Storage. */
  readonly createBucketsOnDemand?: boolean;
}

/** What a predicate may look at. */
export interface FaultTarget {
  readonly method: string;
  /** Percent-encoded, without the query, such as `/b/members/o/kennitalas.txt`. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** `before`: the request has no effect. `after`: it took effect and is durable, but its answer is lost. */
type FaultStage = 'before' | 'after';

interface Fault {
  readonly matches: (target: FaultTarget) => boolean;
  readonly stage: FaultStage;
  /** A status to answer with, or `destroy` to cut the connection without an answer. */
  readonly answer: number | 'destroy';
  /** How many matching requests it strikes; 1 if absent. */
  readonly times?: number;
}

interface Hold extends Pick<Fault, 'matches' | 'stage' | 'times'> {
  readonly reached: () => void;
  readonly released: Promise<void>;
}

export type LocalStorage = Awaited<ReturnType<typeof startStorage>>;

/**
 * A Cloud Storage server over a folder: what of the JSON API this project uses. Buckets with object versioning and soft
 * delete, objects with generations, the precondition on them, and checksums; anything else answers 501. One process at a
 * time may use a directory.
 */
export const startStorage = async (options: StorageOptions) => {
  const { directory, port = 0, createBucketsOnDemand = true } = options;
  const faults = makeFaultPlan<Fault>();
  const holds = makeFaultPlan<Hold>();
  const closing = Promise.withResolvers<void>();
  const app = new Hono<StorageEnv>();

  /** Waits for a matching hold, then answers as a matching fault says. */
  const meet = async (c: Context<StorageEnv>, stage: FaultStage): Promise<Response | null> => {
    const { pathname, searchParams } = new URL(c.req.url);
    const target = { method: c.req.method, path: pathname, query: searchParams };
    const isMeant = (one: Pick<Fault, 'matches' | 'stage'>) => one.stage === stage && one.matches(target);
    const held = holds.meet(isMeant);
    held?.reached();
    await Promise.race([held?.released, closing.promise]);
    const fault = faults.meet(isMeant);
    if (fault === undefined) return null;
    if (fault.answer !== 'destroy') return refusal(fault.answer, 'Injected fault.');
    c.env.outgoing.socket?.destroy();
    return RESPONSE_ALREADY_SENT;
  };
  app.use(async (c, next) => {
    const refused = await meet(c, 'before');
    if (refused !== null) return refused;
    await next();
    const lost = await meet(c, 'after');
    if (lost === null) return undefined;
    // Hono would merge the headers of an answer that is replaced into the new one.
    c.res = undefined;
    c.res = lost;
    return undefined;
  });
  addRoutes(app, await openBuckets(directory, createBucketsOnDemand));
  app.onError((error) => {
    if (error instanceof HTTPException) return refusal(error.status, error.message);
    const code = 'code' in error ? error.code : error.name;
    return refusal(500, `The local Cloud Storage server failed (${code}).`);
  });
  const server = await serveOnLoopback(app.fetch, port);

  return {
    ...server,
    /** Makes the next matching requests fail, before they take effect or after. */
    failNext: faults.arm,
    /** Stops the next matching request: the deterministic way to make another writer win a race. */
    holdNext: (matches: Fault['matches'], stage: FaultStage) => {
      const reached = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      holds.arm({ matches, stage, reached: reached.resolve, released: released.promise });
      return { reached: reached.promise, release: released.resolve };
    },
    /** Cuts open connections. The directory can be started again. */
    close: async () => {
      closing.resolve();
      await server.close();
    },
  };
};

const REASONS: Readonly<Record<number, string>> = {
  400: 'invalid',
  404: 'notFound',
  412: 'conditionNotMet',
  501: 'notImplemented',
};

/** The error body of the JSON API (https://cloud.google.com/storage/docs/json_api/v1/status-codes). */
const refusal = (status: number, message: string): Response => {
  const detail = { message, domain: 'global', reason: REASONS[status] ?? 'backendError' };
  return Response.json({ error: { code: status, message, errors: [detail] } }, { status });
};

/** Opens what is on disk, at once: generations must start above everything that is there. */
const openBuckets = async (directory: string, createOnDemand: boolean) => {
  const root = path.join(directory, VERSIONS_FOLDER);
  await mkdir(root, { recursive: true });
  const open = new Map<string, Promise<Bucket>>();
  for (const name of await readdir(root)) open.set(name, Promise.resolve(await openBucket(directory, name)));

  /** @throws HTTPException 400, 404 */
  return async (name: string): Promise<Bucket> => {
    const known = open.get(name);
    if (known) return known;
    // Rules of https://cloud.google.com/storage/docs/buckets#naming, which also keep every path that would leave the
    // directory from being a bucket.
    if (!/^[a-z0-9](?:[a-z0-9_-]|\.(?!\.)){1,220}[a-z0-9]$/.test(name)) {
      throw badRequest(`Invalid bucket name: '${name}'`);
    }
    if (!createOnDemand) {
      throw new HTTPException(404, { message: 'The specified bucket does not exist.' });
    }
    const opening = openBucket(directory, name);
    open.set(name, opening);
    // A bucket that could not be opened is tried again by the next request.
    opening.catch(() => open.delete(name));
    return opening;
  };
};
