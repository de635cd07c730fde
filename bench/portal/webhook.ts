import type { BenchOptions, BenchReport } from '../lib/benchmark.ts';
import { percentile, sendAll } from './webhook-load.ts';
import {
  CONTENDERS,
  type ContenderName,
  startWebhookServers,
  type WebhookServers,
} from './webhook-servers.ts';

const MEMBERS = 2_216;
/** Of each measurement at most, in seconds: how many events are sent follows from the pace of the warming up. */
const SECONDS = 5;
const MOST_EVENTS = 2_000;
const CONCURRENCIES = [1, 16, 80];
const DELAYS_MS = [0, 5];
/** A change is seen within a second. */
const P99_AT_MOST_MS = 1_000;

interface WebhookMeasured {
  readonly contender: ContenderName;
  readonly delayMs: number;
  readonly concurrency: number;
  readonly events: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly eventsPerSecond: number;
}

/**
 * Our webhook against the reference handler: both in the functions host over the same local Firestore, each event an
 * update of another member that is there already. The delay is added to every call to Firestore.
 */
export const benchWebhook = async ({ rounds, note }: BenchOptions): Promise<BenchReport> => {
  const servers = await startWebhookServers(MEMBERS);
  const samples: WebhookMeasured[] = [];
  try {
    for (const contender of CONTENDERS) await sendAll(servers.url(contender), servers.next(MEMBERS), 16);
    for (let round = 0; round < (rounds ?? 3); round += 1) {
      for (const delayMs of DELAYS_MS) {
        servers.firestore.setDelay(delayMs);
        for (const concurrency of CONCURRENCIES) {
          note(`webhook: ${concurrency} at once, ${delayMs} ms, round ${round + 1}…`);
          for (const contender of CONTENDERS)
            samples.push(await measure(contender, delayMs, concurrency, servers));
        }
      }
    }
  } finally {
    await servers.close();
  }
  return reportOn(samples);
};

const measure = async (
  contender: ContenderName,
  delayMs: number,
  concurrency: number,
  servers: WebhookServers,
): Promise<WebhookMeasured> => {
  const url = servers.url(contender);
  const warm = await sendAll(url, servers.next(Math.max(20, concurrency * 2)), concurrency);
  const events = Math.min(MOST_EVENTS, Math.ceil(warm.eventsPerSecond * SECONDS));
  const { latencies, eventsPerSecond } = await sendAll(url, servers.next(events), concurrency);
  const [p50, p95, p99] = [50, 95, 99].map((percent) => percentile(latencies, percent)) as [
    number,
    number,
    number,
  ];
  return { contender, delayMs, concurrency, events, p50, p95, p99, eventsPerSecond };
};

/** Of each kind the round whose median is the middle one. */
const reportOn = (samples: readonly WebhookMeasured[]): BenchReport => {
  const middles = DELAYS_MS.flatMap((delayMs) =>
    CONCURRENCIES.map((concurrency) => {
      const of = (name: ContenderName): WebhookMeasured => middleOf(samples, name, delayMs, concurrency);
      return { delayMs, concurrency, ours: of('ours'), reference: of('reference') };
    }),
  );
  return {
    tables: [
      {
        title: 'webhook, milliseconds an event',
        columns: ['Firestore delay', 'at once', 'handler', 'p50', 'p95', 'p99', 'events/s'],
        rows: middles.flatMap(({ ours, reference }) => [rowOf(ours), rowOf(reference)]),
      },
    ],
    goals: middles.map(({ delayMs, concurrency, ours }) => ({
      what: `webhook, ${concurrency} at once, ${delayMs} ms delay, p99`,
      measured: ours.p99,
      atMost: P99_AT_MOST_MS,
      unit: 'ms',
    })),
    samples,
  };
};

const middleOf = (
  samples: readonly WebhookMeasured[],
  contender: ContenderName,
  delayMs: number,
  concurrency: number,
): WebhookMeasured => {
  const found = samples
    .filter(
      (one) => one.contender === contender && one.delayMs === delayMs && one.concurrency === concurrency,
    )
    .toSorted((a, b) => a.p50 - b.p50);
  const middle = found[Math.floor(found.length / 2)];
  if (middle === undefined) throw new RangeError('Nothing was measured.');
  return middle;
};

const rowOf = ({
  contender,
  delayMs,
  concurrency,
  p50,
  p95,
  p99,
  eventsPerSecond,
}: WebhookMeasured): string[] => [
  `${delayMs} ms`,
  String(concurrency),
  contender,
  p50.toFixed(1),
  p95.toFixed(1),
  p99.toFixed(1),
  eventsPerSecond.toFixed(0),
];
