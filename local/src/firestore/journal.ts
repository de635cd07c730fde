import {
  closeSync,
  existsSync,
  fsync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { DocumentChange } from './document-change.ts';
import { decodeDocument, encodeDocument } from './protocol.ts';
import type { V1Document } from './wire.ts';

const HEADER = { journal: 'firestore', version: 1 };
const SYNC_MILLIS = 200;

interface Line {
  /** Each document of one commit as a protobuf in base64, or null when it was deleted, by full resource name. */
  documents: Record<string, string | null>;
}

/**
 * All documents, on disk: one line of JSON for each commit, written before the client has its answer, so that the end
 * of the process loses nothing; forced to the disk within 200 ms, so that a power cut loses no more than that.
 * A commit is one line and a torn last line is dropped, so a commit is never half there.
 */
export interface Journal {
  /** What the file held when it was opened. */
  readonly restored: V1Document[];
  append(changes: DocumentChange[]): void;
  close(): void;
}

/** Reads the file, rewrites it with one line a document that exists, and continues it. Throws when it is damaged. */
export function openJournal(file: string): Journal {
  mkdirSync(dirname(file), { recursive: true });
  const documents = existsSync(file) ? readDocuments(file) : new Map<string, string>();
  rewrite(file, documents);

  const descriptor = openSync(file, 'a');
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const syncSoon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      // A failure here is seen again at the next write or at the close.
      if (!isClosed) fsync(descriptor, () => {});
    }, SYNC_MILLIS);
  };

  return {
    restored: [...documents.values()].map((bytes) => decodeDocument(Buffer.from(bytes, 'base64'))),
    append(changes) {
      // The system may have given the number of a closed descriptor to another file.
      if (isClosed) throw new Error('The Firestore journal is closed.');
      const entries = changes.map(({ database, path, after }) => [
        `${database}/documents/${path}`,
        after ? encodeDocument(after).toString('base64') : null,
      ]);
      writeSync(descriptor, toLine({ documents: Object.fromEntries(entries) }));
      syncSoon();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      fsyncSync(descriptor);
      closeSync(descriptor);
    },
  };
}

function readDocuments(file: string): Map<string, string> {
  const [header, ...lines] = readFileSync(file, 'utf8').split('\n');
  if (header !== JSON.stringify(HEADER)) throw new Error(`${file} is no Firestore journal of this version.`);
  // What follows the last line end is a line that was being written when the process died.
  lines.pop();
  const documents = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    for (const [name, bytes] of Object.entries(parseLine(line, file, index + 2).documents)) {
      if (bytes === null) documents.delete(name);
      else documents.set(name, bytes);
    }
  }
  return documents;
}

function parseLine(line: string, file: string, number: number): Line {
  try {
    return JSON.parse(line) as Line;
  } catch (cause) {
    // Going on without this commit would show a state that never was.
    throw new Error(`${file} is damaged at line ${number}.`, { cause });
  }
}

/** A new file takes the place of the old one only when it is complete and on the disk. */
function rewrite(file: string, documents: Map<string, string>): void {
  const temporary = `${file}.new`;
  const descriptor = openSync(temporary, 'w');
  writeSync(descriptor, `${JSON.stringify(HEADER)}\n`);
  for (const [name, bytes] of documents) writeSync(descriptor, toLine({ documents: { [name]: bytes } }));
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(temporary, file);
}

function toLine(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}
