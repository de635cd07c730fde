import { status } from '@grpc/grpc-js';
import { RpcError } from './rpc-error.ts';

/** Cloud Firestore, "Quotas and limits": a document or collection id has at most 1,500 bytes of UTF-8. */
const ID_MAX_BYTES = 1500;
const NAME = /^(projects\/[^/]+\/databases\/[^/]+)(?:\/documents(?:\/(.*))?)?$/s;

/** The two halves of `projects/p/databases/d/documents/path`; the path of the database's root is ''. */
export interface ResourceName {
  database: string;
  path: string;
}

/** @throws RpcError INVALID_ARGUMENT (3) for what is no name of a database, document or collection. */
export function parseResourceName(name: string | null | undefined): ResourceName {
  const match = NAME.exec(name ?? '');
  if (!match?.[1])
    throw new RpcError(status.INVALID_ARGUMENT, 'The resource name is not that of a database or document.');
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
    throw new RpcError(status.INVALID_ARGUMENT, `The ${kind} name "${path}" is invalid.`);
  }
}

function isValidId(id: string, isDocument: boolean): boolean {
  if (id === '' || id === '.' || id === '..') return false;
  if (/^__.+__$/s.test(id) && !(isDocument && /^__id-?\d+__$/.test(id))) return false;
  return Buffer.byteLength(id) <= ID_MAX_BYTES;
}
