import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ChainKey, PublicKey } from './chain-key.ts';

/**
 * The chains. A mirror's runs under its lease make one each, and its head rides in `sync_state/{mirror}`, which their commits
 * write anyway; what takes no lease has chains of its own, so that it never disturbs a run.
 *
 * aside      runs without a lease: dry runs, skipped runs
 * operators  `operator_actions`
 * sweeps     `sync_logs`
 */
export const STREAMS = ['roster', 'portal', 'register', 'aside', 'operators', 'sweeps'] as const;
export type Stream = (typeof STREAMS)[number];

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

/** Null for anything that is no link, so that a damaged one is found and stops no run. */
export const tryLink = (value: unknown): Link | null => linkShape.safeParse(value).data ?? null;

/**
 * One text for one value: JSON with sorted keys, without what is undefined, times (Date, or a store's own that has `toDate`)
 * as ISO 8601. @throws TypeError for what no record holds (functions, NaN).
 */
export const canonicalText = (value: unknown): string => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value === 'object') {
    const time = value instanceof Date ? value : 'toDate' in value ? (value.toDate as () => Date)() : null;
    if (time !== null) return `{"$time":${JSON.stringify(time.toISOString())}}`;
    const entries = Object.entries(value)
      .filter(([, held]) => held !== undefined)
      .toSorted(([one], [other]) => (one < other ? -1 : 1));
    return `{${entries.map(([key, held]) => `${JSON.stringify(key)}:${canonicalText(held)}`).join(',')}}`;
  }
  throw new TypeError(`A record cannot hold a ${typeof value}.`);
};

export const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

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
 * The link that follows `head`. Where the head is this very link, since the answer to our own commit was lost, it is that one:
 * a repetition makes no second.
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

/** Nothing else is signed with this beginning. */
const signedText = ({ stream, number, hash }: Pick<Link, 'stream' | 'number' | 'hash'>): string =>
  `membership-sync chain 1\n${stream}\n${number}\n${hash}`;

export type Authenticity = 'authentic' | 'altered' | 'unknown-key' | 'forged';

/** Whether a link is as one who has the key made it. */
export const judgeLink = (link: Link, keys: ReadonlyMap<string, PublicKey>): Authenticity => {
  const { hash, signature, ...unsigned } = link;
  if (sha256Of(canonicalText(unsigned)) !== hash) return 'altered';
  return judgeHead({ ...unsigned, hash, signature }, keys);
};

/** A chain's head as it stands where there is no room for the whole link: in a list's metadata, in a receipt. */
export type SignedHead = Pick<Link, 'stream' | 'number' | 'hash' | 'key' | 'signature'>;

export const toSignedHead = ({ stream, number, hash, key, signature }: SignedHead): SignedHead => ({
  stream,
  number,
  hash,
  key,
  signature,
});

export const judgeHead = (
  head: SignedHead,
  keys: ReadonlyMap<string, PublicKey>,
): Exclude<Authenticity, 'altered'> => {
  const known = keys.get(head.key);
  if (known === undefined) return 'unknown-key';
  return known.verifies(signedText(head), head.signature) ? 'authentic' : 'forged';
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
