import { describe, expect, it } from 'vitest';
import { makeSigningKey } from '../../../local/src/secrets.ts';
import { type Link, makeLink, STREAMS, type Stream, toSignedHead } from '../../src/proof/chain.ts';
import { keysById, parseChainKey } from '../../src/proof/chain-key.ts';
import { type HeadsRead, makeChainCheck } from '../../src/proof/check-chains.ts';

const key = parseChainKey('chain-signing-key', makeSigningKey());
const stranger = parseChainKey('chain-signing-key', makeSigningKey());
const NOW = new Date('2026-11-20T12:00:00Z');
const KEPT = new Date('2027-11-20T12:00:00Z');
const EXPIRED = new Date('2026-11-20T11:59:59Z');

/** A chain of the roster: one link a record, each of which expires as said. */
const chainOf = (expiries: readonly Date[], others?: Link['others'], signer = key): Link[] => {
  const links: Link[] = [];
  for (const [n, expireAt] of expiries.entries()) {
    const link = {
      stream: 'roster',
      kind: 'closed',
      collection: 'sync_audit',
      record: `run-${n + 1}`,
      expireAt,
      data: { n },
      texts: [],
      ...(others && { others }),
    } as const;
    links.push(makeLink(links.at(-1) ?? null, link, signer));
  }
  return links;
};

const none: HeadsRead = { before: undefined, after: undefined };
const check = (
  links: readonly Link[],
  head: unknown = links.at(-1),
  tell?: (chains: ReturnType<typeof makeChainCheck>) => void,
) => {
  const chains = makeChainCheck(keysById([key]), NOW);
  for (const link of links) {
    chains.take(`sync_audit/${link.record}`, { findings: [], links: [link], strangers: [], erased: 0 });
  }
  tell?.(chains);
  const heads = Object.fromEntries(STREAMS.map((stream) => [stream, none])) as Record<Stream, HeadsRead>;
  const { findings, streams } = chains.finish({ ...heads, roster: { before: head, after: head } });
  return {
    said: findings.map(({ kind, where, why }) => `${kind} ${where}: ${why}`),
    roster: streams.find(({ stream }) => stream === 'roster'),
  };
};

const whole = chainOf([KEPT, KEPT, KEPT, KEPT]);
const [first, second, third, fourth] = whole as [Link, Link, Link, Link];

describe('a chain', () => {
  it('is whole in any order', () => {
    expect(check(whole).said).toEqual([]);
    expect(check(whole.toReversed(), fourth)).toMatchObject({
      said: [],
      roster: { links: 4, first: { number: 1, after: null }, head: { number: 4 } },
    });
    expect(check([])).toMatchObject({ said: [], roster: { links: 0, first: null, head: null } });
  });

  it.each<[what: string, links: Link[], head: unknown, said: string[]]>([
    [
      'without its first record',
      [second, third, fourth],
      fourth,
      ['missing sync_audit/run-1: link 1 of the chain is gone'],
    ],
    [
      'without two of its records',
      [first, fourth],
      fourth,
      ['missing sync_audit/run-3: links 2 to 3 of the chain are gone'],
    ],
    [
      'without its last record',
      [first, second, third],
      fourth,
      ['missing sync_audit/run-4: the last of the chain is gone'],
    ],
    ['without its head', whole, null, ['missing sync_state/roster: the chain has no head']],
    ['whose head was set back', whole, second, ['altered sync_state/roster: the chain goes on to 4']],
    [
      'whose head is of another chain',
      whole,
      chainOf([KEPT, KEPT, KEPT, EXPIRED]).at(-1),
      ['altered sync_state/roster: the head is none of the chain'],
    ],
    [
      'whose head a stranger signed',
      [],
      chainOf([EXPIRED], undefined, stranger).at(-1),
      ['unproven sync_state/roster: nobody in force signed the head'],
    ],
    [
      'whose head was altered',
      [],
      { ...chainOf([EXPIRED])[0], body: 'x' },
      ['altered sync_state/roster: nobody in force signed the head'],
    ],
    [
      'with two records in one place',
      [...whole, { ...third, hash: 'x', record: 'other' }],
      fourth,
      ['inserted sync_audit/other: sync_audit/run-3 has the same place in the chain'],
    ],
    [
      'of which one does not follow the one before',
      [first, { ...second, after: null }, third, fourth],
      fourth,
      ['altered sync_audit/run-2: it does not follow sync_audit/run-1'],
    ],
  ])('%s is no whole one', (_what, links, head, said) => {
    expect(check(links, head).said).toEqual(said);
  });

  it('may lack what has expired, at its beginning, in its middle and at its end', () => {
    const expired = chainOf([EXPIRED, KEPT, EXPIRED, KEPT]);
    expect(check(expired.slice(1), expired[3]).said).toEqual([]);
    expect(
      check(
        expired.filter((_, n) => n !== 2),
        expired[3],
      ).said,
    ).toEqual([]);
    expect(check([], chainOf([EXPIRED])[0]).said).toEqual([]);
  });

  it('may have been written on while it was read', () => {
    const read = [first, fourth];
    const chains = makeChainCheck(keysById([key]), NOW);
    for (const link of read)
      chains.take(link.record, { findings: [], links: [link], strangers: [], erased: 0 });
    const heads = Object.fromEntries(STREAMS.map((stream) => [stream, none])) as Record<Stream, HeadsRead>;
    expect(chains.finish({ ...heads, roster: { before: first, after: fourth } }).findings).toEqual([]);
  });
});

describe('what a list or another chain remembers', () => {
  const remember = (head: Link) => (chains: ReturnType<typeof makeChainCheck>) =>
    chains.remember(toSignedHead(head), 'a list');

  it('is in the chain', () => {
    expect(check(whole, fourth, remember(second)).said).toEqual([]);
  });

  it.each<[what: string, head: Link, said: string[]]>([
    [
      'a link beyond the chain’s end: the chain was cut off',
      chainOf(Array(6).fill(KEPT)).at(-1) as Link,
      ['missing sync_state/roster: a list remembers this link; the chain ends at 4'],
    ],
    [
      'another link in this place: the chain was made anew',
      chainOf([KEPT, EXPIRED])[1] as Link,
      ['altered sync_audit/run-2: a list remembers another record in this place'],
    ],
    [
      'a head that a stranger signed',
      chainOf([KEPT], undefined, stranger)[0] as Link,
      [`unproven a list: it remembers a head that the key ${stranger.id} signed`],
    ],
    [
      'a head that nobody signed',
      { ...second, number: 3 },
      ['altered a list: it remembers a head that nobody signed'],
    ],
  ])('%s', (_what, head, said) => {
    expect(check(whole, fourth, remember(head)).said).toEqual(said);
  });

  it('is told once, whoever remembers it', () => {
    const missing = { number: 9, hash: 'x' };
    const links = chainOf([KEPT, KEPT], { roster: missing });
    expect(check(links).said).toEqual([
      'missing sync_state/roster: sync_audit/run-1 remembers this link; the chain ends at 2',
    ]);
  });
});

describe('a record that carries another’s link', () => {
  const stray = (link: Link) => (chains: ReturnType<typeof makeChainCheck>) =>
    chains.take('sync_audit/x', { findings: [], links: [], strangers: [link], erased: 0 });

  it('was moved where its own place is empty, which then is no hole', () => {
    expect(check([first, third, fourth], fourth, stray(second)).said).toEqual([
      'reordered sync_audit/x: this is the record run-2',
    ]);
  });

  it('is a copy where the place is taken', () => {
    expect(check(whole, fourth, stray(second)).said).toEqual([
      'inserted sync_audit/x: this is the record run-2',
    ]);
  });
});
