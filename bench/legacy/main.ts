import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLegacyStack } from '../../local/test/django/support/legacy-stack.ts';
import type { BenchOptions, BenchReport } from '../lib/benchmark.ts';
import { median } from '../lib/statistics.ts';

/** Saves of one member each, after as many that warm both sides up. */
const SAVES = 30;
const WARM_UP = 3;
const MEMBERS = 100;
const ANSWER_AT_MOST_MS = 500;

/**
 * How long a save in the admin of a registry without the companion app waits for its webhook: Django with one worker
 * process, which sends inside its transaction, to the built functions in Google's framework. The first one meets a process
 * that has just been started, as after a deployment.
 */
export default async (options: BenchOptions): Promise<BenchReport> => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-legacy-'));
  options.note('starting Django…');
  const { registry, close } = await startLegacyStack(folder, MEMBERS);
  try {
    const members = (await registry.kennitalas()).filter((number) => !number.startsWith('9999'));
    const samples: { readonly save: number; readonly webhook: number }[] = [];
    const saves = (options.rounds ?? SAVES) + WARM_UP;
    options.note(`${saves} saves…`);
    for (let n = 0; n < saves; n += 1) {
      const startedAt = performance.now();
      const { webhooks } = await registry.save('edit', {
        ssn: members[n % members.length],
        name: `Save ${n}`,
      });
      const [sent, ...others] = webhooks;
      if (sent?.status !== 200 || others.length > 0) throw new Error('A webhook was not answered with 200.');
      samples.push({ save: performance.now() - startedAt, webhook: sent.milliseconds });
    }
    return toReport(samples);
  } finally {
    await close();
    await rm(folder, { recursive: true, maxRetries: 5 });
  }
};

const toReport = (samples: readonly { readonly save: number; readonly webhook: number }[]): BenchReport => {
  const [first] = samples;
  const warm = samples.slice(WARM_UP);
  const row = (what: string, key: 'save' | 'webhook') => {
    const times = warm.map((sample) => sample[key]);
    return [what, first?.[key] ?? 0, median(times), Math.max(...times)].map((cell) =>
      typeof cell === 'number' ? cell.toFixed(0) : cell,
    );
  };
  return {
    tables: [
      {
        title: `a save in a registry without the companion app, one worker; ${warm.length} saves, ms`,
        columns: ['', 'first', 'median', 'slowest of the rest'],
        rows: [row('answer to the webhook', 'webhook'), row('whole request of the save', 'save')],
      },
    ],
    goals: [
      {
        what: 'median answer to a legacy webhook',
        measured: median(warm.map(({ webhook }) => webhook)),
        atMost: ANSWER_AT_MOST_MS,
        unit: 'ms',
      },
    ],
    samples,
  };
};
