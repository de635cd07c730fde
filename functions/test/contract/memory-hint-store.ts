import type { Kennitala } from '../../src/domain/kennitala.ts';
import type { HintStore } from '../../src/portal/ports.ts';
import type { PortalMemory } from './portal-memory.ts';

/** The hints in memory. `onKept` is told of each new one, as its document's trigger is. */
export const makeMemoryHintStore = (
  memory: PortalMemory,
  onKept: (kennitala: Kennitala, token: string) => void = () => undefined,
): HintStore => ({
  keep: async ({ kennitala, action, payload, token, at, eventId, member }) => {
    if (eventId !== null && memory.receipts.has(eventId)) return 'duplicate';
    if (eventId !== null)
      memory.receipts.set(eventId, { result: 'accepted', action, member, changesRoster: false });
    const before = memory.hints.get(kennitala);
    memory.hints.set(kennitala, {
      token,
      announced: new Set([...(before?.announced ?? []), action]),
      payload: payload ?? before?.payload ?? null,
      receivedAt: at,
      lastAt: at,
      isGivenUp: false,
    });
    onKept(kennitala, token);
    return 'accepted';
  },
  read: async (kennitala) => {
    const hint = memory.hints.get(kennitala);
    if (hint === undefined || hint.isGivenUp) return null;
    const { token, announced, payload, receivedAt } = hint;
    return { token, announced, payload, receivedAt };
  },
  giveUp: async (kennitala, token) => {
    const hint = memory.hints.get(kennitala);
    if (hint?.token !== token) return;
    memory.hints.set(kennitala, { ...hint, announced: new Set(), payload: null, isGivenUp: true });
  },
  forgetBefore: async (time) => {
    let unconfirmed = 0;
    for (const [kennitala, { lastAt, isGivenUp }] of memory.hints) {
      if (lastAt >= time) continue;
      memory.hints.delete(kennitala);
      if (isGivenUp) unconfirmed += 1;
    }
    return unconfirmed;
  },
});
