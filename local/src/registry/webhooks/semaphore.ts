/** Lets so many tasks run at once; the others wait in the order they came. */
export const makeSemaphore = (limit: number): (<T>(task: () => Promise<T>) => Promise<T>) => {
  let free = limit;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      // The place goes straight to the next in line; counting it free in between would let a newcomer past.
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
};
