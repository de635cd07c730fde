// Preloaded into firebase-tools: whatever it asks of another machine is asked of the loopback Google at REHEARSE_PORT instead,
// with the machine's name before the path. Nothing leaves this machine.
const http = require('node:http');
const https = require('node:https');

const port = Number(process.env.REHEARSE_PORT);
// For gcloud alone: firebase-tools would ask it for tunnels.
for (const name of ['http_proxy', 'https_proxy']) delete process.env[name];
const isHere = (host) => ['127.0.0.1', 'localhost', '::1', '[::1]'].includes(host);

for (const [module, usual] of [
  [https, https.request],
  [http, http.request],
]) {
  module.request = (first, ...rest) => {
    const given = typeof first === 'string' || first instanceof URL ? new URL(first) : null;
    const options =
      rest.length > 0 && typeof rest[0] === 'object' ? rest.shift() : given === null ? first : {};
    const host = given?.hostname ?? options.hostname ?? options.host ?? 'localhost';
    if (isHere(host)) return given === null ? usual(options, ...rest) : usual(given, options, ...rest);
    const path = given === null ? (options.path ?? '/') : `${given.pathname}${given.search}`;
    const { agent: _, host: __, hostname: ___, href: ____, headers = {}, ...kept } = options;
    const plain = Object.fromEntries(
      Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'host'),
    );
    return httpRequest(
      { ...kept, protocol: 'http:', hostname: '127.0.0.1', port, path: `/${host}${path}`, headers: plain },
      ...rest,
    );
  };
  module.get = (...args) => {
    const request = module.request(...args);
    request.end();
    return request;
  };
}
const httpRequest = (...args) => new http.ClientRequest(...args);

const usualFetch = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const url = new URL(typeof input === 'object' && 'url' in input ? input.url : input);
  if (isHere(url.hostname)) return usualFetch(input, init);
  const there = `http://127.0.0.1:${port}/${url.hostname}${url.pathname}${url.search}`;
  return usualFetch(typeof input === 'object' && 'url' in input ? new Request(there, input) : there, init);
};
