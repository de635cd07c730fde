// Preloaded into every Node process of a rehearsal: what would go to another machine over TLS goes to the loopback Google at
// REHEARSE_PORT instead, in plain HTTP; the header Host says which machine was meant. Nothing leaves this machine.
const net = require('node:net');
const tls = require('node:tls');
const { syncBuiltinESMExports } = require('node:module');

tls.connect = (...args) => {
  const socket = net.connect({ host: '127.0.0.1', port: Number(process.env.REHEARSE_PORT) });
  Object.assign(socket, { encrypted: true, authorized: true, alpnProtocol: false });
  const onSecure = args.find((argument) => typeof argument === 'function');
  if (onSecure !== undefined) socket.once('secureConnect', onSecure);
  socket.once('connect', () => socket.emit('secureConnect'));
  return socket;
};
syncBuiltinESMExports();
