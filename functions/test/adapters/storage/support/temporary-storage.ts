import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Storage } from '@google-cloud/storage';
import { type StorageOptions, startStorage } from '../../../../../local/src/storage/index.ts';

/** Waits between its tries are short, so that a test that needs all of them is too. */
export const makeClient = (url: string, timeout?: number): Storage =>
  new Storage({
    projectId: 'demo-ekklesia',
    apiEndpoint: url,
    ...(timeout !== undefined && { timeout }),
    retryOptions: { maxRetries: 4, maxRetryDelay: 1 },
  });

export type TemporaryStorage = Awaited<ReturnType<typeof makeTemporaryStorage>>;

/** A storage server over a folder of its own, and the real client to it. */
export const makeTemporaryStorage = async (options: Omit<StorageOptions, 'directory'> = {}) => {
  const folder = await mkdtemp(join(tmpdir(), 'storage-'));
  const server = await startStorage({ ...options, directory: folder });
  return {
    server,
    url: server.url,
    client: makeClient(server.url),
    /** Counts from now on. */
    countRequests: () => {
      let count = 0;
      server.failNext({
        matches: () => {
          count += 1;
          return false;
        },
        stage: 'before',
        answer: 500,
      });
      return () => count;
    },
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, maxRetries: 5 });
    },
  };
};
