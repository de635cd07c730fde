/** The official emulators' ports, so that tools that know those find these. */
const PORTS = { registry: 8000, firestore: 8080, storage: 9199, auth: 9099, functions: 5001 } as const;

export type Ports = Record<keyof typeof PORTS, number>;

/** Every port plus `offset`, to run beside another stack. */
export const portsWithOffset = (offset: number): Ports => ({
  registry: PORTS.registry + offset,
  firestore: PORTS.firestore + offset,
  storage: PORTS.storage + offset,
  auth: PORTS.auth + offset,
  functions: PORTS.functions + offset,
});
