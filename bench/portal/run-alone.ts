import { bundle } from '../lib/bundle.ts';
import type { RunMeasured } from '../lib/contender.ts';
import { spawnContender } from '../lib/spawn-contender.ts';

/** Both contenders, bundled. */
export const bundleContenders = async () => ({
  ours: await bundle(new URL('./reconcile-ours.ts', import.meta.url)),
  reference: await bundle(new URL('./reconcile-reference.ts', import.meta.url)),
});

/** Runs the module's default export once in a process of its own, whose peak memory it answers. */
export const runAlone = async (module: URL, env: Readonly<Record<string, string>>): Promise<RunMeasured> => {
  const contender = await spawnContender(module, env, { semiSpaceMib: 2 });
  try {
    return await contender.run();
  } finally {
    await contender.close();
  }
};
