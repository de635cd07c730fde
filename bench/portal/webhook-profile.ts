/**
 * Where the milliseconds of one event go: events one after another, and the processor's time of the function's process by
 * who spent it (the sampled frame's package), for both contenders.
 *
 *     node bench/portal/webhook-profile.ts
 */
import { once } from 'node:events';
import type { Profiler } from 'node:inspector';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { median } from '../lib/statistics.ts';
import { sendAll } from './webhook-load.ts';
import { CONTENDERS, type ContenderName, startWebhookServers } from './webhook-servers.ts';

const MEMBERS = 600;
const TURNS = 10;
const EVENTS_A_TURN = 30;
const EVENTS = TURNS * EVENTS_A_TURN;

const control = createServer().listen(0, '127.0.0.1');
await once(control, 'listening');
const servers = await startWebhookServers(MEMBERS, {
  NODE_OPTIONS: `--import ${new URL('./profiled.ts', import.meta.url).href}`,
  BENCH_PROFILE_PORT: String((control.address() as AddressInfo).port),
});
const profiles = new Map<ContenderName, Map<string, number>>();
try {
  const sockets = new Map<ContenderName, Socket>();
  for (const contender of CONTENDERS) {
    const connected = once(control, 'connection');
    await sendAll(servers.url(contender), servers.next(EVENTS), 1);
    const [socket] = (await connected) as [Socket];
    sockets.set(contender, socket);
  }
  const latencies = new Map<ContenderName, number[]>();
  for (const socket of sockets.values()) socket.write('start');
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const contender of CONTENDERS) {
      const load = await sendAll(servers.url(contender), servers.next(EVENTS_A_TURN), 1);
      latencies.set(contender, [...(latencies.get(contender) ?? []), ...load.latencies]);
    }
  }
  for (const [contender, socket] of sockets) {
    socket.write('stop');
    const spent = byWho(JSON.parse(await text(socket)) as Profiler.Profile);
    spent.set('from request to answer, the middle one', median(latencies.get(contender) ?? []));
    profiles.set(contender, spent);
  }
} finally {
  await servers.close();
  control.close();
}

const names = [...new Set([...profiles.values()].flatMap((spent) => [...spent.keys()]))];
const of = (contender: ContenderName, name: string): number => profiles.get(contender)?.get(name) ?? 0;
console.table(
  Object.fromEntries(
    names
      .toSorted((a, b) => of('ours', b) - of('ours', a))
      .map((name) => [
        name,
        { ours: of('ours', name).toFixed(2), reference: of('reference', name).toFixed(2) },
      ]),
  ),
);

/** Milliseconds an event. */
function byWho({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Map<string, number> {
  const who = new Map(nodes.map(({ id, callFrame }) => [id, whoseIs(callFrame)]));
  const spent = new Map<string, number>();
  for (const [n, id] of samples.entries()) {
    const name = who.get(id) ?? null;
    if (name === null) continue;
    spent.set(name, (spent.get(name) ?? 0) + (timeDeltas[n] ?? 0) / 1_000 / EVENTS);
  }
  return spent;
}

/** Null: it waited, for its turn too. */
function whoseIs({ url, functionName }: Profiler.ProfileNode['callFrame']): string | null {
  if (functionName === '(idle)') return null;
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (functionName.startsWith('(')) return 'native code';
  const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (name === '@grpc/grpc-js' || /^node:(?:internal\/)?http2/.test(url)) return 'gRPC and HTTP/2';
  if (name === 'firebase-functions' || name === '@google-cloud/functions-framework') return 'the platform';
  if (/^(?:express|router|body-parser|raw-body|iconv-lite|debug|content-type)$/.test(name ?? ''))
    return 'the platform';
  if (name !== undefined) return "Firestore's client";
  if (url.startsWith('node:')) return 'Node: HTTP, streams, timers';
  return 'the handler, and what it bundles';
}
