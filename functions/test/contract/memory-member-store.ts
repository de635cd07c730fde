import { isNewNumber } from '../../src/domain/member/kept-values.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { ChangeOutcome, ChangeRequest, MemberStore } from '../../src/portal/ports.ts';
import type { PortalMemory } from './portal-memory.ts';

/** A member store whose transactions are turns of the event loop. `failNextCommit` makes one fail. */
export interface MemoryMemberStore extends MemberStore {
  failNextCommit(when: 'before' | 'after'): void;
}

export const makeMemoryMemberStore = (memory: PortalMemory): MemoryMemberStore => {
  let failing: 'before' | 'after' | null = null;

  const apply = (request: ChangeRequest): ChangeOutcome => {
    const { kennitala, eventId, ifState, hint, djangoId, at, decide, toReceipt } = request;
    const known = eventId === null ? undefined : memory.receipts.get(eventId);
    if (known !== undefined) return { kind: 'duplicate', receipt: known };
    const { stored, state } = memory.see(kennitala);
    if (ifState !== undefined && ifState !== state) return { kind: 'moved' };
    if (hint !== undefined && memory.hints.get(kennitala)?.token !== hint.token)
      return { kind: 'superseded' };
    const former = isNewNumber(stored, djangoId) ? memory.former(kennitala, djangoId) : {};
    const decision = decide(stored, memory.pending(kennitala), former);
    if (decision === null) return { kind: 'undecided' };
    const receipt = toReceipt(decision);
    const failure = failing;
    failing = null;
    if (failure === 'before') throw unavailable();
    if (decision.kind === 'write') memory.put(kennitala, decision.member, decision.meta, at);
    if (hint?.closes === true) memory.hints.delete(kennitala);
    if (eventId !== null) memory.receipts.set(eventId, receipt);
    if (failure === 'after') throw unavailable();
    return { kind: 'decided', decision, receipt };
  };

  return {
    read: async (kennitala) => memory.see(kennitala),
    applyChange: async (request) => apply(request),
    failNextCommit: (when) => {
      failing = when;
    },
  };
};

const unavailable = (): SyncError => new SyncError('store_unavailable', 'The store was told to fail.');
