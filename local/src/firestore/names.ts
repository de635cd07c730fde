import { isDeepStrictEqual } from 'node:util';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { V1Fields } from './protocol.ts';

/** A refusal that a client sees with the code and the message given here. */
export class RpcError extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.name = 'RpcError';
    this.code = code;
  }
}

export const invalid = (message: string): RpcError => new RpcError(status.INVALID_ARGUMENT, message);

/** Keeps the code of our own and of the engine's errors; anything else is INTERNAL (13). */
export function toServiceError(error: unknown): Pick<ServiceError, 'code' | 'details'> & Error {
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = 'code' in cause && typeof cause.code === 'number' ? cause.code : status.INTERNAL;
  return Object.assign(new Error(cause.message, { cause }), { code, details: cause.message });
}

/** Cloud Firestore, "Quotas and limits": a document or collection id has at most 1,500 bytes of UTF-8. */
const ID_MAX_BYTES = 1500;
const NAME = /^(projects\/[^/]+\/databases\/[^/]+)(?:\/documents(?:\/(.*))?)?$/s;

/**
 * The two halves of `projects/p/databases/d/documents/path`; the path of the database's root is ''.
 * @throws RpcError INVALID_ARGUMENT (3) for what is no name of a database, document or collection.
 */
export function parseResourceName(name: string | null | undefined) {
  const match = NAME.exec(name ?? '');
  if (!match?.[1]) throw invalid('The resource name is not that of a database or document.');
  return { database: match[1], path: match[2] ?? '' };
}

/**
 * The rule of "Quotas and limits": valid UTF-8, at most 1,500 bytes, no `/`, not `.` or `..`, and not `__.*__`; as the
 * official emulator has it, `____` is allowed, and so are a document's `__id7__`, which stand for numbers.
 * @throws RpcError INVALID_ARGUMENT (3)
 */
export function assertPathOf(kind: 'document' | 'collection', path: string): void {
  const ids = path === '' ? [] : path.split('/');
  const isDocument = ids.length % 2 === 0;
  if (isDocument !== (kind === 'document') || !ids.every((id, place) => isValidId(id, place % 2 === 1))) {
    throw invalid(`The ${kind} name "${path}" is invalid.`);
  }
}

function isValidId(id: string, isDocument: boolean): boolean {
  if (id === '' || id === '.' || id === '..') return false;
  if (/^__.+__$/s.test(id) && !(isDocument && /^__id-?\d+__$/.test(id))) return false;
  return Buffer.byteLength(id) <= ID_MAX_BYTES;
}

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
