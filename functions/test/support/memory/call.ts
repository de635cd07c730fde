export type Server = 'firestore' | 'registry' | 'storage' | 'database';

/** Makes a call of one process to a server: its effect now, or whenever, or never, as whoever holds the process says. */
export type MakeCall = <T>(server: Server, what: string, effect: () => T) => Promise<T>;
