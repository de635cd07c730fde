import { createHash } from 'node:crypto';
import { CRC32C } from '@google-cloud/storage';
import { HTTPException } from 'hono/http-exception';
import {
  type ObjectAttributes,
  type ObjectRecord,
  type ObjectVersion,
  openBucketFiles,
  type SoftDeletedVersion,
} from './bucket-files.ts';

/** Which version a call addresses: the live one, or one by its number, and what must hold of the live one. */
export interface Address {
  readonly name: string;
  readonly generation: string | null;
  /** Null: whatever there is. `0`: nothing may be live. */
  readonly ifGeneration: string | null;
}

export type Bucket = Awaited<ReturnType<typeof openBucket>>;

const DAY_SECONDS = 86_400;
/** What a new bucket has, https://cloud.google.com/storage/docs/soft-delete. */
const DEFAULT_RETENTION_SECONDS = 7 * DAY_SECONDS;
const MAX_RETENTION_SECONDS = 90 * DAY_SECONDS;

/**
 * One bucket with object versioning. Its changes run one after the other, and the precondition is tested inside that turn:
 * of two writers with the same `ifGenerationMatch`, exactly one wins.
 *
 * A change is the bytes under their generation, the record that commits it, the plain file that people see, and the removal
 * of bytes that nothing needs any more. A process that dies before the commit leaves the old object, after it the new one.
 * Calls throw HTTPException 404 for an object or version that is not there, and 412 for a precondition that does not hold.
 */
export const openBucket = async (directory: string, name: string) => {
  const files = await openBucketFiles(directory, name);
  const records = new Map((await files.recover()).map((record) => [record.name, record]));
  let newest = [...records.values()]
    .flatMap(({ versions, softDeleted = [] }) => [...versions, ...softDeleted])
    .map(({ generation }) => BigInt(generation))
    .reduce((one, other) => (one > other ? one : other), 0n);
  let softDeletePolicy = retention(DEFAULT_RETENTION_SECONDS);

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

  const find = ({ name: object, generation, ifGeneration }: Address) => {
    const record = records.get(object);
    const wanted = generation ?? record?.live;
    const version = record?.versions.find((one) => one.generation === wanted);
    if (!record || !version) {
      throw new HTTPException(404, { message: `No such object: ${name}/${object}` });
    }
    if (ifGeneration !== null && ifGeneration !== version.generation) throw conditionNotMet();
    return { record, version };
  };

  /** Versions that it does not name any more are deleted for good: what is left is the entry of the soft-deleted. */
  const commit = async (next: ObjectRecord): Promise<void> => {
    const before = records.get(next.name);
    const dropped = (before?.versions ?? []).filter(
      ({ generation }) => !next.versions.some((kept) => kept.generation === generation),
    );
    const now = new Date();
    const softDeleted = [...softDeletedAt(next, now), ...softDelete(dropped, softDeletePolicy, now)];
    const record = { ...next, softDeleted };
    await files.saveRecord(record);
    records.set(record.name, record);
    if (record.live !== (before?.live ?? null)) await files.show(record);
    for (const { generation } of dropped) await files.removeData(generation);
  };

  const retired = (record: ObjectRecord | undefined): ObjectVersion[] =>
    (record?.versions ?? []).map((version) =>
      version.generation === record?.live ? { ...version, timeDeleted: isoNow() } : version,
    );

  return {
    name,
    /** Until the process ends; nobody but a test changes it. @throws HTTPException 400 for neither 0 (off) nor 7 to 90 days */
    keepSoftDeleted: (seconds: number): void => {
      const isAllowed =
        seconds === 0 || (seconds >= DEFAULT_RETENTION_SECONDS && seconds <= MAX_RETENTION_SECONDS);
      if (!isAllowed) throw badRequest('Soft delete retention must be 0, or 7 to 90 days.');
      softDeletePolicy = retention(seconds);
    },
    /** `storage#bucket`, https://cloud.google.com/storage/docs/json_api/v1/buckets#resource. */
    resource: () => ({ kind: 'storage#bucket', name, versioning: { enabled: true }, softDeletePolicy }),
    /** In the order of the names' UTF-8 bytes, versions oldest first. */
    list: (kind: 'live' | 'versions' | 'softDeleted', prefix: string) =>
      [...records.values()]
        .filter((record) => record.name.startsWith(prefix))
        .sort((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)))
        .flatMap((record) => {
          const shown: readonly ObjectVersion[] =
            kind === 'softDeleted'
              ? softDeletedAt(record, new Date())
              : record.versions.filter(({ generation }) => kind === 'versions' || generation === record.live);
          return shown.map((version) => ({ name: record.name, version }));
        }),
    find: (address: Address): ObjectVersion => find(address).version,
    read: (address: Address) =>
      inTurn(async () => {
        const { version } = find(address);
        return { version, bytes: await files.readData(version.generation) };
      }),
    /** @throws HTTPException 400 where the bytes are not those of the MD5 hash that is told */
    insert: (
      { name: object, ifGeneration }: Address,
      attributes: ObjectAttributes,
      bytes: Uint8Array,
      claimedMd5: string | undefined,
    ) =>
      inTurn(async () => {
        const record = records.get(object);
        if (ifGeneration !== null && ifGeneration !== (record?.live ?? '0')) throw conditionNotMet();
        const md5Hash = createHash('md5').update(bytes).digest('base64');
        if (claimedMd5 !== undefined && claimedMd5 !== md5Hash) {
          throw badRequest(`Provided MD5 hash "${claimedMd5}" doesn't match calculated "${md5Hash}".`);
        }
        const crc32c = new CRC32C();
        crc32c.update(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
        const now = isoNow();
        const created: ObjectVersion = {
          generation: nextGeneration(),
          metageneration: 1,
          size: bytes.byteLength,
          md5Hash,
          crc32c: crc32c.toString(),
          timeCreated: now,
          updated: now,
          attributes,
        };
        await files.saveData(created.generation, bytes);
        const versions = [...retired(record), created];
        await commit({ ...record, name: object, live: created.generation, versions });
        return created;
      }),
    change: (address: Address, change: (current: ObjectAttributes) => ObjectAttributes) =>
      inTurn(async () => {
        const { record, version } = find(address);
        const next = {
          ...version,
          attributes: change(version.attributes),
          metageneration: version.metageneration + 1,
          updated: isoNow(),
        };
        await commit({ ...record, versions: record.versions.map((one) => (one === version ? next : one)) });
        return next;
      }),
    /** Without a generation the live version becomes noncurrent; with one that version is deleted for good. */
    remove: (address: Address) =>
      inTurn(async () => {
        const { record, version } = find(address);
        if (address.generation === null) return commit({ ...record, live: null, versions: retired(record) });
        const live = record.live === version.generation ? null : record.live;
        return commit({ ...record, live, versions: record.versions.filter((one) => one !== version) });
      }),
  };
};

export const badRequest = (message: string): HTTPException => new HTTPException(400, { message });

const conditionNotMet = (): HTTPException =>
  new HTTPException(412, { message: 'At least one of the pre-conditions you specified did not hold.' });

const isoNow = (): string => new Date().toISOString();

const retention = (seconds: number) => ({
  retentionDurationSeconds: String(seconds),
  effectiveTime: isoNow(),
});

/** Only what a listing shows is kept: restoring is not simulated, so the bytes are gone at once. */
const softDelete = (
  dropped: readonly ObjectVersion[],
  { retentionDurationSeconds }: ReturnType<typeof retention>,
  now: Date,
): SoftDeletedVersion[] => {
  const milliseconds = Number(retentionDurationSeconds) * 1_000;
  if (milliseconds === 0) return [];
  const hardDeleteTime = new Date(now.getTime() + milliseconds).toISOString();
  return dropped.map((each) => ({ ...each, softDeleteTime: now.toISOString(), hardDeleteTime }));
};

/** Those whose time is not up, oldest version first. */
export const softDeletedAt = (
  { softDeleted = [] }: Pick<ObjectRecord, 'softDeleted'>,
  now: Date,
): SoftDeletedVersion[] =>
  softDeleted
    .filter(({ hardDeleteTime }) => new Date(hardDeleteTime) > now)
    .toSorted((one, other) => (BigInt(one.generation) < BigInt(other.generation) ? -1 : 1));
