import { fraction } from '../members/random.ts';

/** How the network between the registry and the function misbehaves. Shares are 0 to 1. */
export interface Mischief {
  /** Share of the events that are never sent. */
  readonly drop: number;
  /** Share that is sent twice, with the same id. */
  readonly duplicate: number;
  /** Share that is held back, so that later events of the same member overtake it. */
  readonly reorder: number;
  /** How long a reordered event is held back. */
  readonly reorder_delay_ms: number;
}

export const NO_MISCHIEF: Mischief = { drop: 0, duplicate: 0, reorder: 0, reorder_delay_ms: 300 };

/** What happens to one event: a function of the seed and its id, so that a run can be repeated. */
export const fateOf = (
  seed: number,
  id: number,
  mischief: Mischief,
): { readonly drop: boolean; readonly duplicate: boolean; readonly holdMs: number } => ({
  drop: fraction(seed, id, 300) < mischief.drop,
  duplicate: fraction(seed, id, 301) < mischief.duplicate,
  holdMs: fraction(seed, id, 302) < mischief.reorder ? mischief.reorder_delay_ms : 0,
});
