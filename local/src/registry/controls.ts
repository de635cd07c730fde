import { setTimeout as sleep } from 'node:timers/promises';
import { type Deliveries, NO_MISCHIEF } from './deliveries.ts';
import type { FaultPlan } from './faults.ts';
import type { ChangeEntry } from './journal.ts';
import { below, fraction } from './kennitalas.ts';
import { type RegistryState, refusedControl } from './state.ts';
import type { MemberPatch, WireMember } from './wire-member.ts';

/** What a change did: the member's id on the wire, the outbox id that became its version, and when. */
export interface Changed {
  readonly id: number;
  readonly action: ChangeEntry['action'];
  readonly version: number;
  readonly occurred_at: string;
}

export interface Settings {
  /** The token that the API takes; every other one gets 401. */
  token: string;
  /** Whether the companion app is installed: without it there is no version, expected value or change id. */
  companion: boolean;
}

/** So many changes, spread evenly over so many seconds. What is neither a create nor a delete is an update. */
export interface Burst {
  readonly count: number;
  readonly seconds?: number;
  /** Shares of the changes, 0 to 1. */
  readonly create?: number;
  readonly delete?: number;
}

export interface ControlOptions {
  readonly state: RegistryState;
  readonly plan: FaultPlan;
  readonly settings: Settings;
  readonly webhooks: Deliveries | null;
  readonly seed: number;
  /** Ends bursts that are under way. */
  readonly closing: AbortSignal;
}

export type Controls = ReturnType<typeof makeControls>;

/**
 * Everything that can be done to the stand-in besides its API, by a test, a tour, or a person in `/_control/…`. Members
 * are named by their wire `id`, so that no kennitala stands in an address. Unknown ids and impossible changes throw
 * HTTPException.
 */
export const makeControls = (options: ControlOptions) => {
  const { state, plan, settings, webhooks, seed, closing } = options;
  const { directory, outbox } = state;
  const first = { ...settings };
  let picks = 0;

  const changed = ({ index, action, id, at }: ChangeEntry): Changed => ({
    id: index + 1,
    action,
    version: id,
    occurred_at: at,
  });
  const changeOne = (burst: Burst, chance: number): Changed => {
    const { create = 0, delete: removed = 0 } = burst;
    if (chance < create) return controls.createMember();
    const id = controls.randomMember();
    return chance < create + removed ? controls.deleteMember(id) : controls.updateMember(id);
  };

  const controls = {
    /** Null when the registry was started without a webhook. */
    webhooks,
    summary: () => ({
      members: directory.size,
      last_version: outbox.lastId,
      pending_changes: outbox.counts().pending,
      companion: settings.companion,
      faults: plan.list(),
    }),
    /** The id of some member, never a placeholder: the same sequence for the same seed. */
    randomMember: (): number => {
      // Drawn from all rows until a live one comes up: making the list of live rows after every create and delete of a
      // burst would cost more than the burst.
      for (let tries = 0; tries < 10_000; tries += 1) {
        picks += 1;
        const index = below(directory.rows, seed, picks, 400);
        if (directory.isLive(index) && !directory.ssn(index).startsWith('9999')) return index + 1;
      }
      throw refusedControl(409, 'The registry has no members, or hardly any.');
    },
    member: (id: number): WireMember => {
      if (!directory.has(id - 1)) throw refusedControl(404, `There is no member with id ${id}.`);
      return directory.member(id - 1);
    },
    createMember: (patch?: MemberPatch) => changed(state.create(patch)),
    /** Without a patch the email changes, to one that was never there before. */
    updateMember: (
      id: number,
      patch: MemberPatch = { contact_info: { email: `nytt.${outbox.lastId + 1}@postur.example` } },
    ) => changed(state.update(id - 1, patch)),
    deleteMember: (id: number) => changed(state.remove(id - 1)),
    restoreMember: (id: number, patch?: MemberPatch) => changed(state.restore(id - 1, patch)),
    /** Changes random members, until the burst is done or the registry closes; resolves with what happened, oldest first. */
    burst: async (burst: Burst): Promise<Changed[]> => {
      const { count, seconds = 0 } = burst;
      const done: Changed[] = [];
      const start = Date.now();
      const dice = seed + outbox.lastId;
      for (let n = 0; n < count; n += 1) {
        // The due time is reckoned from the start, so that slow changes do not stretch the burst.
        const wait = start + (n * seconds * 1000) / count - Date.now();
        if (wait > 0) await sleep(wait, undefined, { signal: closing }).catch(() => {});
        // A thousand synchronous writes would keep every request waiting: let others in between.
        else if (n % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
        if (closing.aborted) break;
        done.push(changeOne(burst, fraction(dice, n, 410)));
      }
      return done;
    },
    addFault: plan.add,
    clearFaults: plan.clear,
    acceptToken: (token: string) => void Object.assign(settings, { token }),
    setCompanion: (companion: boolean) => void Object.assign(settings, { companion }),
    /** An honest registry again: no faults, the first token, the companion app, every delivery sent. Members stay. */
    reset: (): void => {
      plan.clear();
      Object.assign(settings, first);
      webhooks?.misbehave(NO_MISCHIEF);
      webhooks?.resume();
    },
  };
  return controls;
};
