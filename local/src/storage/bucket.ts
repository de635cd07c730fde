import { type BucketFiles, openBucketFiles } from './bucket-files.ts';
import { checksumsOf } from './checksums.ts';
import {
  type BucketSettings,
  type ObjectAttributes,
  type ObjectRecord,
  type ObjectVersion,
  type SoftDeletedVersion,
  softDeletedAt,
  withSoftDeleted,
} from './versions.ts';
import { ApiError, badRequest } from './wire.ts';

/** Which version a call addresses: the live one, or one by its number, and what must hold of the live one. */
export interface Address {
  readonly name: string;
  readonly generation: string | null;
  /** Null: whatever there is. `0`: nothing may be live. */
  readonly ifGeneration: string | null;
}

/**
 * One bucket with object versioning. Its changes run one after the other, and the precondition is tested inside that turn:
 * of two writers with the same `ifGenerationMatch`, exactly one wins.
 *
 * A change is the bytes under their generation, the record that commits it, the plain file that people see, and the removal
 * of bytes that nothing needs any more. A process that dies before the commit leaves the old object, after it the new one.
 */
export interface Bucket {
  readonly name: string;
  settings(): BucketSettings;
  /** @throws ApiError 400 for a time that is neither 0 (off) nor 7 to 90 days */
  keepSoftDeleted(seconds: number): Promise<void>;
  /** In the order of the names' UTF-8 bytes, versions oldest first. */
  list(kind: 'live' | 'versions' | 'softDeleted', prefix: string): Listed[];
  /** @throws ApiError 404, 412 */
  find(address: Address): ObjectVersion;
  /** @throws ApiError 404, 412 */
  read(address: Address): Promise<{ readonly version: ObjectVersion; readonly bytes: Buffer }>;
  /** @throws ApiError 412 */
  insert(address: Address, attributes: ObjectAttributes, bytes: Uint8Array): Promise<ObjectVersion>;
  /** @throws ApiError 404, 412 */
  change(address: Address, change: (current: ObjectAttributes) => ObjectAttributes): Promise<ObjectVersion>;
  /** Without a generation the live version becomes noncurrent; with one that version is deleted for good. @throws ApiError 404, 412 */
  remove(address: Address): Promise<void>;
}

export interface Listed {
  readonly name: string;
  readonly version: ObjectVersion | SoftDeletedVersion;
}

const DAY_SECONDS = 86_400;
/** What a new bucket has, https://cloud.google.com/storage/docs/soft-delete. */
const DEFAULT_RETENTION_SECONDS = 7 * DAY_SECONDS;
const MAX_RETENTION_SECONDS = 90 * DAY_SECONDS;

export const openBucket = async (directory: string, name: string): Promise<Bucket> => {
  const files: BucketFiles = await openBucketFiles(directory, name);
  const records = new Map((await files.recover()).map((record) => [record.name, record]));
  const generations = [...records.values()]
    .flatMap(({ versions, softDeleted = [] }) => [...versions, ...softDeleted])
    .map(({ generation }) => BigInt(generation));
  let newest = generations.reduce((one, other) => (one > other ? one : other), 0n);
  let settings: BucketSettings = { ...defaultSettings(isoNow()), ...(await files.readSettings()) };

  /** Microseconds since the epoch, as those of Cloud Storage are, and always above every earlier one. */
  const nextGeneration = (): string => {
    const now = BigInt(Date.now()) * 1000n;
    newest = now > newest ? now : newest + 1n;
    return newest.toString();
  };

  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const turn = last.then(task, task);
    last = turn.catch(() => undefined);
    return turn;
  };

  const find = ({ name: object, generation, ifGeneration }: Address): ObjectVersion => {
    const record = records.get(object);
    const wanted = generation ?? record?.live;
    const found = record?.versions.find((version) => version.generation === wanted);
    if (!found) throw new ApiError(404, 'notFound', `No such object: ${name}/${object}`);
    if (ifGeneration !== null && ifGeneration !== found.generation) throw conditionNotMet();
    return found;
  };

  const commit = async (next: ObjectRecord): Promise<void> => {
    const before = records.get(next.name);
    const kept = new Set(next.versions.map(({ generation }) => generation));
    const dropped = (before?.versions ?? []).filter(({ generation }) => !kept.has(generation));
    const record = withSoftDeleted(next, dropped, settings, new Date());
    await files.saveRecord(record);
    records.set(record.name, record);
    if (record.live !== (before?.live ?? null)) await files.show(record);
    if (record.versions.length === 0 && record.softDeleted?.length === 0) {
      records.delete(record.name);
      await files.removeRecord(record.name);
    }
    for (const { generation } of dropped) await files.removeData(generation);
  };

  const retired = (record: ObjectRecord | undefined, at: string): ObjectVersion[] =>
    (record?.versions ?? []).map((version) =>
      version.generation === record?.live ? { ...version, timeDeleted: at } : version,
    );

  return {
    name,
    settings: () => settings,
    keepSoftDeleted: (seconds) =>
      inTurn(async () => {
        const isAllowed =
          seconds === 0 || (seconds >= DEFAULT_RETENTION_SECONDS && seconds <= MAX_RETENTION_SECONDS);
        if (!isAllowed) throw badRequest('Soft delete retention must be 0, or 7 to 90 days.');
        const next = {
          ...settings,
          updated: isoNow(),
          metageneration: settings.metageneration + 1,
          softDeletePolicy: { retentionDurationSeconds: String(seconds), effectiveTime: isoNow() },
        };
        await files.saveSettings(next);
        settings = next;
      }),
    list: (kind, prefix) =>
      [...records.values()]
        .filter((record) => record.name.startsWith(prefix))
        .sort((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)))
        .flatMap((record) => {
          const shown =
            kind === 'softDeleted'
              ? softDeletedAt(record, new Date())
              : record.versions.filter(({ generation }) => kind === 'versions' || generation === record.live);
          return shown.map((version) => ({ name: record.name, version }));
        }),
    find,
    read: (address) =>
      inTurn(async () => {
        const version = find(address);
        return { version, bytes: await files.readData(version.generation) };
      }),
    insert: ({ name: object, ifGeneration }, attributes, bytes) =>
      inTurn(async () => {
        const record = records.get(object);
        if (ifGeneration !== null && ifGeneration !== (record?.live ?? '0')) throw conditionNotMet();
        const now = isoNow();
        const created: ObjectVersion = {
          generation: nextGeneration(),
          metageneration: 1,
          size: bytes.byteLength,
          ...checksumsOf(bytes),
          timeCreated: now,
          updated: now,
          attributes,
        };
        await files.saveData(created.generation, bytes);
        const versions = [...retired(record, now), created];
        await commit({ ...record, name: object, live: created.generation, versions });
        return created;
      }),
    change: (address, change) =>
      inTurn(async () => {
        const current = find(address);
        const next = {
          ...current,
          attributes: change(current.attributes),
          metageneration: current.metageneration + 1,
          updated: isoNow(),
        };
        const record = records.get(address.name) as ObjectRecord;
        const versions = record.versions.map((version) => (version === current ? next : version));
        await commit({ ...record, versions });
        return next;
      }),
    remove: (address) =>
      inTurn(async () => {
        const { generation } = find(address);
        const record = records.get(address.name) as ObjectRecord;
        if (address.generation === null) {
          await commit({ ...record, live: null, versions: retired(record, isoNow()) });
          return;
        }
        const live = record.live === generation ? null : record.live;
        const versions = record.versions.filter((version) => version.generation !== generation);
        await commit({ ...record, live, versions });
      }),
  };
};

const conditionNotMet = (): ApiError =>
  new ApiError(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.', {
    locationType: 'header',
    location: 'If-Match',
  });

const defaultSettings = (now: string): BucketSettings => ({
  timeCreated: now,
  updated: now,
  metageneration: 1,
  softDeletePolicy: { retentionDurationSeconds: String(DEFAULT_RETENTION_SECONDS), effectiveTime: now },
});

const isoNow = (): string => new Date().toISOString();
