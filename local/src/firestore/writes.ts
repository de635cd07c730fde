import { randomUUID } from 'node:crypto';
import type { Engine } from './engine.ts';
import { type DocumentChange, isSameVersion } from './events.ts';
import { invalid, parseFieldPath, parseResourceName, toFieldPath } from './names.ts';
import type * as wire from './protocol.ts';

/** `changes` is what has happened; `response` brings the answer, or the refusal of writes that changed nothing. */
interface AppliedWrites {
  changes: DocumentChange[];
  response: Promise<wire.CommitResponse>;
}

/**
 * Applies writes as one, all or none of them, before it returns.
 * The changes are read in the same turn of the event loop, so no other commit can come between.
 */
export function applyWrites(engine: Engine, database: string, writes: wire.V1Write[]): AppliedWrites {
  const pathOf = (write: wire.V1Write) => parseResourceName(write.delete ?? write.update?.name).path;
  const paths = new Set(writes.map(pathOf));
  const before = new Map([...paths].map((path) => [path, engine.read(path)]));
  writes.forEach(assertStorable);
  const stored = new Map([...before].map(([path, document]) => [path, document?.fields ?? {}]));
  const isAnyTwice = paths.size < writes.length;
  const steps = writes.map((write) => {
    const path = pathOf(write);
    const corrected = replaceParents(write, stored.get(path) ?? {});
    if (isAnyTwice) stored.set(path, fieldsAfter(corrected, stored.get(path) ?? {}));
    return separateTransforms(corrected);
  });

  engine.clock.tick();
  const committed = engine.commit({ writes: steps.flat() });
  const time = engine.clock.now().toDate();

  const changes: DocumentChange[] = [];
  const after = new Map<string, wire.V1Document | undefined>();
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
 * values. Two steps, the set and then the transforms, give what Cloud Firestore gives. Texts that are added to a list which is not
 * there are set: the engine would compare each of thousands with each.
 */
function separateTransforms(write: wire.V1Write): wire.V1Write[] {
  if (!write.update || write.updateMask || !write.updateTransforms?.length) return [write];
  const { update, updateTransforms, ...precondition } = write;
  const fields = { ...update.fields };
  const left = updateTransforms.map((transform) => {
    const { fieldPath: name, appendMissingElements: added } = transform;
    if (!name?.match(/^[A-Za-z_]\w*$/) || name in fields) return transform;
    if (!added?.values?.every((it) => it.stringValue != null)) return transform;
    const values = [...new Map(added.values.map((it) => [it.stringValue, it])).values()];
    fields[name] = { arrayValue: { values } };
    return { fieldPath: name, appendMissingElements: {} };
  });
  return [
    { ...precondition, update: { ...update, fields } },
    { update: { name: update.name ?? null }, updateMask: { fieldPaths: [] }, updateTransforms: left },
  ];
}

/** One result for each write that was sent; the time of one that changed nothing is the document's, and a changed array is null. */
function mergeResults(
  steps: wire.V1Write[][],
  results: wire.V1WriteResult[],
  documentAt: (path: string) => wire.V1Document | undefined,
): wire.V1WriteResult[] {
  let next = 0;
  return steps.map((writes) => {
    next += writes.length;
    const last = writes.at(-1);
    const result = { ...results[next - 1] };
    if (last?.update)
      result.updateTime = documentAt(parseResourceName(last.update.name).path)?.updateTime ?? null;
    else delete result.updateTime;
    for (const [n, { appendMissingElements, removeAllFromArray }] of (last?.updateTransforms ?? []).entries())
      if (appendMissingElements || removeAllFromArray)
        result.transformResults?.splice(n, 1, { nullValue: 'NULL_VALUE' });
    return result;
  });
}

/**
 * A write to `e.f` where `e` is stored and no map makes `e` a map that holds `f` alone. The engine would leave an array, a
 * time or bytes as they are and lose what was written, so the write is told to replace the parent.
 * Deleting `e.f` there changes nothing.
 */
function replaceParents(write: wire.V1Write, stored: wire.V1Fields): wire.V1Write {
  const { updateMask, updateTransforms } = write;
  if (!write.update || (!updateMask && !updateTransforms?.length)) return write;
  let fields = write.update.fields ?? {};
  const base = updateMask ? stored : fields;
  const mask = new Set<string>();
  for (const path of updateMask?.fieldPaths ?? []) {
    const names = parseFieldPath(path);
    const parent = parentThatIsNoMap(names, base);
    if (!parent) mask.add(path);
    else if (valueAt(fields, names)) mask.add(toFieldPath(parent));
  }
  for (const { fieldPath } of updateTransforms ?? []) {
    const parent = parentThatIsNoMap(parseFieldPath(fieldPath ?? ''), base);
    if (!parent || mask.has(toFieldPath(parent))) continue;
    fields = withValueAt(fields, parent, { mapValue: { fields: {} } });
    mask.add(toFieldPath(parent));
  }
  return {
    ...write,
    update: { ...write.update, fields },
    ...(updateMask && { updateMask: { fieldPaths: [...mask] } }),
  };
}

/** The stored fields as a write leaves them, for the next write of the same commit; a transform leaves no map. */
function fieldsAfter(write: wire.V1Write, stored: wire.V1Fields): wire.V1Fields {
  if (!write.update) return {};
  const written = write.update.fields ?? {};
  let fields = write.updateMask ? stored : written;
  for (const path of write.updateMask?.fieldPaths ?? []) {
    const names = parseFieldPath(path);
    fields = withValueAt(fields, names, valueAt(written, names));
  }
  for (const { fieldPath } of write.updateTransforms ?? []) {
    fields = withValueAt(fields, parseFieldPath(fieldPath ?? ''), { nullValue: 'NULL_VALUE' });
  }
  return fields;
}

function parentThatIsNoMap(names: readonly string[], fields: wire.V1Fields): readonly string[] | undefined {
  for (let depth = 1; depth < names.length; depth += 1) {
    const value = valueAt(fields, names.slice(0, depth));
    if (!value) return undefined;
    if (!value.mapValue) return names.slice(0, depth);
  }
  return undefined;
}

function valueAt(fields: wire.V1Fields, names: readonly string[]): wire.V1Value | undefined {
  const [first = '', ...rest] = names;
  const value = Object.hasOwn(fields, first) ? fields[first] : undefined;
  return rest.length === 0 ? value : valueAt(value?.mapValue?.fields ?? {}, rest);
}

/** The fields with that value, or without it; those that were given stay as they are. */
function withValueAt(
  fields: wire.V1Fields,
  [first = '', ...rest]: readonly string[],
  value: wire.V1Value | undefined,
): wire.V1Fields {
  const { [first]: held, ...others } = fields;
  if (rest.length === 0) return value ? { ...fields, [first]: value } : others;
  if (!value && !held?.mapValue) return fields;
  const inner = withValueAt(held?.mapValue?.fields ?? {}, rest, value);
  return { ...fields, [first]: { mapValue: { fields: inner } } };
}

/** Cloud Firestore, "Quotas and limits": the names of a field and of its parents, with the dots between them. */
const PATH_MAX_BYTES = 1500;
/** google.protobuf.Timestamp: the years 1 to 9999. */
const TIME_MIN_SECONDS = -62_135_596_800;
const TIME_MAX_SECONDS = 253_402_300_799;

/**
 * Refuses what Cloud Firestore cannot store and the engine would. Sizes, nested arrays and depth are the engine's own checks.
 *
 * @throws RpcError INVALID_ARGUMENT (3)
 */
function assertStorable(write: wire.V1Write): void {
  assertStorableFields(write.update?.fields ?? {}, []);
  const paths = [
    ...(write.updateMask?.fieldPaths ?? []),
    ...(write.updateTransforms ?? []).map(({ fieldPath }) => fieldPath ?? ''),
  ];
  for (const path of paths) assertFieldPath(parseFieldPath(path));
}

/** @throws RpcError INVALID_ARGUMENT (3) for a reserved name, as in a query's filter */
export function assertFieldPath(names: readonly string[]): void {
  if (names.some((name) => name === '' || /^__.+__$/s.test(name))) {
    throw invalid('The name of a field is empty or reserved (`__.*__`).');
  }
  if (Buffer.byteLength(names.join('.')) > PATH_MAX_BYTES) {
    throw invalid(`The path of a field is longer than ${PATH_MAX_BYTES} bytes.`);
  }
}

function assertStorableFields(fields: wire.V1Fields, parents: readonly string[]): void {
  for (const [name, value] of Object.entries(fields)) {
    const path = [...parents, name];
    assertFieldPath(path);
    assertStorableValue(value, path);
  }
}

function assertStorableValue(
  { mapValue, arrayValue, timestampValue }: wire.V1Value,
  path: readonly string[],
): void {
  if (mapValue) assertStorableFields(mapValue.fields ?? {}, path);
  for (const item of arrayValue?.values ?? []) assertStorableValue(item, path);
  if (!timestampValue) return;
  const seconds = Number(timestampValue.seconds ?? 0);
  if (seconds < TIME_MIN_SECONDS || seconds > TIME_MAX_SECONDS) {
    throw invalid('A time lies outside the years 1 to 9999.');
  }
}
