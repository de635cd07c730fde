import { renameSync, rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { appendJsonLine, readJsonLines } from '../json-lines.ts';
import type { DocumentChange } from './events.ts';
import { decodeDocument, encodeDocument } from './protocol.ts';

const HEADER = { journal: 'firestore', version: 1 };

/** Each document of one commit as a protobuf in base64, or null when it was deleted, by full resource name. */
type Line = { readonly documents: Readonly<Record<string, string | null>> };

/**
 * All documents, in a file: one line for each commit, written before the client has its answer, so that the end of the process
 * loses nothing. A commit is one line, so it is never half there. At the opening one line a document that exists takes the
 * place of them all. Throws when the file is damaged.
 */
export function openJournal(file: string) {
  const documents = readDocuments(file);
  // The new file takes the place of the old one only when it is complete.
  const temporary = `${file}.new`;
  rmSync(temporary, { force: true });
  appendJsonLine(temporary, HEADER);
  for (const [name, bytes] of documents) appendJsonLine(temporary, { documents: { [name]: bytes } });
  renameSync(temporary, file);
  let isClosed = false;
  return {
    /** What the file held when it was opened. */
    restored: [...documents.values()].map((bytes) => decodeDocument(Buffer.from(bytes, 'base64'))),
    append(changes: readonly DocumentChange[]): void {
      // Another server may have the file already.
      if (isClosed) throw new Error('The Firestore journal is closed.');
      const entries = changes.map(({ database, path, after }) => [
        `${database}/documents/${path}`,
        after ? encodeDocument(after).toString('base64') : null,
      ]);
      appendJsonLine(file, { documents: Object.fromEntries(entries) });
    },
    close(): void {
      isClosed = true;
    },
  };
}

function readDocuments(file: string): Map<string, string> {
  const documents = new Map<string, string>();
  const [header, ...lines] = readJsonLines(file);
  if (header !== undefined && !isDeepStrictEqual(header, HEADER)) {
    throw new Error(`${file} is no Firestore journal of this version.`);
  }
  for (const [name, bytes] of (lines as Line[]).flatMap((line) => Object.entries(line.documents))) {
    if (bytes === null) documents.delete(name);
    else documents.set(name, bytes);
  }
  return documents;
}
