import type { Kennitala } from '../domain/kennitala.ts';
import type { Companion } from './companion.ts';
import type { RegistryChanges, TwoWayStore } from './ports.ts';
import type { RegistryMembers } from './registry-members.ts';
import type { TwoWayLogs } from './twoway-logs.ts';

export interface DeliveryDependencies {
  readonly store: TwoWayStore;
  readonly registry: RegistryChanges;
  readonly registryMembers: RegistryMembers;
  readonly companion: Companion;
  readonly reference: (kennitala: Kennitala) => Promise<string>;
  readonly now: () => Date;
  /** From 0 to 1. */
  readonly random: () => number;
  /** An id that no other delivery has. */
  readonly makeOwner: () => string;
  readonly logs: TwoWayLogs;
}
