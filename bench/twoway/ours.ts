import { randomUUID } from 'node:crypto';
import { makeMemberChanges } from '../../functions/src/adapters/django/member-changes.ts';
import { makeMemberPages, makeMemberReader } from '../../functions/src/adapters/django/read-members.ts';
import { makeQueueStore } from '../../functions/src/adapters/firestore/queue-store.ts';
import type { DeliveryDependencies } from '../../functions/src/twoway/delivery.ts';
import { makeTwoWayLogs } from '../../functions/src/twoway/logs.ts';
import type { MemberView, Step } from '../../functions/src/twoway/ports.ts';
import { makeApplyProtocol, makeRegistryMembers } from '../../functions/src/twoway/registry.ts';
import { pushEdits } from '../../functions/src/twoway/sweep.ts';
import type { Counts } from './reference.ts';
import type { Servers } from './servers.ts';

/** Our delivery as it is wired in production, counting what it asks for. */
export const countedDelivery = ({ db, http, registryUrl }: Servers, counts: Counts): DeliveryDependencies => {
  const store = makeQueueStore(async () => db);
  const changes = makeMemberChanges(http);
  const reader = makeMemberReader(http);
  const counted = <T>(view: MemberView, step: Step<T>): Step<T> => {
    counts.reads += 1 + Math.max(1, view.pending.length) + view.later.length + view.failed.length;
    counts.writes += (step.items?.length ?? 0) + (step.member ? 1 : 0) + (step.conflicts?.length ?? 0);
    return step;
  };
  return {
    store: {
      ...store,
      transact: (kennitala, reads, at, decide) =>
        store.transact(kennitala, reads, at, (view) => counted(view, decide(view))),
      transactAll: (kennitalas, at, decide) =>
        store.transactAll(kennitalas, at, (kennitala, view) => counted(view, decide(kennitala, view))),
      members: async (options) => {
        const members = await store.members(options);
        counts.reads += 2 * members.length;
        return members;
      },
    },
    registry: {
      ...changes,
      apply: (told, options) => {
        counts.requests += 1;
        return changes.apply(told, options);
      },
    },
    registryMembers: makeRegistryMembers({
      reader: {
        readMember: (kennitala, options) => {
          counts.requests += 1;
          return reader.readMember(kennitala, options);
        },
      },
      pages: makeMemberPages(http, { baseUrl: registryUrl }),
    }),
    protocol: makeApplyProtocol(),
    reference: async () => 'm_0000000000000000',
    now: () => new Date(),
    random: Math.random,
    makeOwner: randomUUID,
    logs: makeTwoWayLogs(() => undefined),
  };
};

/** Everything that is due, as the nightly run delivers it. */
export const deliverOurs = async (servers: Servers, counts: Counts): Promise<void> => {
  const { failed, failure } = await pushEdits(
    'due',
    AbortSignal.timeout(120_000),
    countedDelivery(servers, counts),
  );
  if (failed > 0 || failure !== null) throw new Error(`${failed} deliveries failed.`, { cause: failure });
};
