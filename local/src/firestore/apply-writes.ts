import { randomUUID } from 'node:crypto';
import { type DocumentChange, isSameVersion } from './document-change.ts';
import type { Engine } from './engine.ts';
import { fieldsAfter, replaceParents } from './replace-parents.ts';
import { parseResourceName } from './resource-name.ts';
import { assertStorable } from './storable-write.ts';
import type { CommitResponse, V1Document, V1Write, V1WriteResult } from './wire.ts';

/** `changes` is what has happened; `response` brings the answer, or the refusal of writes that changed nothing. */
export interface AppliedWrites {
  changes: DocumentChange[];
  response: Promise<CommitResponse>;
}

/**
 * Applies writes as one, all or none of them, before it returns.
 * The changes are read in the same turn of the event loop, so no other commit can come between.
 */
export function applyWrites(engine: Engine, database: string, writes: V1Write[]): AppliedWrites {
  const pathOf = (write: V1Write) => parseResourceName(write.delete ?? write.update?.name).path;
  const paths = new Set(writes.map(pathOf));
  const before = new Map([...paths].map((path) => [path, engine.read(path)]));
  writes.forEach(assertStorable);
  const stored = new Map([...before].map(([path, document]) => [path, document?.fields ?? {}]));
  const steps = writes.map((write) => {
    const path = pathOf(write);
    const corrected = replaceParents(write, stored.get(path) ?? {});
    stored.set(path, fieldsAfter(corrected, stored.get(path) ?? {}));
    return separateTransforms(corrected);
  });

  engine.clock.tick();
  const committed = engine.commit({ writes: steps.flat() });
  const time = engine.clock.now().toDate();

  const changes: DocumentChange[] = [];
  const after = new Map<string, V1Document | undefined>();
  for (const [path, old] of before) {
    const now = engine.read(path);
    after.set(path, now);
    if (isSameVersion(old, now)) continue;
    const change: DocumentChange = { id: randomUUID(), database, path, time };
    if (old) change.before = old;
    if (now) change.after = now;
    changes.push(change);
    engine.forgetHistory(path);
  }

  const response = committed.then(({ commitTime, writeResults }) => ({
    commitTime: commitTime ?? null,
    writeResults: mergeResults(steps, writeResults ?? [], (path) => after.get(path)),
  }));
  return { changes, response };
}

/**
 * A set without merge replaces the document, so its transforms must find nothing; the engine would hand them the old
 * values. Two steps, the set and then the transforms, give what Cloud Firestore gives.
 */
function separateTransforms(write: V1Write): V1Write[] {
  if (!write.update || write.updateMask || !write.updateTransforms?.length) return [write];
  const { updateTransforms, ...set } = write;
  return [
    set,
    { update: { name: write.update.name ?? null }, updateMask: { fieldPaths: [] }, updateTransforms },
  ];
}

/** One result for each write that the client sent; the time of a write that changed nothing is that of the document. */
function mergeResults(
  steps: V1Write[][],
  results: V1WriteResult[],
  documentAt: (path: string) => V1Document | undefined,
): V1WriteResult[] {
  let next = 0;
  return steps.map((writes) => {
    next += writes.length;
    const last = writes.at(-1);
    const result = { ...results[next - 1] };
    if (last?.update)
      result.updateTime = documentAt(parseResourceName(last.update.name).path)?.updateTime ?? null;
    else delete result.updateTime;
    return result;
  });
}
