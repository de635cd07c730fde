import { isDeepStrictEqual } from 'node:util';
import type { V1Fields } from './wire.ts';

/**
 * The paths of the fields that differ between two versions, maps compared field by field: the update mask of an
 * "updated" event.
 */
export function planChangedPaths(before: V1Fields, after: V1Fields, parents: string[] = []): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const old = before[name];
    const now = after[name];
    if (isDeepStrictEqual(old, now)) return [];
    const path = [...parents, quoteSegment(name)];
    if (old?.mapValue && now?.mapValue) {
      return planChangedPaths(old.mapValue.fields ?? {}, now.mapValue.fields ?? {}, path);
    }
    return [path.join('.')];
  });
}

/** `` a.`b.c` `` names `b.c` below `a`. */
export function parseFieldPath(path: string): string[] {
  return [...path.matchAll(/`((?:[^`\\]|\\.)*)`|([^.`]+)/gs)].map(
    ([, quoted, plain]) => quoted?.replaceAll(/\\(.)/gs, '$1') ?? plain ?? '',
  );
}

export function toFieldPath(names: readonly string[]): string {
  return names.map(quoteSegment).join('.');
}

/** google.firestore.v1.StructuredQuery.FieldReference: a name that is no identifier stands between backticks. */
function quoteSegment(name: string): string {
  if (/^[a-z_][a-z_0-9]*$/i.test(name)) return name;
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}
