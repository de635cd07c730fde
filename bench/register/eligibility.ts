import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import pg from 'pg';
import { startServiceTokens } from '../../functions/test/support/service-tokens.ts';
import type { BenchOptions, BenchReport, Goal } from '../lib/benchmark.ts';
import { percentile, sendAll } from '../portal/webhook-load.ts';
import type { ServeOrder } from './eligibility-server.ts';
import type { BenchServer } from './server.ts';
import { openSlowLink } from './slow-link.ts';
import { makeWireMembers } from './synthetic-members.ts';

const MEMBERS = 2_216;
const CALLER = 'elections@demo-ekklesia.iam.gserviceaccount.com';
const AUDIENCE = 'https://api.example.is';
const CONTENDERS = ['ours', 'reference'] as const;
type ContenderName = (typeof CONTENDERS)[number];

/** A round trip to Cloud SQL in the same region, and none. */
const DELAYS_MS = [0, 1];
const QUESTIONS_A_TURN = { 1: 40, 16: 160 } as const;
type AtOnce = keyof typeof QUESTIONS_A_TURN;
const TURNS = 6;

const P50_AT_MOST = 2.2;
/** A question is a signed token, a schema and a transaction with its limits for ours, where the reference compares two texts and selects. */
const REFERENCE_TIMES_AT_MOST = 3;

interface Asked {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

interface Cell extends Readonly<Record<ContenderName, Asked>> {
  readonly delayMs: number;
  readonly atOnce: AtOnce;
}

/**
 * `POST /members/eligibility`, as an election asks about one voter at a time, against a handler that parses, compares a bearer and
 * selects. They take short turns, so that what else the machine does falls on both.
 */
export const benchEligibility = async (
  server: BenchServer,
  { rounds, note }: BenchOptions,
): Promise<BenchReport> => {
  const tokens = await startServiceTokens();
  const token = await tokens.mintServiceToken({ email: CALLER, audience: AUDIENCE });
  const database = await server.createDatabase();
  const kennitalas = await fill(database.url);
  const cells: Cell[] = [];
  try {
    for (const delayMs of DELAYS_MS) {
      const link = delayMs === 0 ? null : await openSlowLink(database.url, delayMs);
      const order = {
        databaseUrl: link?.url ?? database.url,
        pemUrl: tokens.endpoints.oauth2FederatedSignonPemCertsUrl,
        caller: CALLER,
        audience: AUDIENCE,
        token,
      };
      const served = {
        ours: await serve({ ...order, contender: 'ours' }),
        reference: await serve({ ...order, contender: 'reference' }),
      };
      let next = 0;
      const ask = (name: ContenderName, count: number, atOnce: number) =>
        sendAll(
          served[name].url,
          Array.from({ length: count }, () => {
            next += 1;
            return {
              body: JSON.stringify({ kennitalas: [kennitalas[next % kennitalas.length]] }),
              headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
            };
          }),
          atOnce,
        );
      try {
        for (const name of CONTENDERS) await ask(name, 400, 16);
        for (const atOnce of [1, 16] as const) {
          note(`eligibility: ${atOnce} at once, ${delayMs} ms…`);
          cells.push({ delayMs, atOnce, ...(await measure(ask, atOnce, (rounds ?? 1) * TURNS)) });
        }
      } finally {
        for (const { child } of Object.values(served)) child.disconnect();
        await link?.close();
      }
    }
  } finally {
    await database.drop();
    await tokens.close();
  }
  return {
    tables: [
      {
        title: 'eligibility, milliseconds a question about one member',
        columns: ['database', 'at once', 'handler', 'p50', 'p99', 'questions/s'],
        rows: cells.flatMap((cell) => CONTENDERS.map((name) => rowOf(cell, name))),
      },
    ],
    goals: cells.flatMap(goalsOf),
    samples: cells,
  };
};

const fill = async (url: string): Promise<readonly string[]> => {
  const kennitalas = makeWireMembers(MEMBERS).map((member) => String(member['kennitala']));
  const client = new pg.Client(url);
  await client.connect();
  await client.query(
    `insert into public.members (kennitala, name, added_at) select kennitala, 'Nafn', now() from unnest($1::text[]) as kennitala`,
    [kennitalas],
  );
  await client.query('analyze public.members');
  await client.end();
  return kennitalas;
};

const serve = async (order: ServeOrder): Promise<{ readonly child: ChildProcess; readonly url: string }> => {
  const child = fork(new URL('./eligibility-server.ts', import.meta.url));
  child.send(order);
  const [port] = await once(child, 'message');
  return { child, url: `http://127.0.0.1:${port}/members/eligibility` };
};

const measure = async (
  ask: (name: ContenderName, count: number, atOnce: number) => ReturnType<typeof sendAll>,
  atOnce: AtOnce,
  turns: number,
): Promise<Record<ContenderName, Asked>> => {
  const loads = {
    ours: [] as Awaited<ReturnType<typeof sendAll>>[],
    reference: [] as Awaited<ReturnType<typeof sendAll>>[],
  };
  for (let turn = 0; turn < turns; turn += 1) {
    for (const name of turn % 2 === 0 ? CONTENDERS : CONTENDERS.toReversed())
      loads[name].push(await ask(name, QUESTIONS_A_TURN[atOnce], atOnce));
  }
  const summary = (name: ContenderName): Asked => {
    const latencies = loads[name].flatMap((load) => load.latencies).sort((a, b) => a - b);
    const seconds = loads[name].reduce((sum, load) => sum + load.seconds, 0);
    return {
      p50: percentile(latencies, 50),
      p99: percentile(latencies, 99),
      perSecond: latencies.length / seconds,
    };
  };
  return { ours: summary('ours'), reference: summary('reference') };
};

const rowOf = (cell: Cell, name: ContenderName): string[] => {
  const { p50, p99, perSecond } = cell[name];
  const where = cell.delayMs === 0 ? 'loopback' : `+${cell.delayMs} ms`;
  return [where, String(cell.atOnce), name, p50.toFixed(1), p99.toFixed(1), perSecond.toFixed(0)];
};

/** Judged over the link: no function has its database on the loopback. */
const goalsOf = ({ delayMs, atOnce, ours, reference }: Cell): Goal[] => {
  if (delayMs === 0) return [];
  const what = `eligibility, ${atOnce} at once, ${delayMs} ms to the database`;
  const unit = '× the reference';
  return atOnce === 1
    ? [{ what: `${what}, p50`, measured: ours.p50 / reference.p50, atMost: P50_AT_MOST, unit }]
    : [
        {
          what: `${what}, the reference's questions a second to ours`,
          measured: reference.perSecond / ours.perSecond,
          atMost: REFERENCE_TIMES_AT_MOST,
          unit,
        },
      ];
};
