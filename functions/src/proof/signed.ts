import { createHash } from 'node:crypto';
import { MIRRORS } from '../mirror/mirror.ts';
import type { PublicKey } from './chain-key.ts';

/*
 * What the public key alone can check. Whoever checks a roll runs this file with Node and nothing else, so it imports
 * nothing that has to be installed.
 */

/**
 * The chains. A mirror's runs under its lease make one each, and its head rides in `sync_state/{mirror}`, which their commits
 * write anyway; what takes no lease has chains of its own, so that it never disturbs a run.
 *
 * aside      runs without a lease: dry runs, skipped runs
 * operators  `operator_actions`
 * sweeps     `sync_logs`
 */
export const STREAMS = [...MIRRORS, 'aside', 'operators', 'sweeps'] as const;
export type Stream = (typeof STREAMS)[number];

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
    const fields: string[] = [];
    for (const key of Object.keys(value).sort()) {
      const held = (value as Record<string, unknown>)[key];
      if (held !== undefined) fields.push(`${JSON.stringify(key)}:${canonicalText(held)}`);
    }
    return `{${fields.join(',')}}`;
  }
  throw new TypeError(`A record cannot hold a ${typeof value}.`);
};

export const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A chain's head as it stands where there is no room for the whole link: in a list's metadata, in a receipt. */
export interface SignedHead {
  readonly stream: Stream;
  readonly number: number;
  readonly hash: string;
  /** The id of the key that signed. */
  readonly key: string;
  readonly signature: string;
}

/** Nothing else is signed with this beginning. */
export const signedText = ({
  stream,
  number,
  hash,
}: Pick<SignedHead, 'stream' | 'number' | 'hash'>): string =>
  `membership-sync chain 1\n${stream}\n${number}\n${hash}`;

export type Authenticity = 'authentic' | 'altered' | 'unknown-key' | 'forged';

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
