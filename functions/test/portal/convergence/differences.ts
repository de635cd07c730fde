import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, diffMembers } from '../../../src/domain/member/patch.ts';
import type { PortalMemory } from '../../contract/portal-memory.ts';
import type { ModelRegistry } from './model-registry.ts';

/**
 * What is not as the registry has it, one line each; empty when the portal equals the registry. A member that the
 * registry has no more may be a tombstone or, when the portal never heard of it, nothing at all.
 */
export const differencesFrom = (registry: ModelRegistry, memory: PortalMemory): string[] => {
  const rows = registry.rows();
  const strangers = memory.kennitalas().filter((kennitala) => !rows.has(kennitala));
  return [
    ...strangers.map((kennitala) => `${kennitala}: never was in the registry`),
    ...[...rows].flatMap(([kennitala, wire]) =>
      wire === null ? livesOn(kennitala, memory) : differs(kennitala, wire, memory),
    ),
  ];
};

const livesOn = (kennitala: Kennitala, memory: PortalMemory): string[] => {
  const { stored } = memory.see(kennitala);
  const isGone =
    stored === null || (stored.member.membership.status === 'inactive' && stored.meta.deleted_at !== null);
  return isGone ? [] : [`${kennitala}: deleted in the registry, and no tombstone`];
};

const differs = (kennitala: Kennitala, wire: object, memory: PortalMemory): string[] => {
  const { stored } = memory.see(kennitala);
  if (stored === null) return [`${kennitala}: missing`];
  const said = parseRegistryMember(wire);
  const paths = diffMembers(applyPatch(null, said), stored.member).map(({ path }) => path);
  return [
    ...(paths.length > 0 ? [`${kennitala}: differs in ${paths.join(', ')}`] : []),
    ...(stored.meta.deleted_at !== null ? [`${kennitala}: a tombstone`] : []),
    ...(stored.meta.source_version !== said.version ? [`${kennitala}: of another version`] : []),
  ];
};
