import { open, rm } from 'node:fs/promises';
import { type Checksums, makeChecksumStream } from './checksums.ts';

const WRITE_BATCH_BYTES = 1 << 20;
const READ_ONLY = 0o444;

/** Bytes that arrived whole and are on disk, but belong to no object yet. */
export interface StagedUpload extends Checksums {
  readonly path: string;
  readonly size: number;
}

export interface UploadSink {
  /** Bytes taken so far. */
  size(): number;
  write(bytes: Buffer): Promise<void>;
  /** Hands all bytes to the file system. */
  flush(): Promise<void>;
  /** Syncs to disk, makes the file read-only and closes it. */
  finish(): Promise<StagedUpload>;
  close(): Promise<void>;
  discard(): Promise<void>;
}

/** Writes and hashes in one pass, without copying. An existing file is continued, as a resumed upload needs. */
export async function openUploadSink(path: string): Promise<UploadSink> {
  const handle = await open(path, 'a+');
  const checksums = makeChecksumStream();
  let size = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let writing: Promise<void> = Promise.resolve();

  for await (const chunk of handle.createReadStream({ start: 0, autoClose: false })) {
    checksums.update(chunk as Buffer);
    size += (chunk as Buffer).byteLength;
  }

  async function writeBatch(batch: Buffer[], bytes: number): Promise<void> {
    const { bytesWritten } = await handle.writev(batch);
    if (bytesWritten !== bytes) throw new Error('The file system took only part of a write.');
  }

  async function startBatch(): Promise<void> {
    await writing;
    const [batch, bytes] = [pending, pendingBytes];
    pending = [];
    pendingBytes = 0;
    if (bytes === 0) return;
    writing = writeBatch(batch, bytes);
    // The failure is reported by the next `await writing`; without this it would first be an unhandled rejection.
    writing.catch(() => {});
  }

  const sink: UploadSink = {
    size: () => size,
    async write(bytes) {
      checksums.update(bytes);
      size += bytes.byteLength;
      pending.push(bytes);
      pendingBytes += bytes.byteLength;
      if (pendingBytes >= WRITE_BATCH_BYTES) await startBatch();
    },
    async flush() {
      await startBatch();
      await writing;
    },
    async finish() {
      await sink.flush();
      await handle.chmod(READ_ONLY);
      await handle.sync();
      await handle.close();
      return { path, size, ...checksums.finish() };
    },
    async close() {
      await sink.flush();
      await handle.close();
    },
    async discard() {
      await writing.catch(() => {});
      // The handle is closed already if `finish` ran.
      await handle.close().catch(() => {});
      await rm(path, { force: true });
    },
  };
  return sink;
}
