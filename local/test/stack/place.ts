import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { assertPortsFree, portsWithOffset } from '../../src/ports.ts';

export interface Place {
  /** The data folder. */
  readonly data: string;
  /** `--data` and `--port-offset`, for a stack that meets no other. */
  readonly args: readonly string[];
  readonly portOffset: number;
  /** Lines of the published file. */
  lines(): Promise<number>;
}

/** A new data folder and a free set of ports, for one test. */
export const makePlace = async (): Promise<Place> => {
  const data = await mkdtemp(join(tmpdir(), 'local-stack-'));
  onTestFinished(() => rm(data, { recursive: true, force: true, maxRetries: 5 }));
  const portOffset = await freeOffset();
  return {
    data,
    args: ['--data', data, '--port-offset', String(portOffset)],
    portOffset,
    lines: async () => {
      const file = join(data, 'storage/demo-ekklesia.appspot.com/kennitalas.txt');
      return (await readFile(file, 'utf8')).split('\n').length - 1;
    },
  };
};

/** Below the ports that the system gives to clients and to servers on port 0, so that those are never in the way. */
const LARGEST_OFFSET = 23_000;

const freeOffset = async (): Promise<number> => {
  for (let tries = 0; tries < 50; tries += 1) {
    const offset = 1_000 + Math.floor(Math.random() * (LARGEST_OFFSET - 1_000));
    try {
      await assertPortsFree(portsWithOffset(offset));
      return offset;
    } catch {
      // Taken: try others.
    }
  }
  throw new Error('No free set of ports was found.');
};
