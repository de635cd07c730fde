import {
  bodyOf,
  type ChainedCollection,
  digestOfAll,
  erasedMark,
  judgeLink,
  judgePeople,
  type Link,
  type ListDocument,
  textDigest,
  tryLink,
} from './chain.ts';
import type { ChainKey } from './chain-key.ts';

/** A record as its store holds it, with what stands below it. */
export interface StoredRecord {
  readonly collection: ChainedCollection;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** The documents of a run's lists by their numbers; empty for what has none. */
  readonly lists: ReadonlyMap<number, ListDocument>;
}

/**
 * missing    the chain, a list's metadata or a record names it, and it is not there before its time
 * altered    it is there, and is not what was written
 * reordered  it stands in another's place
 * inserted   it is there, and no chain has a place for it
 * unproven   it is signed by a key that is not in force any more: enable that version of the secret to prove it
 */
export type FindingKind = 'missing' | 'altered' | 'reordered' | 'inserted' | 'unproven';

export interface Finding {
  readonly kind: FindingKind;
  /** `collection/id`, `sync_state/stream`, `collection/id/changes/n`, or `version GENERATION`. */
  readonly where: string;
  /** The place in the chain that it is about. */
  readonly link: { readonly stream: Link['stream']; readonly number: number } | null;
  readonly why: string;
}

export interface CheckedRecord {
  readonly findings: readonly Finding[];
  /** Those that are its own, in order. */
  readonly links: readonly Link[];
  /** Of a record that stands here in place of this one. */
  readonly strangers: readonly Link[];
  /** Entries, texts or people, that an erasure took out of it. */
  readonly erased: number;
}

export type Keys = ReadonlyMap<string, ChainKey>;

/** Whether one record is what its links say; the order of links is the chains' own check. Pure. */
export const checkRecord = (record: StoredRecord, keys: Keys, now: Date): CheckedRecord => {
  const where = `${record.collection}/${record.id}`;
  const findings: Finding[] = [];
  const find = (kind: FindingKind, why: string, link: Link | null = null, place = where): void => {
    const at = link === null ? null : { stream: link.stream, number: link.number };
    findings.push({ kind, where: place, link: at, why });
  };
  const raw: unknown = record.data['chain'];
  const entries: readonly unknown[] = Array.isArray(raw) ? raw : [];
  const read = entries.map(tryLink);
  if (read.includes(null)) find('altered', 'a link of the record cannot be read');
  const all = read.filter((link) => link !== null);
  const isOwn = (link: Link): boolean => link.record === record.id && link.collection === record.collection;
  const strangers = all.filter((link) => !isOwn(link));
  const links = all.filter(isOwn);
  for (const link of all) {
    const judged = judgeLink(link, keys);
    if (judged === 'unknown-key')
      find('unproven', `signed by the key ${link.key}, which is not in force`, link);
    else if (judged !== 'authentic') find('altered', `the link is ${judged}`, link);
  }
  if (links.some((link, n) => n > 0 && link.number <= (links[n - 1]?.number ?? 0))) {
    find('reordered', 'the links of the record are not in order');
  }
  if (strangers.length > 0) return { findings, links: [], strangers, erased: 0 };
  const covering = links.findLast(({ kind }) => kind !== 'abandoned') ?? null;
  const last = links.at(-1);
  if (last?.kind === 'abandoned' && bodyOf(abandonedFields(record.data), {}) !== last.body) {
    find('altered', 'the words of the run that closed it are not those that were written', last);
  }
  let erased = 0;
  if (covering !== null) {
    const data = last?.kind === 'abandoned' ? { ...record.data, ...STILL_OPEN } : record.data;
    if (bodyOf(data, covering.texts) !== covering.body) {
      find('altered', 'the record is not what was written', covering);
    }
    for (const [field, digest] of Object.entries(covering.texts)) {
      const judged = judgeText(record, field, digest, keys.get(covering.key), keys);
      if (judged === 'altered') find('altered', `${field} is not what was written`, covering);
      if (judged === 'erased') erased += 1;
    }
  }
  const lists = checkLists(record, where, keys, now);
  return { findings: [...findings, ...lists.findings], links, strangers, erased: erased + lists.erased };
};

/** What another run wrote when it found the record open, and what stood there before. */
const STILL_OPEN = { status: 'running', outcome: null, errorCode: null, error: null };

const abandonedFields = (data: StoredRecord['data']): Record<string, unknown> =>
  Object.fromEntries(Object.keys(STILL_OPEN).map((field) => [field, data[field]]));

const judgeText = (
  { id, data }: StoredRecord,
  field: string,
  digest: string,
  key: ChainKey | undefined,
  keys: Keys,
): 'whole' | 'erased' | 'altered' => {
  const text: unknown = data[field];
  // A key that is gone has been told of already.
  if (key === undefined) return 'whole';
  if (typeof text !== 'string') return 'altered';
  if (textDigest(key, id, field, text) === digest) return 'whole';
  const marks = data['erased'] as Record<string, unknown> | undefined;
  const isMarked = [...keys.values()].some((one) => marks?.[field] === erasedMark(one, id, field));
  return isMarked && text === 'erased' ? 'erased' : 'altered';
};

const checkLists = (
  { id, data, lists }: StoredRecord,
  where: string,
  keys: Keys,
  now: Date,
): { findings: Finding[]; erased: number } => {
  const findings: Finding[] = [];
  const named = data['lists'] as { documents?: unknown; digest?: unknown } | undefined;
  const documents = Number(named?.documents ?? 0);
  const isExpired = timeOf(data['expireAt']) <= now.getTime();
  const find = (n: number, kind: FindingKind, why: string): void => {
    findings.push({ kind, where: `${where}/changes/${n}`, link: null, why });
  };
  let erased = 0;
  const digests: (string | null)[] = [];
  for (let n = 0; n < documents; n += 1) {
    const document = lists.get(n);
    digests.push(document?.digest ?? null);
    if (document === undefined) {
      if (!isExpired) find(n, 'missing', 'a document of the lists is not there');
      continue;
    }
    const judged = [...keys.values()].map((key) => judgePeople(key, `${id}/${n}`, document));
    if (judged.includes('shortened')) erased += 1;
    else if (!judged.includes('whole')) find(n, 'altered', 'the people are not those that were written');
  }
  if (!digests.includes(null) && documents > 0 && digestOfAll(digests.map(String)) !== named?.digest) {
    findings.push({
      kind: 'altered',
      where,
      link: null,
      why: 'the lists are not those that the record names',
    });
  }
  // A run that failed, or died, before it recorded its plan leaves lists that no record names.
  const mayHaveMore = data['status'] === 'running' || data['outcome'] === 'failed';
  for (const n of lists.keys()) {
    if (n >= documents && !mayHaveMore && Array.isArray(data['chain'])) {
      find(n, 'inserted', 'the record names fewer documents');
    }
  }
  return { findings, erased };
};

export const timeOf = (value: unknown): number => {
  if (value instanceof Date) return value.getTime();
  const toDate = (value as { toDate?: () => Date } | null | undefined)?.toDate;
  return typeof toDate === 'function' ? toDate.call(value).getTime() : Number.NaN;
};
