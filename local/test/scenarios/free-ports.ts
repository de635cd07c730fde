import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Ports } from '../../src/ports.ts';

/** Ports of 127.0.0.1 that were free a moment ago, all different. */
export const findFreePorts = async (): Promise<Ports> => {
  const services = [
    'registry',
    'firestore',
    'storage',
    'auth',
    'functions',
    'postgres',
    'dashboard',
  ] as const;
  const servers = services.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  return Object.fromEntries(services.map((service, n) => [service, ports[n]])) as Ports;
};
