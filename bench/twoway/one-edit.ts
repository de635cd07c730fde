import type { DocumentWrite } from '../../functions/src/twoway/ports.ts';
import { trackMemberWrite } from '../../functions/src/twoway/track.ts';
import type { Goal, Table } from '../lib/benchmark.ts';
import { median } from '../lib/statistics.ts';
import { makeEdits } from './member-edits.ts';
import { countedDelivery } from './ours.ts';
import { deliverEdit, deliverInTransactions, makeCounts } from './reference.ts';
import type { Servers } from './servers.ts';

const EDITS_A_TURN = 10;
/**
 * Of what the nine calls to Firestore and the request take by themselves: nothing that decides what may be told the registry can
 * wait for less. The reference has two waits, and loses edits, sends them twice, and lets them overtake one another.
 */
const OF_BARE_AT_MOST = 1.4;

type Stage = 'queued' | 'claimed' | 'told to the registry' | 'settled';
const AFTER: Record<Stage, Stage> = {
  queued: 'claimed',
  claimed: 'told to the registry',
  'told to the registry': 'settled',
  settled: 'queued',
};

const CONTENDERS = ['ours', 'reference', 'bare'] as const;
type Contender = (typeof CONTENDERS)[number];

export interface OneEdit {
  readonly delayMs: number;
  readonly ours: readonly number[];
  readonly reference: readonly number[];
  /** The transactions of ours and its request, without what is decided in them. */
  readonly bare: readonly number[];
  /** Milliseconds of ours, an edit each. */
  readonly stages: Readonly<Record<string, readonly number[]>>;
}

/**
 * From the event of one member's edit to the registry's having it and the portal's knowing that, one member after another; by
 * turns with a trigger that asks the registry and sets a document. What the platform takes to bring the event is in neither.
 */
export const measureOneEdit = async (servers: Servers, delayMs: number, turns: number): Promise<OneEdit> => {
  const measured: Record<Contender, number[]> = { ours: [], reference: [], bare: [] };
  const stages: Record<string, number[]> = {};
  const dependencies = staged(servers, stages);
  dependencies.protocol.learn(true);
  const contenders = {
    ours: async (write: DocumentWrite) => {
      const outcome = await trackMemberWrite(write, AbortSignal.timeout(60_000), dependencies);
      if (outcome !== 'settled') throw new Error(`An edit was ${outcome}.`);
    },
    reference: (write: DocumentWrite) => deliverEdit(write, servers),
    bare: (write: DocumentWrite) => deliverInTransactions(write, servers),
  };
  let next = 0;
  for (let turn = 0; turn <= turns; turn += 1) {
    for (const name of turn % 2 === 0 ? CONTENDERS : CONTENDERS.toReversed()) {
      for (let n = 0; n < EDITS_A_TURN; n += 1, next += 1) {
        const index = next % servers.kennitalas.length;
        const kennitala = servers.kennitalas[index];
        if (kennitala === undefined) throw new Error('The registry has no member.');
        // A change id that the registry has seen does nothing.
        const email = `einn.${delayMs}.${next}@postur.example`;
        const [write] = await makeEdits(servers, kennitala, [email]);
        if (write === undefined) throw new Error('There is no edit.');
        const startedAt = performance.now();
        await contenders[name](write);
        // The first turn warms up.
        if (turn > 0) measured[name].push(performance.now() - startedAt);
        if (servers.emailOf(index) !== email) throw new Error('An edit did not arrive.');
      }
    }
  }
  return { delayMs, ...measured, stages };
};

/** The delivery as it is wired, timed by stage. */
const staged = (servers: Servers, stages: Record<string, number[]>) => {
  const dependencies = countedDelivery(servers, makeCounts());
  const { store, registry } = dependencies;
  let next: Stage = 'queued';
  const timed = async <T>(work: () => Promise<T>): Promise<T> => {
    const stage = next;
    next = AFTER[stage];
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      stages[stage] = [...(stages[stage] ?? []), performance.now() - startedAt];
    }
  };
  return {
    ...dependencies,
    store: {
      ...store,
      transact: ((...given) => timed(() => store.transact(...given))) as typeof store.transact,
    },
    registry: {
      ...registry,
      apply: ((...given) => timed(() => registry.apply(...given))) as typeof registry.apply,
    },
  };
};

const p50 = ({ ours, reference, bare }: OneEdit) => ({
  ours: median(ours),
  reference: median(reference),
  bare: median(bare),
});

export const oneEditTables = (measured: readonly OneEdit[]): Table[] => [
  {
    title: 'one edit, from its event to the end of its delivery, the middle one in milliseconds',
    columns: [
      'delay',
      'ours',
      'reference',
      'ratio',
      'bare transactions',
      'ratio',
      ...new Set(measured.flatMap(({ stages }) => Object.keys(stages))),
    ],
    rows: measured.map((one) => {
      const { ours, reference, bare } = p50(one);
      return [
        `${one.delayMs} ms`,
        ours.toFixed(1),
        reference.toFixed(1),
        (ours / reference).toFixed(2),
        bare.toFixed(1),
        (ours / bare).toFixed(2),
        ...Object.values(one.stages).map((ms) => median(ms).toFixed(1)),
      ];
    }),
  },
];

export const oneEditGoals = (measured: readonly OneEdit[]): Goal[] =>
  measured.map((one) => ({
    what: `one edit, ${one.delayMs} ms to each server, p50`,
    measured: p50(one).ours / p50(one).bare,
    atMost: OF_BARE_AT_MOST,
    unit: '× its bare transactions',
  }));
