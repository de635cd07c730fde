import { createHash, randomUUID } from 'node:crypto';
import {
  chmod,
  constants,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import type { ObjectRecord } from './versions.ts';

export const VERSIONS_FOLDER = '.versions';

/**
 * Where one bucket's files are. Every one appears by a rename, so that a process that dies leaves old or new, never half:
 *
 *     DIR/<bucket>/…                     the view: live objects as plain files, made again at each start
 *     DIR/.versions/<bucket>/bucket.json the bucket's settings
 *     …/objects/<hash of name>.json      one record a name: its versions, and which is live
 *     …/data/<generation>                the bytes of one version
 *     …/incoming/                        temporary files, emptied at each start
 */
export interface BucketFiles {
  /** Reads all records, and removes what a death left behind: temporary files and bytes of no version. */
  recover(): Promise<ObjectRecord[]>;
  saveData(generation: string, bytes: Uint8Array): Promise<void>;
  readData(generation: string): Promise<Buffer>;
  removeData(generation: string): Promise<void>;
  /** This is what commits a change. */
  saveRecord(record: ObjectRecord): Promise<void>;
  removeRecord(name: string): Promise<void>;
  /** Brings the plain file up to what is live. */
  show(record: ObjectRecord): Promise<void>;
  readSettings(): Promise<object | null>;
  saveSettings(settings: object): Promise<void>;
}

export const openBucketFiles = async (directory: string, bucket: string): Promise<BucketFiles> => {
  const root = path.join(directory, VERSIONS_FOLDER, bucket);
  const view = path.join(directory, bucket);
  const [objects, data, incoming] = ['objects', 'data', 'incoming'].map((name) => path.join(root, name)) as [
    string,
    string,
    string,
  ];
  const settingsPath = path.join(root, 'bucket.json');
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

  const show = async ({ name, live }: ObjectRecord): Promise<void> => {
    if (!isPlain(name)) return;
    const target = path.join(view, name);
    try {
      if (live === null) {
        await rm(target, { force: true });
        await removeEmptyFolders(view, path.dirname(target));
        return;
      }
      await mkdir(path.dirname(target), { recursive: true });
      await place(target, async (temporary) => {
        await copyFile(dataPath(live), temporary, constants.COPYFILE_FICLONE);
        // Who edits it would change nothing that is served.
        await chmod(temporary, 0o444);
      });
    } catch (error) {
      // `a` beside `a/b`: a folder and a file cannot have one name. The first one is shown, both are served.
      if (!hasCode(error, 'ENOTDIR', 'EEXIST', 'EISDIR', 'ERR_FS_EISDIR')) throw error;
    }
  };

  return {
    recover: async () => {
      await rm(incoming, { recursive: true, force: true });
      await rm(view, { recursive: true, force: true });
      for (const folder of [view, objects, data, incoming]) await mkdir(folder, { recursive: true });
      const records: ObjectRecord[] = [];
      for (const file of await readdir(objects)) {
        records.push(JSON.parse(await readFile(path.join(objects, file), 'utf8')) as ObjectRecord);
      }
      const known = new Set(records.flatMap(({ versions }) => versions.map(({ generation }) => generation)));
      for (const file of await readdir(data)) if (!known.has(file)) await rm(dataPath(file));
      for (const record of records) if (record.live) await show(record);
      return records;
    },
    saveData: (generation, bytes) => place(dataPath(generation), (temporary) => writeFile(temporary, bytes)),
    readData: (generation) => readFile(dataPath(generation)),
    removeData: (generation) => rm(dataPath(generation), { force: true }),
    saveRecord: (record) =>
      place(recordPath(record.name), (temporary) => writeFile(temporary, JSON.stringify(record))),
    removeRecord: (name) => rm(recordPath(name), { force: true }),
    show,
    readSettings: async () => {
      try {
        return JSON.parse(await readFile(settingsPath, 'utf8')) as object;
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return null;
        throw error;
      }
    },
    saveSettings: (settings) =>
      place(settingsPath, (temporary) => writeFile(temporary, JSON.stringify(settings))),
  };
};

/** Whether a name may be a path under the bucket's folder; of any other one there is no plain file. */
const isPlain = (name: string): boolean =>
  name.split('/').every((part) => /^[\p{L}\p{N} _.-]{1,60}$/u.test(part) && !/^\.+$/.test(part));

const removeEmptyFolders = async (root: string, from: string): Promise<void> => {
  for (let folder = from; folder !== root; folder = path.dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      if (hasCode(error, 'ENOTEMPTY', 'ENOENT')) return;
      throw error;
    }
  }
};

const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));
