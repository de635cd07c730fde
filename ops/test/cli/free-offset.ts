import { assertPortsFree, portsWithOffset } from '../../../local/src/ports.ts';

/** A `--port-offset` whose ports are all free now, below those that the system hands out by itself. */
export const findFreeOffset = async (): Promise<number> => {
  for (let tries = 0; ; tries += 1) {
    const offset = 1_000 + Math.floor(Math.random() * 22_000);
    try {
      await assertPortsFree(portsWithOffset(offset));
      return offset;
    } catch (cause) {
      if (tries === 50) throw cause;
    }
  }
};
