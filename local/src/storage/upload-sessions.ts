import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ObjectAttributes } from './attributes.ts';
import type { Bucket } from './bucket.ts';
import type { Checksums } from './checksums.ts';
import { replaceFile } from './durable-file.ts';
import { ApiError } from './errors.ts';
import { hasCode } from './file-errors.ts';
import { makeKeyedLock } from './keyed-lock.ts';
import { openUploadSink, type UploadSink } from './upload-sink.ts';

/** As long as Cloud Storage keeps one. */
const SESSION_LIFETIME_MILLISECONDS = 7 * 24 * 60 * 60 * 1000;

/** What the client said when it began a resumable upload; kept on disk, so that a restart does not lose it. */
export interface UploadSession {
  readonly id: string;
  readonly name: string;
  readonly attributes: ObjectAttributes;
  readonly claims: readonly Partial<Checksums>[];
  /** The query of the first request: its preconditions are tested when the upload ends. */
  readonly query: string;
}

export interface UploadSessions {
  begin(bucket: Bucket, session: Omit<UploadSession, 'id'>): Promise<UploadSession>;
  /** @throws ApiError 404 for an id that is unknown, cancelled or too old */
  find(bucket: Bucket, id: string): Promise<UploadSession>;
  /** Runs one request of a session at a time: a client that lost its connection may be back before we know. */
  exclusively<T>(id: string, task: () => Promise<T>): Promise<T>;
  /** The bytes so far, open for more. */
  sink(bucket: Bucket, id: string): Promise<UploadSink>;
  /** The bytes were handed over; the session stays, to answer a client that did not hear so. */
  settle(id: string): void;
  cancel(bucket: Bucket, id: string): Promise<void>;
  closeAll(): Promise<void>;
}

export function makeUploadSessions(): UploadSessions {
  const lock = makeKeyedLock();
  const sinks = new Map<string, Promise<UploadSink>>();
  const file = (bucket: Bucket, id: string, extension: 'json' | 'data') =>
    path.join(bucket.files.uploadsFolder, `${id}.${extension}`);

  return {
    async begin(bucket, facts) {
      await removeExpired(bucket.files.uploadsFolder);
      const session = { id: randomUUID(), ...facts };
      await replaceFile(
        file(bucket, session.id, 'json'),
        bucket.files.incomingFolder,
        JSON.stringify(session),
      );
      return session;
    },
    async find(bucket, id) {
      // The id becomes a file name, so only the server's own form is let through.
      if (!/^[0-9a-f-]{36}$/.test(id)) throw unknownSession();
      try {
        return JSON.parse(await readFile(file(bucket, id, 'json'), 'utf8')) as UploadSession;
      } catch (error) {
        if (hasCode(error, 'ENOENT')) throw unknownSession();
        throw error;
      }
    },
    exclusively: (id, task) => lock.run(id, task),
    sink(bucket, id) {
      const open = sinks.get(id) ?? openUploadSink(file(bucket, id, 'data'));
      sinks.set(id, open);
      return open;
    },
    settle(id) {
      sinks.delete(id);
    },
    async cancel(bucket, id) {
      const sink = await sinks.get(id);
      sinks.delete(id);
      await sink?.discard();
      await rm(file(bucket, id, 'data'), { force: true });
      await rm(file(bucket, id, 'json'), { force: true });
    },
    async closeAll() {
      const open = await Promise.all(sinks.values());
      sinks.clear();
      await Promise.all(open.map((sink) => sink.close()));
    },
  };
}

function unknownSession(): ApiError {
  return new ApiError(404, 'notFound', 'No such resumable upload session.');
}

async function removeExpired(folder: string): Promise<void> {
  const oldest = Date.now() - SESSION_LIFETIME_MILLISECONDS;
  for (const name of await readdir(folder)) {
    const target = path.join(folder, name);
    try {
      if ((await stat(target)).mtimeMs < oldest) await rm(target, { force: true });
    } catch (error) {
      // Another upload ended meanwhile, and its file became an object's.
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
}
