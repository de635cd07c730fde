import { once } from 'node:events';
import { createServer } from 'node:net';

/** The official emulators' ports, so that tools that know those find these. */
const PORTS = {
  registry: 8000,
  firestore: 8080,
  storage: 9199,
  auth: 9099,
  functions: 5001,
  postgres: 5434,
  dashboard: 5000,
} as const;

export type Ports = Record<keyof typeof PORTS, number>;

/** Every port plus `offset`, to run beside another stack. */
export const portsWithOffset = (offset: number): Ports =>
  Object.fromEntries(Object.entries(PORTS).map(([service, port]) => [service, port + offset])) as Ports;

/**
 * Looks at all ports before anything is started, so that a person reads of all that are taken at once.
 * @throws Error that names each port that is in use, what it is for, and a free offset.
 */
export const assertPortsFree = async (ports: Partial<Ports>): Promise<void> => {
  const taken: string[] = [];
  for (const [service, port] of Object.entries(ports)) {
    if (!(await isFree(port))) taken.push(`${port} (${service})`);
  }
  if (taken.length === 0) return;
  const [noun, pronoun] = taken.length === 1 ? ['Port', 'it'] : ['Ports', 'them'];
  throw new Error(
    `${noun} ${taken.join(', ')} in use on 127.0.0.1. Stop what uses ${pronoun}, or run beside it with other ports: ` +
      `--port-offset ${await freeOffset()} (and --data DIR, if it is another stack).`,
  );
};

const OFFSET_STEP = 100;
const HIGHEST_OFFSET = 50_000;

/** The lowest multiple of a hundred at which a whole stack fits. */
const freeOffset = async (): Promise<number> => {
  for (let offset = OFFSET_STEP; offset < HIGHEST_OFFSET; offset += OFFSET_STEP) {
    const free = await Promise.all(Object.values(portsWithOffset(offset)).map(isFree));
    if (free.every(Boolean)) return offset;
  }
  return HIGHEST_OFFSET;
};

const isFree = async (port: number): Promise<boolean> => {
  if (port > 65_535) return false;
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  await server[Symbol.asyncDispose]();
  return true;
};
