import { sha256Of } from './chain.ts';
import type { ChainKey } from './chain-key.ts';

/** One document of a run's lists. */
export interface ListedPeople {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

type Digests = Pick<ChainKey, 'digest'>;

/** The keyed digest of one document: who has no key learns nothing of the people from it, not even by trying numbers. */
export const peopleDigest = (key: Digests, place: string, people: ListedPeople): string =>
  key.digest('people', textOf(place, people));

/** What an erasure writes beside the document's digest: that what is left is what was there without those it took out. */
export const shortenedDigest = (key: Digests, place: string, digest: string, left: ListedPeople): string =>
  key.digest('shortened', `${digest}\n${textOf(place, left)}`);

export const digestOfAll = (digests: readonly string[]): string => sha256Of(digests.join('\n'));

const textOf = (place: string, { added, removed }: ListedPeople): string =>
  [place, added.length, ...added, removed.length, ...removed].join('\n');

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
