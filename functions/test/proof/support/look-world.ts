import type { Kennitala } from '../../../src/domain/kennitala.ts';
import {
  BUCKETS,
  bucketOf,
  type DigestNumbers,
  keySumsOf,
  NO_MEMBERS,
  type SetSums,
  sumOf,
  tryDigest,
} from '../../../src/domain/member/digest.ts';
import type { SyncError } from '../../../src/lib/errors.ts';
import type { PortalDocument } from '../../../src/portal/ports.ts';
import type { NoSums, RegistrySums } from '../../../src/proof/digest-ports.ts';
import type { LookPorts } from '../../../src/proof/look.ts';
import type { OutboxRow } from '../../../src/registry/ports.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';

export const [ONE, TWO, THREE, STRANGER] = makeKennitalas(4, 91_000) as [
  Kennitala,
  Kennitala,
  Kennitala,
  Kennitala,
];
export const NOW = new Date('2026-11-20T10:00:00Z');
export const digestOf = (n: number): string => `${n.toString(16).padStart(16, '0')}${'0'.repeat(48)}`;
export const numbersOf = (n: number): DigestNumbers => tryDigest(digestOf(n)) as DigestNumbers;
type Held = Map<Kennitala, DigestNumbers | undefined>;

/** Three members, whom all stores hold as the registry has them until a test says otherwise. */
export const openLookWorld = () => {
  const rows = new Map<Kennitala, Record<string, unknown>>(
    [ONE, TWO, THREE].map((ssn, n) => [ssn, { id: n + 1, ssn, name: 'A', digest: digestOf(n + 1) }]),
  );
  const held = (): Held => new Map([ONE, TWO, THREE].map((who, n) => [who, numbersOf(n + 1)]));
  return {
    rows,
    portal: held(),
    register: held() as Held | null,
    roster: [ONE, TWO, THREE].join('\n') as string | null,
    outbox: [] as OutboxRow[],
    /** What the registry says of its sums, time after time; then what is so. */
    said: [] as (RegistrySums | NoSums)[],
    /** What the portal and the register say first of theirs. */
    before: {} as { portal?: SetSums; register?: SetSums[] },
    failing: {} as Partial<Record<'portal' | 'register' | 'roster', SyncError>>,
    /** Buckets that were read whole, and of which store. */
    asked: [] as [string, number][],
  };
};
export type LookWorld = ReturnType<typeof openLookWorld>;

export const sumsOf = (held: Held): SetSums[] => {
  const all = Array.from({ length: BUCKETS }, () => NO_MEMBERS);
  for (const [who, numbers = { a: 0, b: 0 }] of held) {
    const bucket = bucketOf(who);
    all[bucket] = sumOf([all[bucket] ?? NO_MEMBERS, { count: 1, ...numbers }]);
  }
  return all;
};
export const saidOf = ({ rows }: LookWorld, newestVersion = 7): RegistrySums => {
  const members = sumsOf(
    new Map([...rows].map(([who, { digest }]) => [who, tryDigest(digest) ?? undefined])),
  );
  const keys = keySumsOf(rows.keys());
  return {
    newestVersion,
    buckets: members.map((sums, bucket) => ({ members: sums, keys: keys[bucket] ?? NO_MEMBERS })),
  };
};
/** The ports of a look at that world. */
export const portsOf = (world: LookWorld): LookPorts => {
  const told = <T>(store: keyof LookWorld['failing'], answer: () => T): Promise<T> => {
    const failure = world.failing[store];
    return failure === undefined ? Promise.resolve().then(answer) : Promise.reject(failure);
  };
  return {
    registry: {
      sums: async () => world.said.shift() ?? saidOf(world),
      members: async (bucket) => {
        world.asked.push(['registry', bucket]);
        return [...world.rows].filter(([who]) => bucketOf(who) === bucket).map(([, row]) => row);
      },
    },
    events: { outbox: async () => world.outbox },
    portal: {
      sums: (from, until) =>
        told('portal', () => {
          const first = world.before.portal;
          delete world.before.portal;
          const mapped = new Map([...world.portal].filter(([, digest]) => digest !== undefined));
          return first ?? sumOf(sumsOf(mapped).slice(from, until));
        }),
      countActive: () => told('portal', () => world.portal.size),
      documents: async (bucket) => {
        world.asked.push(['portal', bucket]);
        return [...world.portal]
          .filter(([who]) => bucketOf(who) === bucket)
          .map(([kennitala, digest]) => ({ kennitala, stored: { meta: { digest } } }) as PortalDocument);
      },
    },
    register:
      world.register === null
        ? null
        : {
            sums: () => told('register', () => world.before.register ?? sumsOf(world.register ?? new Map())),
            rows: async (buckets) =>
              [...(world.register ?? [])]
                .filter(([who]) => buckets.includes(bucketOf(who)))
                .map(([kennitala, digest]) => ({ kennitala, ...(digest !== undefined && { digest }) })),
          },
    roster: {
      read: () =>
        told('roster', () => (world.roster === null ? null : { bytes: Buffer.from(world.roster) }) as never),
    },
    now: () => NOW,
  };
};
