import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DocumentChange } from './events.ts';
import { decodeDocument, encodeDocument, type V1Document } from './protocol.ts';

const HEADER = { journal: 'firestore', version: 1 };

interface Line {
  /** Each document of one commit as a protobuf in base64, or null when it was deleted, by full resource name. */
  documents: Record<string, string | null>;
}

/**
 * All documents, in a file: one line of JSON for each commit, written before the client has its answer, so that the end of
 * the process loses nothing. A commit is one line and a torn last line is dropped, so a commit is never half there.
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
  const descriptor = rewrite(file, documents);
  let isClosed = false;
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
    },
    close() {
      isClosed = true;
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

/** A new file takes the place of the old one only when it is complete. Answers it open for more. */
function rewrite(file: string, documents: Map<string, string>): number {
  const temporary = `${file}.new`;
  const descriptor = openSync(temporary, 'w');
  writeSync(descriptor, `${JSON.stringify(HEADER)}\n`);
  for (const [name, bytes] of documents) writeSync(descriptor, toLine({ documents: { [name]: bytes } }));
  renameSync(temporary, file);
  return descriptor;
}

function toLine(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}
