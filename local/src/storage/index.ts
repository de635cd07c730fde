import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { openBuckets } from './buckets.ts';
import type { StepHook } from './durable-file.ts';
import { type ArmedFault, type Fault, type HeldRequest, makeFaults } from './faults.ts';
import { makeGenerationClock } from './generations.ts';
import type { ObjectResource } from './resource.ts';
import { dispatch } from './routes.ts';
import { makeServer } from './server.ts';
import { makeUploadSessions } from './upload-sessions.ts';

export type { StepHook, StoreStep } from './durable-file.ts';
export type { ArmedFault, Fault, FaultStage, FaultTarget, HeldRequest } from './faults.ts';
export type { ObjectResource } from './resource.ts';

export interface StorageOptions {
  /** Holds `<bucket>/<object name>` as plain files, and `.versions/` with everything else. Made if absent. */
  readonly directory: string;
  /** `127.0.0.1` if absent. */
  readonly host?: string;
  /** A free one if absent or 0. */
  readonly port?: number;
  /**
   * Called once a new live version is durable, with what a Cloud Storage event would carry. It is not waited
   * for; what it throws is reported on stderr and does not undo the upload.
   */
  readonly onFinalize?: (object: ObjectResource) => void | Promise<void>;
  /** False: a bucket that was not created is 404, as in Cloud Storage. True if absent; such buckets have versioning. */
  readonly createBucketsOnDemand?: boolean;
  /** Called before each step on disk; tests throw from it to stop there as a crash would. */
  readonly onStep?: StepHook;
}

/**
 * A Cloud Storage server over a folder: the JSON API's buckets and objects with generations, preconditions,
 * object versioning, soft delete, checksums and resumable uploads.
 *
 * Not simulated: restoring what is soft-deleted (it is listed until its time is up, but its bytes are gone at
 * once), lifecycle rules (stored, never run), and ACLs, IAM, compose, encryption keys, retention and
 * notifications, which answer 501 or have no effect. One process at a time may use a directory.
 */
export interface LocalStorage {
  readonly host: string;
  readonly port: number;
  /** For `STORAGE_EMULATOR_HOST` or `apiEndpoint`. */
  readonly url: string;
  /** Latency in milliseconds, added to every request before it takes effect. */
  setDelay(milliseconds: number): void;
  /** Makes the next matching requests fail, before they take effect or after. */
  failNext(fault: Fault): ArmedFault;
  /** Stops the next matching request until it is released. */
  holdNext(matches: Fault['matches'], stage: Fault['stage']): HeldRequest;
  /** Cuts open connections and closes files. The directory can be started again. */
  close(): Promise<void>;
}

export async function startStorage(options: StorageOptions): Promise<LocalStorage> {
  const { directory, host = '127.0.0.1', port = 0, onFinalize } = options;
  await mkdir(directory, { recursive: true });
  const faults = makeFaults();
  const sessions = makeUploadSessions();
  const buckets = await openBuckets({
    directory,
    clock: makeGenerationClock(),
    step: options.onStep ?? (() => {}),
    createOnDemand: options.createBucketsOnDemand ?? true,
  });

  let origin = '';
  const api = {
    buckets,
    sessions,
    origin: () => origin,
    async finalized(object: ObjectResource) {
      try {
        await onFinalize?.(object);
      } catch (error) {
        console.error(
          'storage: onFinalize failed:',
          error instanceof Error ? error.message : 'unknown error',
        );
      }
    },
  };
  const server = makeServer((request) => dispatch(api, request), faults);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  origin = `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;

  return {
    host,
    port: address.port,
    url: origin,
    setDelay: faults.setDelay,
    failNext: faults.arm,
    holdNext: faults.hold,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      faults.releaseAll();
      server.closeAllConnections();
      await closed;
      await sessions.closeAll();
    },
  };
}
