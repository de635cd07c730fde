/**
 * Loaded in a function's process before the Functions Framework: keeps it to this machine, and to the host's life. The
 * framework itself listens on every address, and would outlive whoever started it.
 */
import { type AddressInfo, Server } from 'node:net';

const listen = Server.prototype.listen;
Server.prototype.listen = function (this: Server, ...given: unknown[]): Server {
  Server.prototype.listen = listen;
  this.once('listening', () => process.send?.((this.address() as AddressInfo).port));
  return listen.call(this, { port: 0, host: '127.0.0.1' }, given.at(-1) as () => void);
} as typeof listen;

process.on('disconnect', () => process.exit(0));
