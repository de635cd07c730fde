import { z } from 'zod';
import type { Lines } from '../domain/kennitala-list.ts';
import type { ChainKey, PublicKey } from './chain-key.ts';
import {
  type Authenticity,
  canonicalText,
  judgeHead,
  type SignedHead,
  STREAMS,
  type Stream,
  sha256Of,
  signedText,
} from './signed.ts';

export * from './signed.ts';

export const CHAINED_COLLECTIONS = ['sync_audit', 'operator_actions', 'sync_logs'] as const;
export type ChainedCollection = (typeof CHAINED_COLLECTIONS)[number];

/** Whose records a chain has. */
export const collectionOf = (stream: Stream): ChainedCollection => {
  if (stream === 'operators') return 'operator_actions';
  return stream === 'sweeps' ? 'sync_logs' : 'sync_audit';
};

/**
 * Every write of a record adds a link, in the commit that writes it. A link covers the whole record as it is written, so the
 * last one of a record speaks for it; earlier ones keep their numbers, so that a record that disappears leaves a hole.
 *
 * opened     a run's or sweep's record, before anything is written elsewhere
 * planned    with the plan and its lists, before it is applied
 * closed     the record as it stays; also of what is written once
 * abandoned  another run closed it without reading it: covers the fields that it wrote, the link before covers the rest
 */
export const linkShape = z.strictObject({
  stream: z.enum(STREAMS),
  /** From 1, without gaps. */
  number: z.int().positive(),
  kind: z.enum(['opened', 'planned', 'closed', 'abandoned']),
  collection: z.enum(CHAINED_COLLECTIONS),
  record: z.string(),
  /** When this record may expire, ISO 8601. */
  expireAt: z.string(),
  /** The link before: its hash, whose it was, and when that record expires, so that a hole shows whether it may be one. */
  after: z.strictObject({ hash: z.string(), record: z.string(), expireAt: z.string() }).nullable(),
  /** SHA-256 of the record's canonical text. */
  body: z.string(),
  /** Keyed digests of what operators typed, which stand in the body's place of the texts: erasing one breaks nothing. */
  texts: z.record(z.string(), z.string()),
  /** The heads of the other chains when a run began: who shortens one of them has to shorten all. */
  others: z.partialRecord(z.enum(STREAMS), z.strictObject({ number: z.int(), hash: z.string() })),
  /** The id of the key that signed, and that made the digests. */
  key: z.string(),
  /** SHA-256 of the canonical text of all of the above. */
  hash: z.string(),
  /** Ed25519 over the hash, base64url. */
  signature: z.string(),
});
export type Link = z.infer<typeof linkShape>;
export type LinkKind = Link['kind'];

/**
 * A link as its record holds it: one text, since Firestore's client makes several objects of each value, and a run writes its
 * links again and again. The head of a chain stands in `sync_state` field by field.
 */
export const toLinkText = (link: Link): string => canonicalText(link);

/** Either form. Null for anything that is no link, so that a damaged one is found and stops no run. */
export const tryLink = (value: unknown): Link | null =>
  linkShape.safeParse(typeof value === 'string' ? tryJson(value) : value).data ?? null;

const tryJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

type Data = Readonly<Record<string, unknown>>;

/** Fields that stand beside the record and are none of it. */
const BESIDE = new Set(['chain', 'erased']);

/** SHA-256 of a record, with the digests of its texts in the places of the texts. */
export const bodyOf = (data: Data, texts: Readonly<Record<string, string>>): string =>
  sha256Of(
    canonicalText({
      ...Object.fromEntries(Object.entries(data).filter(([field]) => !BESIDE.has(field))),
      ...texts,
    }),
  );

/** The keyed digest of a text of one record: the same text elsewhere has another. */
export const textDigest = (key: Pick<ChainKey, 'digest'>, record: string, field: string, text: string) =>
  key.digest('text', `${record}\n${field}\n${text}`);

/** What an erasure leaves beside a text that it took out: only who has the key can make it. */
export const erasedMark = (key: Pick<ChainKey, 'digest'>, record: string, field: string): string =>
  key.digest('erased', `${record}\n${field}`);

export interface NewLink {
  readonly stream: Stream;
  readonly kind: LinkKind;
  readonly collection: ChainedCollection;
  readonly record: string;
  readonly expireAt: Date;
  /** As it is written: all of the record, or for `abandoned` the fields that are set. */
  readonly data: Data;
  /** Fields of `data` with what operators typed. */
  readonly texts: readonly string[];
  readonly others?: Link['others'];
}

/**
 * The link that follows `head`. Where the head is this very link, since the answer to our own commit was lost, it is that
 * one: a repetition makes no second.
 */
export const makeLink = (head: Link | null, link: NewLink, key: ChainKey): Link => {
  const texts = Object.fromEntries(
    link.texts.flatMap((field) => {
      const text = link.data[field];
      return typeof text === 'string' ? [[field, textDigest(key, link.record, field, text)]] : [];
    }),
  );
  const body = bodyOf(link.data, texts);
  const isHead =
    head !== null &&
    head.record === link.record &&
    head.collection === link.collection &&
    head.kind === link.kind &&
    head.body === body;
  if (isHead) return head;
  const unsigned = {
    stream: link.stream,
    number: (head?.number ?? 0) + 1,
    kind: link.kind,
    collection: link.collection,
    record: link.record,
    expireAt: link.expireAt.toISOString(),
    after: head === null ? null : { hash: head.hash, record: head.record, expireAt: head.expireAt },
    body,
    texts,
    others: link.others ?? {},
    key: key.id,
  };
  const hash = sha256Of(canonicalText(unsigned));
  return { ...unsigned, hash, signature: key.sign(signedText({ ...unsigned, hash })) };
};

/** Whether a link is as one who has the key made it. */
export const judgeLink = (link: Link, keys: ReadonlyMap<string, PublicKey>): Authenticity => {
  const { hash, signature, ...unsigned } = link;
  if (sha256Of(canonicalText(unsigned)) !== hash) return 'altered';
  return judgeHead({ ...unsigned, hash, signature }, keys);
};

export const toHeadText = ({ stream, number, hash, key, signature }: SignedHead): string =>
  [stream, number, hash, key, signature].join(' ');

const headShape = z.tuple([
  z.enum(STREAMS),
  z.coerce.number().int().positive(),
  z.string().regex(/^[0-9a-f]{64}$/),
  z.string().min(1),
  z.string().min(1),
]);

export const tryHeadText = (text: string): SignedHead | null => {
  const read = headShape.safeParse(text.split(' '));
  if (!read.success) return null;
  const [stream, number, hash, key, signature] = read.data;
  return { stream, number, hash, key, signature };
};

/** One document of a run's lists. */
export interface ListedPeople {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface ListedLines {
  readonly added: Lines;
  readonly removed: Lines;
}

type Digests = Pick<ChainKey, 'digest'>;

/** The keyed digest of one document: who has no key learns nothing of the people from it, not even by trying numbers. */
export const peopleDigest = (key: Digests, place: string, people: ListedPeople): string =>
  key.digest('people', peopleText(place, people));

/** The same of people who are one text already. */
export const linesDigest = (key: Digests, place: string, lines: ListedLines): string =>
  key.digest('people', linesText(place, lines));

/** What an erasure writes beside the document's digest: that what is left is what was there without those it took out. */
export const shortenedDigest = (key: Digests, place: string, digest: string, left: ListedPeople): string =>
  key.digest('shortened', `${digest}\n${peopleText(place, left)}`);

export const digestOfAll = (digests: readonly string[]): string => sha256Of(digests.join('\n'));

const peopleText = (place: string, { added, removed }: ListedPeople): string => {
  const lines = (people: readonly string[]): Lines => ({ count: people.length, text: people.join('\n') });
  return linesText(place, { added: lines(added), removed: lines(removed) });
};

const linesText = (place: string, { added, removed }: ListedLines): string =>
  [place, ...[added, removed].flatMap(({ count, text }) => (count === 0 ? [count] : [count, text]))].join(
    '\n',
  );

export interface ListDocument extends ListedPeople {
  readonly digest: string | null;
  /** After an erasure. */
  readonly shortened: string | null;
}

/**
 * `whole`: the people that were written. `shortened`: an erasure took some out, and nobody changed it otherwise. `altered`.
 */
export const judgePeople = (
  key: Digests,
  place: string,
  document: ListDocument,
): 'whole' | 'shortened' | 'altered' => {
  const { digest, shortened } = document;
  if (digest === null) return 'altered';
  if (shortened !== null) {
    return shortened === shortenedDigest(key, place, digest, document) ? 'shortened' : 'altered';
  }
  return digest === peopleDigest(key, place, document) ? 'whole' : 'altered';
};
