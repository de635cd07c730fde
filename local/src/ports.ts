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
export const portsWithOffset = (offset: number): Ports => ({
  registry: PORTS.registry + offset,
  firestore: PORTS.firestore + offset,
  storage: PORTS.storage + offset,
  auth: PORTS.auth + offset,
  functions: PORTS.functions + offset,
  postgres: PORTS.postgres + offset,
  dashboard: PORTS.dashboard + offset,
});

/**
 * Looks at all ports before anything is started, so that a person reads of all that are taken at once.
 * @throws Error that names each port that is in use, what it is for, and the way out.
 */
export const assertPortsFree = async (ports: Partial<Ports>): Promise<void> => {
  const taken: string[] = [];
  for (const [service, port] of Object.entries(ports)) {
    if (!(await isFree(port))) taken.push(`${port} (${service})`);
  }
  if (taken.length === 0) return;
  throw new Error(
    `${taken.length === 1 ? 'Port' : 'Ports'} ${taken.join(', ')} in use on 127.0.0.1. Stop what uses ` +
      `${taken.length === 1 ? 'it' : 'them'}, or run beside it with other ports: --port-offset 100 ` +
      '(and --data DIR, if it is another stack).',
  );
};

const isFree = async (port: number): Promise<boolean> => {
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
