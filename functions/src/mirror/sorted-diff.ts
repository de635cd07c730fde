/** What has to be added to and removed from `held` to make it `wanted`; both keep their order. */
export interface SortedDiff<T> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  readonly unchanged: number;
}

/**
 * One merge pass over two ascending sequences without repeats: time linear in both, and `held` may be a stream of
 * any length, of which one item is in memory at a time.
 */
export const diffSorted = <T extends string | number>(
  wanted: ArrayLike<T>,
  held: Iterable<T>,
): SortedDiff<T> => {
  const added: T[] = [];
  const removed: T[] = [];
  let unchanged = 0;
  let next = 0;
  for (const item of held) {
    let candidate = wanted[next];
    while (candidate !== undefined && candidate < item) {
      added.push(candidate);
      next += 1;
      candidate = wanted[next];
    }
    if (candidate === item) {
      unchanged += 1;
      next += 1;
    } else {
      removed.push(item);
    }
  }
  for (; next < wanted.length; next += 1) {
    const candidate = wanted[next];
    if (candidate !== undefined) added.push(candidate);
  }
  return { added, removed, unchanged };
};
