/** `1 member`, `2 members`: a number with its noun, for messages that people read. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
