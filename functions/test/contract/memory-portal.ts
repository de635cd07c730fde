import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { PortalIndex, PortalWriter, WriteResult } from '../../src/portal/ports.ts';
import type { PortalMemory } from './portal-memory.ts';

/** How a call to the store is made: at once, unless a test lets others come between. */
export type MakeCall = <T>(effect: () => T) => Promise<T>;

const atOnce: MakeCall = async (effect) => effect();

/** Each document is read by a call of its own. */
export const makeMemoryPortalIndex = (memory: PortalMemory, call: MakeCall = atOnce): PortalIndex => ({
  async *documents({ signal }) {
    for (const kennitala of memory.kennitalas()) {
      assertNotAborted(signal);
      const { stored, state } = await call(() => memory.see(kennitala));
      if (stored !== null) yield { kennitala, stored, state };
    }
  },
  read: (kennitalas) =>
    call(() => new Map(kennitalas.map((kennitala) => [kennitala, toDecide(memory, kennitala)]))),
  former: (members) =>
    call(
      () =>
        new Map(
          members
            .map(({ kennitala, djangoId }) => [kennitala, memory.former(kennitala, djangoId)] as const)
            .filter(([, withdrawn]) => Object.keys(withdrawn).length > 0),
        ),
    ),
});

const toDecide = (memory: PortalMemory, kennitala: Kennitala) => {
  const pending = memory.pending(kennitala);
  return { ...memory.see(kennitala), pending };
};

/** Each write is a call of its own. */
export const makeMemoryPortalWriter = (memory: PortalMemory, call: MakeCall = atOnce): PortalWriter => ({
  write: async (writes, { at, signal, onSettled }) => {
    for await (const write of writes) {
      if (signal.aborted) return;
      const { kennitala, member, meta, ifState } = write;
      const result = await call((): WriteResult => {
        if (memory.see(kennitala).state !== ifState) return 'overtaken';
        memory.put(kennitala, member, meta, at);
        return 'written';
      });
      onSettled(write, result);
    }
  },
});

const assertNotAborted = (signal: AbortSignal): void => {
  if (signal.aborted) throw new SyncError('deadline_exceeded', 'The time for reading is up.');
};
