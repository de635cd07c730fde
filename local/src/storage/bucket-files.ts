import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { replaceFile, type StepHook, syncFolder } from './durable-file.ts';
import { hasCode } from './file-errors.ts';
import { type FolderView, makeFolderView } from './folder-view.ts';
import { isEmpty, type ObjectRecord } from './object-record.ts';

export const VERSIONS_FOLDER = '.versions';

/**
 * Where one bucket's files are:
 *
 *     DIR/<bucket>/…                     the view: live objects as plain files
 *     DIR/.versions/<bucket>/bucket.json the bucket's settings
 *     …/objects/<hash of name>.json      one record a name: its versions, and which is live
 *     …/data/<generation>                the bytes of one version, read-only
 *     …/uploads/<id>.json, <id>.data     resumable uploads under way
 *     …/incoming/                        temporary files, emptied at start
 */
export interface BucketFiles {
  readonly view: FolderView;
  readonly uploadsFolder: string;
  readonly incomingFolder: string;
  dataPath(generation: string): string;
  newIncomingPath(): string;
  syncData(): Promise<void>;
  saveRecord(record: ObjectRecord, step: StepHook): Promise<void>;
  removeRecord(name: string): Promise<void>;
  readSettings(): Promise<string | null>;
  saveSettings(text: string): Promise<void>;
  /** Reads all records, and removes what a crash left behind: temporary files and bytes of no version. */
  recover(): Promise<ObjectRecord[]>;
  removeAll(): Promise<void>;
}

export async function openBucketFiles(directory: string, bucket: string): Promise<BucketFiles> {
  const root = path.join(directory, VERSIONS_FOLDER, bucket);
  const viewFolder = path.join(directory, bucket);
  const folder = {
    objects: path.join(root, 'objects'),
    data: path.join(root, 'data'),
    uploads: path.join(root, 'uploads'),
    incoming: path.join(root, 'incoming'),
  };
  for (const each of [viewFolder, ...Object.values(folder)]) await mkdir(each, { recursive: true });

  const view = makeFolderView(viewFolder, folder.incoming);
  const settingsPath = path.join(root, 'bucket.json');
  const dataPath = (generation: string) => path.join(folder.data, generation);
  const recordPath = (name: string) =>
    path.join(folder.objects, `${createHash('sha256').update(name).digest('hex')}.json`);

  return {
    view,
    uploadsFolder: folder.uploads,
    incomingFolder: folder.incoming,
    dataPath,
    newIncomingPath: () => path.join(folder.incoming, randomUUID()),
    syncData: () => syncFolder(folder.data),
    saveRecord: (record, step) =>
      replaceFile(recordPath(record.name), folder.incoming, JSON.stringify(record), () => step('commit')),
    removeRecord: (name) => rm(recordPath(name), { force: true }),
    async readSettings() {
      try {
        return await readFile(settingsPath, 'utf8');
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return null;
        throw error;
      }
    },
    saveSettings: (text) => replaceFile(settingsPath, folder.incoming, text),
    async recover() {
      await emptyFolder(folder.incoming, () => false);
      const records: ObjectRecord[] = [];
      for (const file of await readdir(folder.objects)) {
        records.push(JSON.parse(await readFile(path.join(folder.objects, file), 'utf8')) as ObjectRecord);
      }
      const known = new Set(records.flatMap((record) => record.versions.map(({ generation }) => generation)));
      for (const record of records) {
        if (record.live) await view.repair(record.name, dataPath(record.live));
        else await view.hide(record.name);
        if (isEmpty(record)) await rm(recordPath(record.name), { force: true });
      }
      await emptyFolder(folder.data, (file) => known.has(file));
      return records.filter((record) => !isEmpty(record));
    },
    async removeAll() {
      await rm(viewFolder, { recursive: true, force: true });
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function emptyFolder(folder: string, keep: (file: string) => boolean): Promise<void> {
  for (const file of await readdir(folder)) {
    if (!keep(file)) await rm(path.join(folder, file), { force: true, recursive: true });
  }
}
