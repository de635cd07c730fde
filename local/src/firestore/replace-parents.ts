import { parseFieldPath, toFieldPath } from './field-paths.ts';
import type { V1Fields, V1Value, V1Write } from './wire.ts';

/**
 * A write to `e.f` where `e` is stored and no map makes `e` a map that holds `f` alone. The engine would leave an array, a
 * time or bytes as they are and lose what was written, so the write is told to replace the parent.
 * Deleting `e.f` there changes nothing.
 */
export function replaceParents(write: V1Write, stored: V1Fields): V1Write {
  const { updateMask, updateTransforms } = write;
  if (!write.update || (!updateMask && !updateTransforms?.length)) return write;
  const fields = structuredClone(write.update.fields ?? {});
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
    setAt(fields, parent, { mapValue: { fields: {} } });
    mask.add(toFieldPath(parent));
  }
  return {
    ...write,
    update: { ...write.update, fields },
    ...(updateMask && { updateMask: { fieldPaths: [...mask] } }),
  };
}

/** The stored fields as a write leaves them, for the next write of the same commit; a transform leaves no map. */
export function fieldsAfter(write: V1Write, stored: V1Fields): V1Fields {
  if (!write.update) return {};
  const written = structuredClone(write.update.fields ?? {});
  const fields = write.updateMask ? structuredClone(stored) : written;
  for (const path of write.updateMask?.fieldPaths ?? []) {
    const names = parseFieldPath(path);
    setAt(fields, names, valueAt(written, names));
  }
  for (const { fieldPath } of write.updateTransforms ?? []) {
    setAt(fields, parseFieldPath(fieldPath ?? ''), { nullValue: 'NULL_VALUE' });
  }
  return fields;
}

function parentThatIsNoMap(names: readonly string[], fields: V1Fields): readonly string[] | undefined {
  for (let depth = 1; depth < names.length; depth += 1) {
    const value = valueAt(fields, names.slice(0, depth));
    if (!value) return undefined;
    if (!value.mapValue) return names.slice(0, depth);
  }
  return undefined;
}

function valueAt(fields: V1Fields, names: readonly string[]): V1Value | undefined {
  const [first = '', ...rest] = names;
  const value = Object.hasOwn(fields, first) ? fields[first] : undefined;
  return rest.length === 0 ? value : valueAt(value?.mapValue?.fields ?? {}, rest);
}

function setAt(fields: V1Fields, names: readonly string[], value: V1Value | undefined): void {
  const [first = '', ...rest] = names;
  if (rest.length === 0) {
    if (value) fields[first] = value;
    else delete fields[first];
    return;
  }
  const inner = fields[first]?.mapValue?.fields ?? {};
  if (!value && !fields[first]?.mapValue) return;
  fields[first] = { mapValue: { fields: inner } };
  setAt(inner, rest, value);
}
