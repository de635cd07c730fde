import type { Difference } from './difference.ts';
import type { PortalTable } from './portal-table.ts';
import type { Quarantined } from './quarantine.ts';

export interface PlannedRemovals {
  readonly differences: readonly Difference[];
  /** Members who were on no page, but who may be one of those that could not be read. */
  readonly withheld: number;
}

/**
 * The members of the portal whom no page showed. One who may be among those that cannot be read is kept: by the
 * registry's row number, and when a row has neither a number nor a kennitala that can be read, everybody is.
 */
export const planRemovals = (table: PortalTable, quarantined: readonly Quarantined[]): PlannedRemovals => {
  const unknown = quarantined.filter(({ kennitala }) => kennitala === null);
  const protectedIds = new Set(unknown.map(({ djangoId }) => djangoId));
  const isAnybody = protectedIds.has(null);
  const differences: Difference[] = [];
  let withheld = 0;
  for (const { kennitala, djangoId, row } of table.unseen()) {
    if (isAnybody || (djangoId !== null && protectedIds.has(djangoId))) withheld += 1;
    else
      differences.push({
        kennitala,
        kind: 'remove',
        digest: '',
        ifState: table.state(row),
        isMissed: true,
      });
  }
  return { differences, withheld };
};
