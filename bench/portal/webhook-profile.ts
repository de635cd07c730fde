/**
 * Where the milliseconds of one event go: events one after another, and the processor's time of the function's process by
 * who spent it (the sampled frame's package), for both contenders.
 *
 *     node bench/portal/webhook-profile.ts
 */
import { once } from 'node:events';
import type { Profiler } from 'node:inspector';
import { type AddressInfo, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { median } from '../lib/statistics.ts';
import { sendAll } from './webhook-load.ts';
import { CONTENDERS, type ContenderName, startWebhookServers } from './webhook-servers.ts';

const MEMBERS = 600;
const EVENTS = Number(process.argv[2] ?? 400);

const profile = async (contender: ContenderName): Promise<Map<string, number>> => {
  const control = createServer().listen(0, '127.0.0.1');
  await once(control, 'listening');
  const servers = await startWebhookServers(MEMBERS, {
    NODE_OPTIONS: `--import ${new URL('./profiled.ts', import.meta.url).href}`,
    BENCH_PROFILE_PORT: String((control.address() as AddressInfo).port),
  });
  try {
    const connected = once(control, 'connection');
    const url = servers.url(contender);
    await sendAll(url, servers.next(EVENTS), 1);
    const [socket] = await connected;
    socket.write('start');
    const { latencies } = await sendAll(url, servers.next(EVENTS), 1);
    socket.write('stop');
    const spent = byWho(JSON.parse(await text(socket)) as Profiler.Profile);
    spent.set('from request to answer, the middle one', median(latencies));
    return spent;
  } finally {
    await servers.close();
    control.close();
  }
};

/** Milliseconds an event. */
const byWho = ({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Map<string, number> => {
  const who = new Map(nodes.map(({ id, callFrame }) => [id, whoseIs(callFrame)]));
  const spent = new Map<string, number>();
  for (const [n, id] of samples.entries()) {
    const name = who.get(id) ?? 'unknown';
    spent.set(name, (spent.get(name) ?? 0) + (timeDeltas[n] ?? 0) / 1_000 / EVENTS);
  }
  return spent;
};

const whoseIs = ({ url, functionName }: Profiler.ProfileNode['callFrame']): string => {
  if (functionName.startsWith('(')) return WORDS[functionName] ?? functionName;
  const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (name === '@grpc/grpc-js' || /^node:(?:internal\/)?http2/.test(url)) return 'gRPC and HTTP/2';
  if (name === 'firebase-functions' || name === '@google-cloud/functions-framework') return 'the platform';
  if (/^(?:express|router|body-parser|raw-body|iconv-lite|debug|content-type)$/.test(name ?? ''))
    return 'the platform';
  if (name !== undefined) return "Firestore's client";
  if (url.startsWith('node:')) return 'Node: HTTP, streams, timers';
  return 'the handler, and what it bundles';
};

const WORDS: Readonly<Record<string, string>> = {
  '(idle)': 'waiting',
  '(program)': 'native code',
  '(garbage collector)': 'garbage collection',
};

const profiles = { ours: await profile('ours'), reference: await profile('reference') };
const names = [...new Set(CONTENDERS.flatMap((one) => [...profiles[one].keys()]))];
const of = (contender: ContenderName, name: string): number => profiles[contender].get(name) ?? 0;
console.table(
  Object.fromEntries(
    names
      .filter((name) => of('ours', name) + of('reference', name) >= 0.01)
      .toSorted((a, b) => of('ours', b) - of('ours', a))
      .map((name) => [
        name,
        { ours: of('ours', name).toFixed(2), reference: of('reference', name).toFixed(2) },
      ]),
  ),
);
