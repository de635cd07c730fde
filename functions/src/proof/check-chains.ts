import {
  collectionOf,
  judgeHead,
  judgeLink,
  type Link,
  type SignedHead,
  STREAMS,
  type Stream,
  tryLink,
} from './chain.ts';
import type { CheckedRecord, Finding, FindingKind, Keys } from './check-record.ts';

/** A link that a second place remembers: another chain, or the metadata of a list. */
export interface Remembered extends Pick<SignedHead, 'stream' | 'number' | 'hash'> {
  /** For people: what remembers it. */
  readonly by: string;
}

export interface CheckedStream {
  readonly stream: Stream;
  readonly links: number;
  /** The first that is still there, and where its chain was cut by what expired; null for an empty one. */
  readonly first: { readonly number: number; readonly after: string | null } | null;
  readonly head: SignedHead | null;
}

/** The field `chain` of `sync_state/{stream}` as it stood before the records were read, and afterwards. */
export interface HeadsRead {
  readonly before: unknown;
  readonly after: unknown;
}

/** All that a walk has to keep of a link: a year has some fifty thousand. */
interface Node extends Pick<Link, 'number' | 'hash' | 'after'> {
  readonly where: string;
}

/**
 * Collects the links of all records, in any order, and then says whether they make whole chains. What may have expired is no
 * finding: each link says when the record before it does, and records of one chain expire in its order.
 */
export const makeChainCheck = (keys: Keys, now: Date) => {
  const nodes = new Map<Stream, Map<number, Node[]>>(STREAMS.map((stream) => [stream, new Map()]));
  const findings: Finding[] = [];
  const remembered: Remembered[] = [];
  const strangers: { readonly where: string; readonly link: Link }[] = [];
  const find = (kind: FindingKind, where: string, stream: Stream, number: number, why: string): void => {
    findings.push({ kind, where, link: { stream, number }, why });
  };

  const take = (where: string, { links, strangers: others }: CheckedRecord): void => {
    for (const link of others) strangers.push({ where, link });
    for (const { stream, number, hash, after, others: heads } of links) {
      const known = nodes.get(stream);
      known?.set(number, [...(known.get(number) ?? []), { number, hash, after, where }]);
      for (const [name, head] of Object.entries(heads)) {
        remembered.push({ ...head, stream: name as Stream, by: where });
      }
    }
  };

  const remember = (head: SignedHead, by: string): void => {
    const judged = judgeHead(head, keys);
    if (judged === 'authentic') remembered.push({ ...head, by });
    else if (judged === 'unknown-key') {
      find('unproven', by, head.stream, head.number, `it remembers a head that the key ${head.key} signed`);
    } else find('altered', by, head.stream, head.number, 'it remembers a head that nobody signed');
  };

  const isOver = (expireAt: string): boolean => Date.parse(expireAt) <= now.getTime();

  const checkHole = (stream: Stream, from: number, next: Node): void => {
    if (next.after === null || isOver(next.after.expireAt)) return;
    const count = next.number - from;
    const lost = count === 1 ? `link ${from}` : `links ${from} to ${next.number - 1}`;
    find(
      'missing',
      `${collectionOf(stream)}/${next.after.record}`,
      stream,
      next.number - 1,
      `${lost} of the chain ${isAre(count)} gone`,
    );
  };

  const checkStream = (stream: Stream, { before: stored, after }: HeadsRead): CheckedStream => {
    const byNumber = nodes.get(stream) ?? new Map<number, Node[]>();
    const numbers = [...byNumber.keys()].toSorted((one, other) => one - other);
    const head = tryLink(stored);
    const end = tryLink(after);
    let before: Node | null = null;
    for (const number of numbers) {
      const [node, ...more] = byNumber.get(number) ?? [];
      if (node === undefined) continue;
      for (const other of more) {
        find('inserted', other.where, stream, number, `${node.where} has the same place in the chain`);
      }
      if (number > (before?.number ?? 0) + 1) {
        // Written while the records were read: those before it may have been read without their newest links.
        if (number <= (head?.number ?? 0) + 1) checkHole(stream, (before?.number ?? 0) + 1, node);
      } else if ((node.after?.hash ?? null) !== (before?.hash ?? null)) {
        find('altered', node.where, stream, number, `it does not follow ${before?.where ?? 'nothing'}`);
      }
      before = node;
    }
    const last = numbers.at(-1) ?? 0;
    const place = `sync_state/${stream}`;
    if (end === null) {
      if (last > 0) find('missing', place, stream, last, 'the chain has no head');
    } else if (end.number < last) find('altered', place, stream, end.number, `the chain goes on to ${last}`);
    if (head !== null) {
      if (judgeLink(head, keys) !== 'authentic') {
        find(
          keys.has(head.key) ? 'altered' : 'unproven',
          place,
          stream,
          head.number,
          'nobody in force signed the head',
        );
      }
      if (head.number > last && !isOver(head.expireAt)) {
        find(
          'missing',
          `${head.collection}/${head.record}`,
          stream,
          head.number,
          'the last of the chain is gone',
        );
      }
      const same = byNumber.get(head.number);
      if (same?.every(({ hash }) => hash !== head.hash)) {
        find('altered', place, stream, head.number, 'the head is none of the chain');
      }
    }
    const [firstNumber] = numbers;
    const first = firstNumber === undefined ? undefined : byNumber.get(firstNumber)?.[0];
    return {
      stream,
      links: numbers.length,
      first: first === undefined ? null : { number: first.number, after: first.after?.hash ?? null },
      head: end,
    };
  };

  const checkRemembered = (ends: ReadonlyMap<Stream, CheckedStream>): void => {
    const told = new Set<string>();
    for (const { stream, number, hash, by } of remembered) {
      const key = `${stream} ${number} ${hash}`;
      if (told.has(key)) continue;
      told.add(key);
      const found = nodes.get(stream)?.get(number);
      const end = ends.get(stream);
      const last = Math.max(
        end?.links === 0 ? 0 : Math.max(...(nodes.get(stream)?.keys() ?? [0])),
        end?.head?.number ?? 0,
      );
      if (found?.every((node) => node.hash !== hash)) {
        const [node] = found;
        find(
          'altered',
          node?.where ?? stream,
          stream,
          number,
          `${by} remembers another record in this place`,
        );
      } else if (found === undefined && number > last) {
        find(
          'missing',
          `sync_state/${stream}`,
          stream,
          number,
          `${by} remembers this link; the chain ends at ${last}`,
        );
      }
    }
  };

  const finish = (heads: Readonly<Record<Stream, HeadsRead>>) => {
    for (const { where, link } of strangers) {
      const place = nodes.get(link.stream)?.get(link.number);
      find(
        place === undefined ? 'reordered' : 'inserted',
        where,
        link.stream,
        link.number,
        `this is the record ${link.record}`,
      );
      // It is there, though in another's place: no hole.
      if (place === undefined) take(where, { findings: [], links: [link], strangers: [], erased: 0 });
    }
    const streams = STREAMS.map((stream) => checkStream(stream, heads[stream]));
    checkRemembered(new Map(streams.map((checked) => [checked.stream, checked])));
    return { findings, streams };
  };

  return { take, remember, finish };
};

const isAre = (count: number): string => (count === 1 ? 'is' : 'are');
