import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Bucket, type StorageOptions as ClientOptions, type File, Storage } from '@google-cloud/storage';
import { type LocalStorage, type StorageOptions, startStorage } from '../../../src/storage/index.ts';

/** A temporary directory, and the servers that ran on it. */
export interface Scratch {
  readonly directory: string;
  start(options?: Omit<StorageOptions, 'directory'>): Promise<LocalStorage>;
  clean(): Promise<void>;
}

export const makeScratch = async (): Promise<Scratch> => {
  const directory = await mkdtemp(path.join(tmpdir(), 'storage-'));
  const servers: LocalStorage[] = [];
  return {
    directory,
    start: async (options = {}) => {
      const server = await startStorage({ directory, ...options });
      servers.push(server);
      return server;
    },
    clean: async () => {
      for (const server of servers) await server.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};

/** Never retries, so that a test sees the server's own answer. */
export const makeClient = (
  url: string,
  retryOptions: NonNullable<ClientOptions['retryOptions']> = { autoRetry: false },
): Storage => new Storage({ apiEndpoint: url, projectId: 'demo-storage', retryOptions });

/** The HTTP status of the refusal; fails the test if the call succeeds. */
export const refusal = async (call: Promise<unknown>): Promise<number> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return Number(error.code);
    throw error;
  }
  throw new Error('The call succeeded; a refusal was expected.');
};

export const textOf = async (file: { download(): Promise<[Buffer]> }): Promise<string> =>
  (await file.download())[0].toString('utf8');

/** Saves each text as a version, and answers their generations, oldest first. */
export const saveEach = async (file: File, texts: readonly string[]): Promise<string[]> => {
  const generations: string[] = [];
  for (const text of texts) {
    await file.save(text, { resumable: false, metadata: { contentType: 'text/plain', metadata: { text } } });
    generations.push(String(file.metadata.generation));
  }
  return generations;
};

export const generationsIn = async (
  bucket: Bucket,
  kind: { readonly versions?: true; readonly softDeleted?: true },
  prefix: string,
): Promise<string[]> =>
  (await bucket.getFiles({ prefix, ...kind }))[0].map(({ metadata }) => String(metadata.generation));
