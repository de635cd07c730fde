import type { RunMeasured } from '../lib/contender.ts';
import { spawnContender } from '../lib/spawn-contender.ts';

/** Runs the module's default export once in a process of its own, whose peak memory it answers. */
export const runAlone = async (
  module: 'reconcile-ours' | 'reconcile-reference',
  env: Readonly<Record<string, string>>,
): Promise<RunMeasured> => {
  const url = new URL(`./${module}.ts`, import.meta.url);
  const contender = await spawnContender(url, env, { semiSpaceMib: 2 });
  try {
    return await contender.run();
  } finally {
    await contender.close();
  }
};
