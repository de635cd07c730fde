import type { Claimed } from './delivery.ts';

/**
 * settled   some paths have ended; `next` is what is left of the delivery, still claimed
 * again     the registry's answer is out of date, or is answered with another change: send `next`
 * read      the portal knows of something later: the registry has to be read first
 * waiting   an earlier edit may still arrive: the try is given back until then
 * lost      the claim has expired and somebody else has taken over
 */
export type SettleOutcome =
  | {
      readonly kind: 'settled';
      readonly outcome: 'synced' | 'failed' | 'conflict';
      readonly next: Claimed | null;
      readonly hasMore: boolean;
    }
  | { readonly kind: 'again'; readonly next: Claimed }
  | { readonly kind: 'read' }
  | { readonly kind: 'waiting'; readonly until: Date }
  | { readonly kind: 'lost' };
