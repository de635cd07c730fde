import { SyncError } from '../lib/errors.ts';
import { type MirrorSource, type RunWarning, type WarningCode, warningsOfNumbers } from '../mirror/mirror.ts';
import { type CollectedMembers, digestMembers } from './collect-members.ts';

export interface RegisterSource extends MirrorSource {
  readonly collected: CollectedMembers;
  readonly digest: string;
}

const POSITIONS_SHOWN = 20;

/**
 * What was collected, as a run's source. Throws `incomplete_export` when fewer members came than the registry says it
 * has, `empty_export` when none is left: applying those would remove members. A bucket may have lost its only member.
 */
export const toRegisterSource = (
  collected: CollectedMembers,
  { mayBeEmpty = false }: { readonly mayBeEmpty?: boolean } = {},
): RegisterSource => {
  const { received, announced, members, unreadable } = collected;
  if (announced !== null && received < announced) {
    throw new SyncError(
      'incomplete_export',
      `The registry says it has ${announced} members but sent ${received}. Nothing was changed. Look at the ` +
        'registry, then run again.',
      { details: { announced, received } },
    );
  }
  if (members.length === 0 && !mayBeEmpty) {
    throw new SyncError(
      'empty_export',
      `The registry sent no member that can be read (${received} entries, ${unreadable.length} unreadable). ` +
        'Nothing was changed. Look at the registry, then run again.',
      { details: { received, unreadable: unreadable.length } },
    );
  }
  return {
    collected,
    digest: digestMembers(collected),
    received,
    exportedAt: null,
    findings: {
      ...(announced !== null && { announced }),
      received,
      quarantined: unreadable.length,
      quarantinedAt: unreadable.slice(0, POSITIONS_SHOWN).map(({ position }) => position),
      placeholders: collected.placeholders,
      repeated: collected.repeated,
      legalEntities: collected.legalEntities,
      impossibleDates: collected.impossibleDates,
      adjusted: collected.adjusted.length,
    },
    warnings: warningsAbout(collected),
  };
};

const warningsAbout = (collected: CollectedMembers): RunWarning[] => {
  const { unreadable, adjusted, repeated } = collected;
  const unknown = unreadable.filter((it) => it.kennitala === null && it.external_id === null).length;
  const warnings: [applies: boolean, code: WarningCode, message: string][] = [
    [
      unreadable.length > 0,
      'quarantined_entries',
      `${unreadable.length} members cannot be read; who of them is in the register stays as they are.`,
    ],
    [
      unknown > 0,
      'unidentified_entries',
      `${unknown} of those have neither a kennitala nor a row number: if they are in the register, they count as gone.`,
    ],
    [
      adjusted.length > 0,
      'adjusted_values',
      `${adjusted.length} members have a value that the register cannot hold as it is; sync_log says which.`,
    ],
    [repeated > 0, 'repeated_members', `${repeated} entries repeat a kennitala; the newest of each counts.`],
  ];
  return [
    ...warnings.flatMap(([applies, code, message]) => (applies ? [{ code, message }] : [])),
    ...warningsOfNumbers(collected),
  ];
};
