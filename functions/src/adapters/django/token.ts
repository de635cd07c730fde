import { SyncError } from '../../lib/errors.ts';

/** Where the registry's token comes from. `drop` forgets a cached one, so that the next `read` asks again. */
export interface TokenSource {
  readonly read: () => Promise<string>;
  readonly drop: () => void;
}

/** A token, and the number of renewals before it was read. */
export interface HeldToken {
  readonly text: string;
  readonly generation: number;
}

export interface TokenKeeper {
  readonly current: () => Promise<HeldToken>;
  /** After a 401 for `refused`: reads the secret again, once for all requests that were sent with that token. */
  readonly renew: (refused: HeldToken) => Promise<HeldToken>;
}

/**
 * Requests that are under way together all meet the same 401. The generation tells a late one that the token has been
 * renewed since it was sent, even when the secret turned out unchanged, so that it does not renew it once more.
 */
export const makeTokenKeeper = (source: TokenSource): TokenKeeper => {
  let generation = 0;
  const current = async (): Promise<HeldToken> => {
    const held = generation;
    return { text: asHeaderText(await source.read()), generation: held };
  };
  return {
    current,
    renew: async (refused) => {
      if (refused.generation === generation) {
        generation += 1;
        source.drop();
      }
      return await current();
    },
  };
};

const asHeaderText = (token: string): string => {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new SyncError(
    'secret_unavailable',
    'The registry token holds characters that no header can carry (a line break or a space?); store it again.',
  );
};
