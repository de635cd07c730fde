import { makeEdits } from './member-edits.ts';
import { countedDelivery } from './ours.ts';
import { makeCounts } from './reference.ts';
import type { Servers } from './servers.ts';

export interface Burst {
  readonly edits: number;
  readonly requests: number;
  readonly ms: number;
}

/** One member types on: so many edits, whose triggers all run at once. */
export const measureBurst = async (servers: Servers, edits: number): Promise<Burst> => {
  const { trackMemberWrite } = await import('../../functions/src/twoway/track.ts');
  const counts = makeCounts();
  const dependencies = countedDelivery(servers, counts);
  // As in a warm process, which has learned what the registry can do.
  dependencies.protocol.learn(true);
  const [kennitala] = servers.kennitalas;
  if (kennitala === undefined) throw new Error('The registry has no member.');
  const emails = Array.from({ length: edits }, (_, n) => `burst.${n}@postur.example`);
  const writes = await makeEdits(servers, kennitala, emails);
  const startedAt = performance.now();
  let waiting = writes;
  // The platform brings again what was not taken.
  while (waiting.length > 0) {
    const taken = await Promise.all(
      waiting.map((write) =>
        trackMemberWrite(write, AbortSignal.timeout(60_000), dependencies).then(
          () => true,
          () => false,
        ),
      ),
    );
    waiting = waiting.filter((_, n) => taken[n] === false);
  }
  return { edits, requests: counts.requests, ms: performance.now() - startedAt };
};
