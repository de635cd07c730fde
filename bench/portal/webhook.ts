import type { BenchOptions, BenchReport, Goal } from '../lib/benchmark.ts';
import { type LoadMeasured, percentile, sendAll } from './webhook-load.ts';
import {
  CONTENDERS,
  type ContenderName,
  startWebhookServers,
  type WebhookServers,
} from './webhook-servers.ts';

const MEMBERS = 2_216;
const CONCURRENCIES = [1, 16, 80] as const;
const DELAYS_MS = [0, 5];
/** Events of one turn of a contender, by how many are sent at once. The turns alternate. */
const EVENTS_A_TURN: Record<(typeof CONCURRENCIES)[number], number> = { 1: 24, 16: 192, 80: 320 };
const TURNS = 8;

const P50_AT_MOST = 2.2;
/** A flood is where the tail shows. */
const FLOOD = 80;
const P99_AT_MOST = 1.5;
const EVENTS_SHARE_AT_LEAST = 0.6;

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
 * update of another member that is there already. The delay is added to every call to Firestore. They take short turns, so
 * that what else the machine does falls on both.
 */
export const benchWebhook = async ({ rounds, note }: BenchOptions): Promise<BenchReport> => {
  const servers = await startWebhookServers(MEMBERS);
  const cells: Cell[] = [];
  try {
    for (const contender of CONTENDERS) await sendAll(servers.url(contender), servers.next(1_000), 16);
    for (const delayMs of DELAYS_MS) {
      servers.setDelay(delayMs);
      for (const concurrency of CONCURRENCIES) {
        note(`webhook: ${concurrency} at once, ${delayMs} ms…`);
        cells.push(await measure(delayMs, concurrency, (rounds ?? 1) * TURNS, servers));
      }
    }
  } finally {
    await servers.close();
  }
  return {
    tables: [
      {
        title: 'webhook, milliseconds an event',
        columns: ['Firestore delay', 'at once', 'handler', 'p50', 'p95', 'p99', 'events/s'],
        rows: cells.flatMap(({ ours, reference }) => [rowOf(ours), rowOf(reference)]),
      },
    ],
    goals: cells.flatMap(goalsOf),
    samples: cells,
  };
};

type Cell = Readonly<Record<ContenderName, WebhookMeasured>>;

const measure = async (
  delayMs: number,
  concurrency: (typeof CONCURRENCIES)[number],
  turns: number,
  servers: WebhookServers,
): Promise<Cell> => {
  const turn = (contender: ContenderName) =>
    sendAll(servers.url(contender), servers.next(EVENTS_A_TURN[concurrency]), concurrency);
  const measured: Record<ContenderName, LoadMeasured[]> = { ours: [], reference: [] };
  for (const contender of CONTENDERS) await turn(contender);
  for (let n = 0; n < turns; n += 1) {
    // Whoever comes second finds the garbage of the first: they take the first place by turns.
    const order = n % 2 === 0 ? CONTENDERS : CONTENDERS.toReversed();
    for (const contender of order) measured[contender].push(await turn(contender));
  }
  const summary = (contender: ContenderName): WebhookMeasured => {
    const latencies = measured[contender].flatMap((load) => load.latencies).sort((a, b) => a - b);
    const seconds = measured[contender].reduce((sum, load) => sum + load.seconds, 0);
    const [p50, p95, p99] = [50, 95, 99].map((percent) => percentile(latencies, percent)) as [
      number,
      number,
      number,
    ];
    const events = latencies.length;
    return { contender, delayMs, concurrency, events, p50, p95, p99, eventsPerSecond: events / seconds };
  };
  return { ours: summary('ours'), reference: summary('reference') };
};

const goalsOf = ({ ours, reference }: Cell): Goal[] => {
  const { concurrency, delayMs } = ours;
  const where = `webhook, ${concurrency} at once, ${delayMs} ms delay`;
  const p50 = { what: `${where}, p50`, measured: ours.p50 / reference.p50, atMost: P50_AT_MOST };
  const flood = [
    { what: `${where}, p99`, measured: ours.p99 / reference.p99, atMost: P99_AT_MOST },
    {
      what: `${where}, the reference's events a second to ours`,
      measured: reference.eventsPerSecond / ours.eventsPerSecond,
      atMost: Number((1 / EVENTS_SHARE_AT_LEAST).toFixed(2)),
    },
  ];
  return [p50, ...(concurrency === FLOOD ? flood : [])].map((goal) => ({ ...goal, unit: '× the reference' }));
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
