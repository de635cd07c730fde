import { createHash } from 'node:crypto';
import { SyncError } from '../lib/errors.ts';
import type { RunRecord } from '../mirror/mirror.ts';
import type { ListVersion, ListVersions } from '../roster/ports.ts';
import { tryHeadText } from './chain.ts';
import type { ChainKeys } from './chain-key.ts';
import { type Receipt, receiptText } from './receipt.ts';

export interface RollDependencies {
  readonly versions: ListVersions;
  /** Runs of the roster that began by then, newest first, at most `most` of them. Throws `store_unavailable`. */
  readonly runsBefore: (at: Date, most: number) => Promise<readonly RunRecord[]>;
  readonly keys: ChainKeys;
  readonly now: () => Date;
}

export interface Roll {
  readonly receipt: Receipt;
  /** The list as it was published: one kennitala a line. */
  readonly bytes: Uint8Array;
}

const unknown = (why: string): SyncError =>
  new SyncError(
    'roll_unknown',
    `Which list was in force then is not known: ${why}. That is not an empty list.`,
  );

/**
 * The version that was the published list at a moment: from the instant it was written until the next one was. Pure.
 * @throws SyncError `roll_unknown` before the first list, and where the list of that moment is kept no more
 */
export const listInForce = (versions: readonly ListVersion[], at: Date): ListVersion => {
  const before = versions
    .filter(({ publishedAt }) => publishedAt <= at)
    // Two of one instant: the later generation replaced the other at once.
    .toSorted((one, other) => compareGenerations(other.generation, one.generation));
  const [found] = before;
  if (found === undefined) {
    throw unknown(
      versions.length === 0 ? 'no version is kept' : 'the oldest version that is kept was published later',
    );
  }
  if (found.replacedAt !== null && found.replacedAt <= at) {
    throw unknown('the version of that moment has been deleted');
  }
  return found;
};

const compareGenerations = (one: string, other: string): number => {
  const [a, b] = [BigInt(one), BigInt(other)];
  return a < b ? -1 : a > b ? 1 : 0;
};

/** More than a year of weekly runs and refreshes between two that found the list equal. */
const RUNS_READ = 500;

/**
 * The list that was in force at a moment, with its receipt.
 *
 * Throws `roll_unknown`; `chain_broken` when the version is not what its metadata, or the record of its run, says it is;
 * `storage_unavailable`, `storage_rejected`, `store_unavailable`, `secret_unavailable`.
 */
export const rollAt = async (
  at: Date,
  { versions, runsBefore, keys, now }: RollDependencies,
): Promise<Roll> => {
  const version = listInForce(await versions.list(), at);
  const [bytes, runs, key] = await Promise.all([
    versions.read(version.generation),
    runsBefore(at, RUNS_READ),
    keys.current(),
  ]);
  if (bytes === null) throw unknown('the version of that moment has been deleted');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const publisher = runs.find(
    ({ outcome, objectGeneration }) => outcome === 'published' && objectGeneration === version.generation,
  );
  for (const recorded of [version.sha256, publisher?.sha256 ?? null]) {
    if (recorded === null || recorded === sha256) continue;
    throw notWhatWasPublished(version.generation);
  }
  const chain = version.chainHead === null ? null : tryHeadText(version.chainHead);
  if (chain === null && version.chainHead !== null) throw notWhatWasPublished(version.generation);
  // A run that ended after that moment was not known then.
  const ended = runs.filter(
    ({ timestamp, duration_ms }) => timestamp.getTime() + (duration_ms ?? 0) <= at.getTime(),
  );
  const equal = ended.findIndex(
    ({ outcome, rollbackOf }) =>
      (outcome === 'published' || outcome === 'unchanged') && rollbackOf === undefined,
  );
  const equalAt = ended[equal]?.timestamp ?? null;
  const unsigned: Omit<Receipt, 'signature'> = {
    format: 'membership-roll/1',
    at: at.toISOString(),
    count: Buffer.from(bytes)
      .toString('latin1')
      .split('\n')
      .filter((line) => line !== '').length,
    sha256,
    list: {
      generation: version.generation,
      publishedAt: version.publishedAt.toISOString(),
      replacedAt: version.replacedAt?.toISOString() ?? null,
    },
    run:
      publisher === undefined
        ? null
        : {
            runId: publisher.runId,
            planId: publisher.planId,
            approvedBy: publisher.approvedBy,
            rollbackOf: publisher.rollbackOf ?? null,
          },
    registry: {
      equalAt: equalAt?.toISOString() ?? null,
      ageSeconds: equalAt === null ? null : Math.round((at.getTime() - equalAt.getTime()) / 1_000),
      notDone: (equal === -1 ? ended : ended.slice(0, equal)).filter(({ outcome }) => outcome !== 'dry-run')
        .length,
    },
    chain,
    issuedAt: now().toISOString(),
    key: key.id,
  };
  return { receipt: { ...unsigned, signature: key.sign(receiptText(unsigned)) }, bytes };
};

const notWhatWasPublished = (generation: string): SyncError =>
  new SyncError(
    'chain_broken',
    `Version ${generation} of the list is not what was published under that number. Walk the record: ops verify.`,
  );

/** Who came and who went between two lists, sorted. Pure. */
export const compareRolls = (
  one: Uint8Array,
  other: Uint8Array,
): { readonly added: string[]; readonly removed: string[] } => {
  const linesOf = (bytes: Uint8Array): Set<string> =>
    new Set(
      Buffer.from(bytes)
        .toString('latin1')
        .split(/\r?\n/)
        .filter((line) => line !== ''),
    );
  const [before, after] = [linesOf(one), linesOf(other)];
  return {
    added: [...after].filter((kennitala) => !before.has(kennitala)).toSorted(),
    removed: [...before].filter((kennitala) => !after.has(kennitala)).toSorted(),
  };
};

const MOMENT =
  /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,3}))?)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?$/;

const refuseMoment = (why: string): SyncError =>
  new SyncError(
    'invalid_request',
    `The moment ${why}. Write a day and a time, in Iceland's time or with an offset: 2026-11-01T12:00, 2026-11-01T12:00+01:00.`,
  );

/**
 * A moment of the past as a person writes it. Without an offset it is Iceland's time (Atlantic/Reykjavik), which is UTC all
 * year (tz database, since 1968), so no such time is ambiguous or missing. A day alone is refused: it has many moments.
 * @throws SyncError `invalid_request`
 */
export const parseMoment = (text: string, now: Date): Date => {
  const parts = MOMENT.exec(text.trim());
  if (parts === null) throw refuseMoment('cannot be read');
  const [, year, month, day, hour, minute, second = '00', fraction = '', offset = 'Z'] = parts;
  const isDay = (days: Date): boolean =>
    days.getUTCMonth() + 1 === Number(month) && days.getUTCDate() === Number(day);
  if (!isDay(new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))))
    throw refuseMoment('is on a day that no month has');
  const at = new Date(
    `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0')}${offset}`,
  );
  if (Number.isNaN(at.getTime())) throw refuseMoment('cannot be read');
  if (at > now) throw refuseMoment('has not come yet');
  return at;
};
