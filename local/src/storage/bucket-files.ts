import { createHash, randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

export const VERSIONS_FOLDER = '.versions';

/** What a client may set on an object; `metadata` is the custom metadata. */
export interface ObjectAttributes {
  readonly contentType?: string;
  readonly cacheControl?: string;
  readonly customTime?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** One version of an object. Its bytes never change; its attributes may, which raises `metageneration`. */
export interface ObjectVersion {
  readonly generation: string;
  readonly metageneration: number;
  /** Bytes. */
  readonly size: number;
  /** Both in base64, as the API writes them. */
  readonly md5Hash: string;
  readonly crc32c: string;
  readonly timeCreated: string;
  readonly updated: string;
  /** When a newer version or a delete made this one noncurrent. */
  readonly timeDeleted?: string;
  readonly attributes: ObjectAttributes;
}

/** A version that was deleted for good, as Cloud Storage goes on listing it until `hardDeleteTime`. */
export interface SoftDeletedVersion extends ObjectVersion {
  readonly softDeleteTime: string;
  readonly hardDeleteTime: string;
}

/** All that is known of one name. It is one file on disk, so replacing that file is the commit. */
export interface ObjectRecord {
  readonly name: string;
  readonly live: string | null;
  /** Oldest first. */
  readonly versions: readonly ObjectVersion[];
  readonly softDeleted?: readonly SoftDeletedVersion[];
}

/**
 * Where one bucket's files are. Every one appears by a rename, so that a process that dies leaves old or new, never half:
 *
 *     DIR/<bucket>/…                     the view: live objects as plain files, made again at each start
 *     DIR/.versions/<bucket>/objects/    one record a name, under the hash of the name
 *     …/data/<generation>                the bytes of one version
 *     …/incoming/                        temporary files, emptied at each start
 */
export const openBucketFiles = async (directory: string, bucket: string) => {
  const root = path.join(directory, VERSIONS_FOLDER, bucket);
  const view = path.join(directory, bucket);
  const objects = path.join(root, 'objects');
  const data = path.join(root, 'data');
  const incoming = path.join(root, 'incoming');
  const dataPath = (generation: string): string => path.join(data, generation);
  const recordPath = (name: string): string =>
    path.join(objects, `${createHash('sha256').update(name).digest('hex')}.json`);

  const place = async (target: string, fill: (temporary: string) => Promise<void>): Promise<void> => {
    const temporary = path.join(incoming, randomUUID());
    try {
      await fill(temporary);
      await rename(temporary, target);
    } finally {
      await rm(temporary, { force: true });
    }
  };

  /** Brings the plain file up to what is live. */
  const show = async ({ name, live }: ObjectRecord): Promise<void> => {
    if (!isPlain(name)) return;
    const target = path.join(view, name);
    try {
      if (live === null) return await rm(target, { force: true });
      await mkdir(path.dirname(target), { recursive: true });
      await place(target, async (temporary) => {
        await copyFile(dataPath(live), temporary);
        // Who edits it would change nothing that is served.
        await chmod(temporary, 0o444);
      });
    } catch (error) {
      // `a` beside `a/b`: a folder and a file cannot have one name. The first one is shown, both are served.
      const code = String((error as NodeJS.ErrnoException).code);
      if (!['ENOTDIR', 'EEXIST', 'EISDIR', 'ERR_FS_EISDIR'].includes(code)) throw error;
    }
  };

  return {
    /** Reads all records, and removes what a death left behind: temporary files and bytes of no version. */
    recover: async (): Promise<ObjectRecord[]> => {
      for (const folder of [incoming, view]) await rm(folder, { recursive: true, force: true });
      for (const folder of [view, objects, data, incoming]) await mkdir(folder, { recursive: true });
      const texts = (await readdir(objects)).map((file) => readFile(path.join(objects, file), 'utf8'));
      const records = (await Promise.all(texts)).map((text) => JSON.parse(text) as ObjectRecord);
      const known = new Set(records.flatMap(({ versions }) => versions.map(({ generation }) => generation)));
      for (const file of await readdir(data)) if (!known.has(file)) await rm(dataPath(file));
      for (const record of records) if (record.live) await show(record);
      return records;
    },
    saveData: (generation: string, bytes: Uint8Array) =>
      place(dataPath(generation), (temporary) => writeFile(temporary, bytes)),
    readData: (generation: string) => readFile(dataPath(generation)),
    removeData: (generation: string) => rm(dataPath(generation), { force: true }),
    /** This is what commits a change. */
    saveRecord: (record: ObjectRecord) =>
      place(recordPath(record.name), (temporary) => writeFile(temporary, JSON.stringify(record))),
    show,
  };
};

/** Whether a name may be a path under the bucket's folder; of any other one there is no plain file. */
const isPlain = (name: string): boolean =>
  name.split('/').every((part) => /^[\p{L}\p{N} _.-]{1,60}$/u.test(part) && !/^\.+$/.test(part));
