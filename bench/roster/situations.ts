import type { Servers } from './servers.ts';

/** What a run finds in the bucket. */
export type Situation = 'first' | 'unchanged' | 'changed';

/** Puts the stores into that situation, given the list that the registry will send. */
export const prepare = async (
  situation: Situation,
  servers: Servers,
  wanted: readonly string[],
): Promise<void> => {
  await servers.clear();
  if (situation === 'unchanged') await servers.publish(textOf(wanted));
  if (situation === 'changed') await servers.publish(textOf(withOnePercentChanged(wanted)));
};

export const textOf = (kennitalas: readonly string[]): string => `${kennitalas.join('\n')}\n`;

/** Every 200th member is missing from the published list, and every 200th other one there is nobody's number. */
const withOnePercentChanged = (wanted: readonly string[]): string[] => {
  const held = wanted.filter((_, n) => n % 200 !== 0);
  const strangers = held.filter((_, n) => n % 200 === 100).map((kennitala) => `89${kennitala.slice(2)}`);
  return [...new Set([...held, ...strangers])].sort();
};
