import { createHash } from 'node:crypto';
import pMap from 'p-map';
import type { ListVersion } from '../roster/ports.ts';
import { type ChainedCollection, STREAMS, type Stream, tryHeadText } from './chain.ts';
import { keysById } from './chain-key.ts';
import { type CheckedStream, makeChainCheck } from './check-chains.ts';
import { checkRecord, type Finding, type StoredRecord, timeOf } from './check-record.ts';
import { makeVersionCheck, type ReadVersion } from './check-versions.ts';
import type { VerifyDependencies } from './ports.ts';

/** A list of a million is 11 MB. */
const VERSIONS_AT_ONCE = 3;
/** More findings say nothing new, and an answer needs an end. */
const FINDINGS_TOLD = 500;

export interface Verification {
  /** Nothing is missing, altered, reordered, inserted or unproven. */
  readonly whole: boolean;
  readonly at: Date;
  readonly records: number;
  /** Written before there was a chain: nothing can be said of them. */
  readonly unchained: number;
  /** Entries that an erasure took out, and that are no finding. */
  readonly erased: number;
  readonly streams: readonly CheckedStream[];
  readonly versions: { readonly checked: number; readonly unchained: number };
  /** At most 500. */
  readonly findings: readonly Finding[];
  readonly findingsInAll: number;
  /** With these anybody can check every signature without us. */
  readonly publicKeys: readonly { readonly id: string; readonly pem: string }[];
}

/**
 * Walks every chain of records, every kept version of the list, and what each remembers of the other. Reads everything and
 * writes nothing. Runs may go on meanwhile: heads and versions are read before the records and after them, and what is newer
 * than the first reading is left to the next walk where it cannot be told from a fault.
 *
 * Throws `store_unavailable`, `storage_unavailable`, `storage_rejected`, `secret_unavailable`, `deadline_exceeded`: then
 * nothing is known.
 */
export const verifyRecords = async (
  dependencies: VerifyDependencies,
  signal: AbortSignal,
): Promise<Verification> => {
  const keys = await dependencies.keys.all();
  const byId = keysById(keys);
  const now = dependencies.now();
  const before = await dependencies.records.heads();
  const versions = await dependencies.versions.list();
  const chains = makeChainCheck(byId, now);
  const list = makeVersionCheck(now);
  const findings: Finding[] = [];
  let [records, erased] = [0, 0];
  const chained = makeStartCheck();
  for await (const record of dependencies.records.records(signal)) {
    records += 1;
    const checked = checkRecord(record, byId, now);
    findings.push(...checked.findings);
    erased += checked.erased;
    chained.take(record);
    chains.take(`${record.collection}/${record.id}`, checked);
    list.take(record);
  }
  for (const { generation, chainHead } of versions) {
    const head = chainHead === null ? null : tryHeadText(chainHead);
    if (head !== null) chains.remember(head, `version ${generation}`);
    else if (chainHead !== null) {
      findings.push({
        kind: 'altered',
        where: `version ${generation}`,
        link: null,
        why: 'the head of the chain that it remembers cannot be read',
      });
    }
  }
  const readVersion = async (version: ListVersion): Promise<ReadVersion> => {
    const bytes = await dependencies.versions.read(version.generation);
    return { ...version, bytesSha256: bytes === null ? null : sha256(bytes) };
  };
  const read = await pMap(versions, readVersion, { concurrency: VERSIONS_AT_ONCE });
  const after = await dependencies.records.heads();
  const checkedChains = chains.finish(
    mapStreams((stream) => ({ before: before[stream], after: after[stream] })),
  );
  const checkedList = list.finish(read, await dependencies.versions.list());
  const checkedStart = chained.finish(checkedChains.streams);
  const all = [...findings, ...checkedChains.findings, ...checkedStart.findings, ...checkedList.findings];
  return {
    whole: all.length === 0,
    at: now,
    records,
    unchained: checkedStart.older,
    erased,
    streams: checkedChains.streams,
    versions: { checked: read.length, unchained: checkedList.older },
    findings: all.slice(0, FINDINGS_TOLD),
    findingsInAll: all.length,
    publicKeys: keys.map(({ id, pem }) => ({ id, pem })),
  };
};

/** While a deployment goes on, the version before may still write after the first link was made. */
const START_MS = 3_600_000;

/** Records without a link: older than the chains, or put there by somebody. */
const makeStartCheck = () => {
  const first = new Map<ChainedCollection, number>();
  const without: { readonly record: Pick<StoredRecord, 'collection' | 'id'>; readonly at: number }[] = [];
  return {
    take: ({ collection, id, data }: StoredRecord): void => {
      const at = timeOf(data['timestamp'] ?? data['at'] ?? data['started_at']);
      if (!Array.isArray(data['chain'])) without.push({ record: { collection, id }, at });
      else first.set(collection, Math.min(first.get(collection) ?? Number.POSITIVE_INFINITY, at));
    },
    finish: (streams: readonly CheckedStream[]) => {
      // Where the first link has expired, so has all that is older than the chains.
      const areExpired = streams.some((stream) => stream.first !== null && stream.first.number > 1);
      const isOlder = ({ record, at }: (typeof without)[number]): boolean =>
        !areExpired && at < (first.get(record.collection) ?? Number.POSITIVE_INFINITY) + START_MS;
      const inserted = without.filter((one) => !isOlder(one));
      return {
        older: without.length - inserted.length,
        findings: inserted.map(
          ({ record }): Finding => ({
            kind: 'inserted',
            where: `${record.collection}/${record.id}`,
            link: null,
            why: 'it is younger than the chain and has no link',
          }),
        ),
      };
    },
  };
};

const mapStreams = <T>(of: (stream: Stream) => T): Record<Stream, T> =>
  Object.fromEntries(STREAMS.map((stream) => [stream, of(stream)])) as Record<Stream, T>;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
