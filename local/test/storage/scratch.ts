import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LocalStorage, type StorageOptions, startStorage } from '../../src/storage/index.ts';

/** A temporary directory, and the servers that ran on it. */
export interface Scratch {
  readonly directory: string;
  start(options?: Omit<StorageOptions, 'directory'>): Promise<LocalStorage>;
  clean(): Promise<void>;
}

export async function makeScratch(): Promise<Scratch> {
  const directory = await mkdtemp(path.join(tmpdir(), 'storage-'));
  const servers: LocalStorage[] = [];
  return {
    directory,
    async start(options = {}) {
      const server = await startStorage({ directory, ...options });
      servers.push(server);
      return server;
    },
    async clean() {
      for (const server of servers) await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
