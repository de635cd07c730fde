import { type Kennitala, tryKennitala } from '../../domain/kennitala.ts';
import { holdsNumber } from '../../domain/kennitala-in-text.ts';
import { SyncError } from '../../lib/errors.ts';
import type { MemberReader, RegistryChanges } from '../../registry/ports.ts';
import type { ListStore } from '../../roster/ports.ts';
import type { MemberTrace, MirrorStates, RegisterLookup } from '../ports.ts';
import { MIRRORS } from '../status.ts';
import { stillPublished } from './ports.ts';

export interface MayBeErasedDependencies {
  readonly registry: MemberReader;
  readonly events: Pick<RegistryChanges, 'outbox'>;
  readonly roster: Pick<ListStore, 'read'>;
  readonly trace: Pick<MemberTrace, 'portal'>;
  /** Null: the register is not configured here. */
  readonly register: RegisterLookup | null;
  readonly states: Pick<MirrorStates, 'read'>;
  readonly now: () => Date;
}

/**
 * Passes for a person who has left everywhere; anybody else would come back, or be missed by who is told of departures.
 *
 * - `still_a_member`: the registry has the person, readable or not. Only its own 404 says that it has not; every other
 *   answer is not known, and throws its own code.
 * - `events_waiting`: it has events about the person that nobody acknowledged. Delivered later, they would write the
 *   person's document again.
 * - `still_published`: a mirror has the person as a member. A run under way would name them in its lists again, and the
 *   register's subscribers would not be told. A mirror that cannot be read now does not refuse: its own part of the
 *   erasure says so, and looks again.
 * - `lease_held`, unless it is only a look: a run under way may have read the registry before the person left, and would
 *   write them again. One that begins later reads what was read here.
 */
export const assertMayBeErased = async (
  kennitala: Kennitala,
  { signal, dryRun }: { readonly signal: AbortSignal; readonly dryRun: boolean },
  dependencies: MayBeErasedDependencies,
): Promise<void> => {
  if ((await dependencies.registry.readMember(kennitala, { signal })) !== null) {
    throw new SyncError(
      'still_a_member',
      'The registry has this person as a member. Delete them there first. Nothing was erased.',
    );
  }
  const waiting = (await dependencies.events.outbox({ signal })).filter(
    ({ ssn }) => tryKennitala(ssn) === kennitala,
  );
  if (waiting.length > 0) {
    throw new SyncError(
      'events_waiting',
      `The registry has ${waiting.length} undelivered events about this person, which would bring them back. ` +
        'Let it deliver them, or wait for the nightly sweep. Nothing was erased.',
      { details: { events: waiting.length } },
    );
  }
  const held = await mirrorsHolding(kennitala, dependencies);
  if (held.length > 0) throw stillPublished(held.join(', '));
  if (!dryRun) await assertNothingRuns(dependencies);
};

const assertNothingRuns = async ({ states, now }: MayBeErasedDependencies): Promise<void> => {
  const found = await states.read();
  const running = MIRRORS.filter((mirror) => (found[mirror].lease?.expiresAt ?? new Date(0)) > now());
  if (running.length === 0) return;
  throw new SyncError(
    'lease_held',
    `A run is under way (${running.join(', ')}) that may have read the registry before this person left. ` +
      'Try again when it has ended. Nothing was erased.',
  );
};

const mirrorsHolding = async (
  kennitala: Kennitala,
  { roster, trace, register }: MayBeErasedDependencies,
): Promise<string[]> => {
  const found = await Promise.allSettled([
    roster.read().then((list) => list !== null && holdsNumber(list.bytes, kennitala)),
    trace.portal(kennitala).then(({ state }) => state === 'active'),
    register?.find(kennitala).then(({ state }) => state === 'active'),
  ]);
  return ['roster', 'portal', 'register'].filter((_, n) => {
    const answer = found[n];
    return answer?.status === 'fulfilled' && answer.value === true;
  });
};
