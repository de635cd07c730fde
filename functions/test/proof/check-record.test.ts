import { describe, expect, it } from 'vitest';
import { makeSigningKey } from '../../../local/src/secrets.ts';
import {
  digestOfAll,
  erasedMark,
  type Link,
  type LinkKind,
  type ListDocument,
  linesDigest,
  makeLink,
  peopleDigest,
  shortenedDigest,
} from '../../src/proof/chain.ts';
import { keysById, parseChainKey } from '../../src/proof/chain-key.ts';
import { checkRecord, type StoredRecord, timeOf } from '../../src/proof/check-record.ts';

const key = parseChainKey('chain-signing-key', makeSigningKey());
const stranger = parseChainKey('chain-signing-key', makeSigningKey());
const NOW = new Date('2026-11-20T12:00:00Z');
const KEPT = new Date('2027-11-20T12:00:00Z');
const ID = 'run-1';
const WHERE = `sync_audit/${ID}`;

const people = (n: number): { added: string[]; removed: string[] } => ({
  added: [`a${n}`],
  removed: [`r${n}`],
});
const documentOf = (n: number, given: Partial<ListDocument> = {}): ListDocument => ({
  ...people(n),
  digest: peopleDigest(key, `${ID}/${n}`, people(n)),
  shortened: null,
  ...given,
});
const linkOf = (head: Link | null, data: object, kind: LinkKind = 'closed', by = key, record = ID): Link =>
  makeLink(
    head,
    {
      stream: 'roster',
      kind,
      collection: 'sync_audit',
      record,
      expireAt: KEPT,
      data: { ...data },
      texts: ['reason'],
    },
    by,
  );

const DATA = { status: 'success', outcome: 'published', reason: 'agreed', expireAt: KEPT };
/** A record as its run wrote it; `spoil` is what somebody did to it since. */
const check = (
  given: {
    data?: object;
    lists?: ReadonlyMap<number, ListDocument>;
    chain?: unknown;
    spoil?: object;
    keys?: (typeof key)[];
  } = {},
) => {
  const data = given.data ?? DATA;
  const record: StoredRecord = {
    collection: 'sync_audit',
    id: ID,
    data: { ...data, chain: 'chain' in given ? given.chain : [linkOf(null, data)], ...given.spoil },
    lists: given.lists ?? new Map(),
  };
  const { findings, ...rest } = checkRecord(record, keysById(given.keys ?? [key]), NOW);
  return { said: findings.map(({ kind, where, why }) => `${kind} ${where}: ${why}`), ...rest };
};

describe('a record and its links', () => {
  it('is what was written', () => {
    expect(check()).toMatchObject({ said: [], strangers: [], erased: 0, links: [{ number: 1 }] });
    expect(check({ chain: undefined })).toMatchObject({ said: [], links: [] });
  });

  it.each([
    ['a field', { outcome: 'blocked' }, `altered ${WHERE}: the record is not what was written`],
    ['a field that was not there', { more: 1 }, `altered ${WHERE}: the record is not what was written`],
    ['what an operator typed', { reason: 'other' }, `altered ${WHERE}: reason is not what was written`],
    ['what an operator typed, away', { reason: null }, `altered ${WHERE}: reason is not what was written`],
    [
      'what an operator typed, as if erased',
      { reason: 'erased' },
      `altered ${WHERE}: reason is not what was written`,
    ],
  ])('says that somebody changed %s', (_what, spoil, said) => {
    expect(check({ spoil }).said).toEqual([said]);
  });

  it('takes an erased text for erased where the erasure’s mark is there, and only for this text', () => {
    const erased = { reason: erasedMark(key, ID, 'reason') };
    expect(check({ spoil: { reason: 'erased', erased } })).toMatchObject({ said: [], erased: 1 });
    expect(check({ spoil: { reason: 'another word', erased } }).said).toHaveLength(1);
    const ofAnother = { reason: erasedMark(key, 'run-2', 'reason') };
    expect(check({ spoil: { reason: 'erased', erased: ofAnother } }).said).toHaveLength(1);
  });

  it('says that a link cannot be read, was altered, or is signed by a key that is gone', () => {
    const link = linkOf(null, DATA);
    expect(check({ chain: [link, { number: 2 }] }).said).toEqual([
      `altered ${WHERE}: a link of the record cannot be read`,
    ]);
    expect(check({ chain: [{ ...link, number: 2 }] }).said).toEqual([
      `altered ${WHERE}: the link is altered`,
    ]);
    const other = linkOf(null, DATA, 'closed', stranger);
    // Its digests of texts are by that key too, and are not judged.
    expect(check({ chain: [other] }).said).toEqual([
      `unproven ${WHERE}: signed by the key ${stranger.id}, which is not in force`,
    ]);
    expect(check({ chain: [other], keys: [key, stranger] }).said).toEqual([]);
  });

  it('says that its links are not in order, and judges by the last', () => {
    const opened = linkOf(null, { status: 'running' }, 'opened');
    const closed = linkOf(opened, DATA);
    expect(check({ chain: [opened, closed] }).said).toEqual([]);
    expect(check({ chain: [closed, opened] }).said).toContain(
      `reordered ${WHERE}: the links of the record are not in order`,
    );
    expect(check({ chain: [opened, opened] }).said).toContain(
      `reordered ${WHERE}: the links of the record are not in order`,
    );
  });

  it('does not judge a record that stands in another’s place, and hands over its links', () => {
    const theirs = linkOf(null, DATA, 'closed', key, 'run-2');
    expect(check({ chain: [theirs] })).toEqual({ said: [], links: [], strangers: [theirs], erased: 0 });
  });
});

describe('a record that another run closed', () => {
  const open = {
    status: 'running',
    outcome: null,
    errorCode: null,
    error: null,
    reason: 'agreed',
    expireAt: KEPT,
  };
  const words = { status: 'error', outcome: 'failed', errorCode: 'abandoned', error: 'why' };
  const planned = linkOf(null, open, 'planned');
  const chain = [planned, linkOf(planned, words, 'abandoned')];

  it('is what its own run wrote, with the words of the other', () => {
    expect(check({ data: { ...open, ...words }, chain }).said).toEqual([]);
  });

  it('says which of the two was changed', () => {
    expect(check({ data: { ...open, ...words, error: 'other' }, chain }).said).toEqual([
      `altered ${WHERE}: the words of the run that closed it are not those that were written`,
    ]);
    expect(check({ data: { ...open, ...words, more: 1 }, chain }).said).toEqual([
      `altered ${WHERE}: the record is not what was written`,
    ]);
  });
});

describe('the lists of a record', () => {
  it.each([
    [['0101302989'], []],
    [[], ['0101302989', '1502900309']],
    [[], []],
    [['0101302989', '1502900309'], ['0101302989']],
  ])('have the same digest as texts: %j, %j', (added, removed) => {
    const lines = (people: readonly string[]) => ({ count: people.length, text: people.join('\n') });
    expect(linesDigest(key, 'run/0', { added: lines(added), removed: lines(removed) })).toBe(
      peopleDigest(key, 'run/0', { added, removed }),
    );
    expect(peopleDigest(key, 'run/0', { added, removed })).toBe(
      key.digest('people', ['run/0', added.length, ...added, removed.length, ...removed].join('\n')),
    );
  });

  const documents = [documentOf(0), documentOf(1)];
  const data = {
    ...DATA,
    lists: { documents: 2, digest: digestOfAll(documents.map(({ digest }) => String(digest))) },
  };
  const ofLists = (...entries: [number, ListDocument][]) => ({ data, lists: new Map(entries) });
  const [first, second] = documents as [ListDocument, ListDocument];

  it('are those that it names', () => {
    expect(check(ofLists([0, first], [1, second]))).toMatchObject({ said: [], erased: 0 });
  });

  it.each<[string, ReturnType<typeof ofLists>, string[]]>([
    [
      'one is gone',
      ofLists([0, first]),
      [`missing ${WHERE}/changes/1: a document of the lists is not there`],
    ],
    [
      'one holds others',
      ofLists([0, { ...first, added: ['b'] }], [1, second]),
      [`altered ${WHERE}/changes/0: the people are not those that were written`],
    ],
    [
      'one has no digest',
      ofLists([0, { ...first, digest: null }], [1, second]),
      [`altered ${WHERE}/changes/0: the people are not those that were written`],
    ],
    [
      'they have changed places',
      ofLists([0, second], [1, first]),
      [
        `altered ${WHERE}/changes/0: the people are not those that were written`,
        `altered ${WHERE}/changes/1: the people are not those that were written`,
        `altered ${WHERE}: the lists are not those that the record names`,
      ],
    ],
    [
      'there is one more',
      ofLists([0, first], [1, second], [2, documentOf(2)]),
      [`inserted ${WHERE}/changes/2: the record names fewer documents`],
    ],
  ])('say that %s', (_what, given, said) => {
    expect(check(given).said).toEqual(said);
  });

  it('may be shortened by an erasure, and by nobody else', () => {
    const left = { added: [], removed: first.removed };
    const shortened = shortenedDigest(key, `${ID}/0`, String(first.digest), left);
    expect(check(ofLists([0, { ...first, ...left, shortened }], [1, second]))).toMatchObject({
      said: [],
      erased: 1,
    });
    expect(check(ofLists([0, { ...first, ...left, shortened: 'x' }], [1, second])).said).toHaveLength(1);
  });

  it('are gone with the record’s time, and may be more than it names where its run ended before it named them', () => {
    const expired = { ...data, expireAt: NOW };
    expect(check({ data: expired }).said).toEqual([]);
    for (const more of [{ status: 'running' }, { outcome: 'failed' }])
      expect(check({ data: { ...DATA, ...more }, lists: new Map([[0, first]]) }).said).toEqual([]);
    // Before records had chains nothing named the lists.
    expect(check({ chain: undefined, lists: new Map([[0, first]]) }).said).toEqual([]);
  });
});

describe('a time in a store', () => {
  it('is a Date or what makes one; anything else is none', () => {
    expect(timeOf(NOW)).toBe(NOW.getTime());
    expect(timeOf({ toDate: () => NOW })).toBe(NOW.getTime());
    for (const other of [null, undefined, {}, 'text', 5]) expect(timeOf(other)).toBeNaN();
  });
});
