import type { Kennitala } from '../../../src/domain/kennitala.ts';
import type { HintStore, MemberStore } from '../../../src/portal/ports.ts';
import { makeMemoryHintStore } from '../../contract/memory-hint-store.ts';
import { makeMemoryMemberStore } from '../../contract/memory-member-store.ts';
import { makePortalMemory, type PortalMemory } from '../../contract/portal-memory.ts';
import type { ModelRegistry } from './model-registry.ts';

/** The portal's stores in memory, and what they tell of the roster. */
export interface ModelPortal {
  readonly memory: PortalMemory;
  readonly store: MemberStore;
  readonly hints: HintStore;
  /** New hints whose events have not been delivered. */
  readonly hinted: { readonly kennitala: Kennitala; readonly token: string }[];
  readonly requestRoster: () => void;
  /** Somebody joined or left by a webhook, and nothing has asked for a new roster since they did in the registry. */
  isRosterStale(): boolean;
}

export const makeModelPortal = (
  registry: ModelRegistry,
  distort: (store: MemberStore) => MemberStore,
): ModelPortal => {
  const memory = makePortalMemory();
  const store = distort(makeMemoryMemberStore(memory));
  const hinted: { readonly kennitala: Kennitala; readonly token: string }[] = [];
  // Numbers of the registry's changes: the roster is made of what the registry holds when it is asked for.
  let seen = 0;
  let requested = 0;
  const isActive = (kennitala: Kennitala): boolean =>
    memory.see(kennitala).stored?.member.membership.status === 'active';

  return {
    memory,
    hints: makeMemoryHintStore(memory, (kennitala, token) => hinted.push({ kennitala, token })),
    hinted,
    store: {
      read: store.read,
      applyChange: async (request) => {
        const before = isActive(request.kennitala);
        const outcome = await store.applyChange(request);
        if (isActive(request.kennitala) !== before) {
          seen = Math.max(seen, registry.membershipChange(request.kennitala));
        }
        return outcome;
      },
    },
    requestRoster: () => {
      requested = registry.changes;
    },
    isRosterStale: () => seen > requested,
  };
};
