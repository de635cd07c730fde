import { badRequest } from './errors.ts';
import { type ObjectRecord, type ObjectVersion, softDeletedVersions } from './object-record.ts';

const MAX_PAGE_SIZE = 1000;

export interface ListedObject {
  readonly record: ObjectRecord;
  readonly version: ObjectVersion;
}

export interface ListPage {
  readonly items: ListedObject[];
  readonly prefixes: string[];
  readonly nextPageToken: string | undefined;
}

/** Where a page ended: at a version of an object, or at a prefix with all that is under it. */
interface Position {
  readonly name: string;
  /** `null`: `name` is a prefix. */
  readonly generation: string | null;
}

/**
 * One page of https://cloud.google.com/storage/docs/json_api/v1/objects/list: names in the order of their
 * UTF-8 bytes, versions oldest first, with `softDeleted` only soft-deleted ones; prefixes count towards `maxResults`. A token says after what the page
 * goes on, so listing while objects come and go neither repeats nor loses those that stay.
 * @throws ApiError 400
 */
export function planListPage(
  records: readonly ObjectRecord[],
  query: URLSearchParams,
  now = new Date(),
): ListPage {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const startOffset = query.get('startOffset') ?? '';
  const endOffset = query.get('endOffset');
  const trailing = query.get('includeTrailingDelimiter') === 'true';
  const versions = query.get('versions') === 'true';
  const softDeleted = query.get('softDeleted') === 'true';
  if (versions && softDeleted) throw badRequest('versions and softDeleted exclude each other.');
  const limit = parseMaxResults(query.get('maxResults'));
  const after = parsePageToken(query.get('pageToken'));

  const wanted = records
    .filter(({ name }) => name.startsWith(prefix))
    .filter(({ name }) => compareNames(name, startOffset) >= 0)
    .filter(({ name }) => endOffset === null || endOffset === '' || compareNames(name, endOffset) < 0)
    .sort((a, b) => compareNames(a.name, b.name));

  const items: ListedObject[] = [];
  const prefixes: string[] = [];
  let last: Position | undefined;
  for (const record of wanted) {
    const cut = delimiter === '' ? -1 : record.name.indexOf(delimiter, prefix.length);
    const group = cut < 0 ? null : record.name.slice(0, cut + delimiter.length);
    const shown = softDeleted
      ? softDeletedVersions(record, now)
      : record.versions.filter(({ generation }) => versions || generation === record.live);
    for (const version of shown) {
      const isNewGroup =
        group !== null && last?.name !== group && !isPast(after, { name: group, generation: null });
      const isItem =
        (group === null || (trailing && group === record.name)) &&
        !isPast(after, { name: record.name, generation: version.generation });
      if (!isNewGroup && !isItem) continue;
      if (items.length + prefixes.length >= limit) {
        return { items, prefixes, nextPageToken: last && makePageToken(last) };
      }
      if (isNewGroup && group !== null && prefixes.at(-1) !== group) {
        prefixes.push(group);
        last = { name: group, generation: null };
      }
      if (isItem) {
        items.push({ record, version });
        last = { name: record.name, generation: version.generation };
      }
    }
  }
  return { items, prefixes, nextPageToken: undefined };
}

function isPast(after: Position | null, at: Position): boolean {
  if (!after) return false;
  if (after.generation === null) {
    return at.name.startsWith(after.name) || compareNames(at.name, after.name) < 0;
  }
  const order = compareNames(at.name, after.name);
  if (order !== 0) return order < 0;
  return at.generation === null || BigInt(at.generation) <= BigInt(after.generation);
}

function compareNames(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function parseMaxResults(text: string | null): number {
  if (text === null) return MAX_PAGE_SIZE;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) throw badRequest('Invalid value for maxResults');
  return Math.min(limit, MAX_PAGE_SIZE);
}

function makePageToken(position: Position): string {
  return Buffer.from(JSON.stringify([position.name, position.generation])).toString('base64url');
}

function parsePageToken(token: string | null): Position | null {
  if (token === null || token === '') return null;
  try {
    const [name, generation] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (typeof name === 'string' && (generation === null || /^\d+$/.test(generation))) {
      return { name, generation };
    }
  } catch {
    // Falls through to the one answer for a token that this server did not make.
  }
  throw badRequest('Invalid page token.');
}
