import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A way to the server on which every answer takes `delayMs` longer, as over a network. It delays, and does not narrow:
 * what is under way together arrives together.
 */
export const openSlowLink = async (serverUrl: string, delayMs: number) => {
  const server = new URL(serverUrl);
  const sockets = new Set<Socket>();
  const link = createServer((client) => {
    const upstream = connect(Number(server.port), server.hostname);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    client.pipe(upstream);
    upstream.on('data', (data) => setTimeout(() => client.write(data), delayMs));
    upstream.on('end', () => setTimeout(() => client.end(), delayMs));
  }).listen(0, '127.0.0.1');
  await once(link, 'listening');
  const url = new URL(serverUrl);
  url.port = String((link.address() as AddressInfo).port);
  return {
    url: url.href,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      link.close();
      await once(link, 'close');
    },
  };
};
