import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { StandingFault, StandingFaultInput } from '../faults/fault.ts';
import type { FaultPlan } from '../faults/fault-plan.ts';
import type { ChangeEntry } from '../journal.ts';
import { below, fraction } from '../members/random.ts';
import type { MemberPatch, WireMember } from '../members/wire-member.ts';
import type { RegistryState } from '../state/registry-state.ts';
import type { Deliveries } from '../webhooks/deliveries.ts';
import { NO_MISCHIEF } from '../webhooks/mischief.ts';
import { ControlError } from './control-error.ts';

/** What a change did: the member's id on the wire, the outbox id that became its version, and when. */
export interface Changed {
  readonly id: number;
  readonly action: ChangeEntry['action'];
  readonly version: number;
  readonly occurred_at: string;
}

/** The registry's switches. A person turns them in `/_control/…`, a test or the local stack in-process. */
export interface Settings {
  /** The token that the API takes; every other one gets 401. */
  token: string;
  /** Whether the companion app is installed: without it there is no version, expected value or change id. */
  companion: boolean;
}

export interface Summary {
  readonly members: number;
  readonly last_version: number;
  readonly pending_changes: number;
  readonly companion: boolean;
  /** Changes of bursts that have not happened yet. */
  readonly burst_remaining: number;
  readonly faults: readonly StandingFault[];
}

/**
 * Everything that can be done to the stand-in besides its API. Members are named by their wire `id`, so that no
 * kennitala stands in an address. Unknown ids and impossible changes throw ControlError.
 */
export interface Controls {
  summary(): Summary;
  /** The id of some member, never a placeholder: the same sequence for the same seed. */
  randomMember(): number;
  member(id: number): WireMember;
  createMember(patch?: MemberPatch): Changed;
  /** Without a patch the email changes, to one that was never there before. */
  updateMember(id: number, patch?: MemberPatch): Changed;
  deleteMember(id: number): Changed;
  restoreMember(id: number, patch?: MemberPatch): Changed;
  /** Resolves when the last change of the burst has happened, with what happened, oldest first. */
  burst(request: BurstInput): Promise<Changed[]>;
  addFault(fault: StandingFaultInput): void;
  faults(): StandingFault[];
  clearFaults(): void;
  acceptToken(token: string): void;
  setCompanion(installed: boolean): void;
  /** Null when the registry was started without a webhook. */
  readonly webhooks: Deliveries | null;
  /** An honest registry again: no faults, the first token, the companion app, every delivery sent. Members stay. */
  reset(): void;
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

export const makeControls = ({
  state,
  plan,
  settings,
  webhooks,
  seed,
  closing,
}: ControlOptions): Controls => {
  const { directory, outbox } = state;
  const first = { ...settings };
  const bursts = new Set<Burst>();
  let picks = 0;

  const changed = ({ index, action, id, at }: ChangeEntry): Changed => ({
    id: index + 1,
    action,
    version: id,
    occurred_at: at,
  });
  const isPlaceholder = (index: number): boolean => directory.ssn(index).startsWith('9999');

  const controls: Controls = {
    webhooks,
    summary: () => ({
      members: directory.size,
      last_version: outbox.lastId,
      pending_changes: outbox.counts().pending,
      companion: settings.companion,
      burst_remaining: [...bursts].reduce((sum, { remaining }) => sum + remaining, 0),
      faults: plan.list(),
    }),
    randomMember: () => {
      // Drawn from all rows until a live one comes up: making the list of live rows after every create and delete of a
      // burst would cost more than the burst.
      for (let tries = 0; tries < 10_000; tries += 1) {
        picks += 1;
        const index = below(directory.rows, seed, picks, 400);
        if (directory.isLive(index) && !isPlaceholder(index)) return index + 1;
      }
      throw new ControlError(409, 'The registry has no members, or hardly any.');
    },
    member: (id) => {
      if (!directory.has(id - 1)) throw new ControlError(404, `There is no member with id ${id}.`);
      return directory.member(id - 1);
    },
    createMember: (patch) => changed(state.create(patch)),
    updateMember: (id, patch = { contact_info: { email: `nytt.${outbox.lastId + 1}@postur.example` } }) =>
      changed(state.update(id - 1, patch)),
    deleteMember: (id) => changed(state.remove(id - 1)),
    restoreMember: (id, patch) => changed(state.restore(id - 1, patch)),
    burst: async (request) => {
      const run: Burst = { ...parseBurst(request), remaining: 0 };
      run.remaining = run.count;
      bursts.add(run);
      try {
        return await burst(run, controls, seed + outbox.lastId, closing);
      } finally {
        bursts.delete(run);
      }
    },
    addFault: (fault) => plan.add(fault),
    faults: () => plan.list(),
    clearFaults: () => plan.clear(),
    acceptToken: (token) => {
      settings.token = token;
    },
    setCompanion: (installed) => {
      settings.companion = installed;
    },
    reset: () => {
      plan.clear();
      Object.assign(settings, first);
      webhooks?.misbehave(NO_MISCHIEF);
      webhooks?.failFor(0);
      webhooks?.resume();
    },
  };
  return controls;
};

const share = z.number().min(0).max(1);

/** So many changes, spread evenly over so many seconds. What is neither a create nor a delete is an update. */
export const burstRequest = z
  .strictObject({
    count: z.number().int().min(1).max(100_000),
    seconds: z.number().min(0).max(86_400).default(0),
    create: share.default(0),
    delete: share.default(0),
  })
  .refine((request) => request.create + request.delete <= 1, 'create and delete together are at most 1');

export type BurstInput = z.input<typeof burstRequest>;
export type Burst = z.output<typeof burstRequest> & { remaining: number };

export const parseBurst = (request: BurstInput): z.output<typeof burstRequest> => burstRequest.parse(request);

/** Changes random members until the burst is done or `closing` ends it. */
export const burst = async (
  run: Burst,
  controls: Controls,
  seed: number,
  closing: AbortSignal,
): Promise<Changed[]> => {
  const done: Changed[] = [];
  const start = Date.now();
  for (let n = 0; n < run.count && !closing.aborted; n += 1) {
    // The due time is reckoned from the start, so that slow changes do not stretch the burst.
    const wait = start + (n * run.seconds * 1000) / run.count - Date.now();
    if (wait > 0) await sleep(wait, undefined, { signal: closing }).catch(() => {});
    // A thousand synchronous writes would keep every request waiting: let others in between.
    else if (n % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
    if (closing.aborted) break;
    done.push(changeOne(run, controls, fraction(seed, n, 410)));
    run.remaining -= 1;
  }
  return done;
};

const changeOne = (run: Burst, controls: Controls, chance: number): Changed => {
  if (chance < run.create) return controls.createMember();
  const id = controls.randomMember();
  return chance < run.create + run.delete ? controls.deleteMember(id) : controls.updateMember(id);
};
