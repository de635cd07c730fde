import { isPlaceholder, type Kennitala } from '../../domain/kennitala.ts';
import { whoIs } from '../../domain/member/wire.ts';
import { asSyncError, isSyncError } from '../../lib/errors.ts';
import type { RunWarning } from '../../mirror/mirror.ts';

/** A member of the registry who cannot be read: nothing is written about them, and nothing deleted. */
export interface Quarantined {
  /** Place on the pages, from 0. */
  readonly position: number;
  /** Null when not even the number can be read. */
  readonly kennitala: Kennitala | null;
  readonly djangoId: number | null;
  /** Names the field, never the value. */
  readonly reason: string;
}

const NAMED = 20;

/** @throws what is not about the member. */
export const toQuarantined = (json: unknown, position: number, cause: unknown): Quarantined => {
  if (!isSyncError(cause, 'member_invalid')) throw asSyncError(cause);
  return { position, ...whoIs(json), reason: cause.message };
};

/** A placeholder is no member, so a broken one is nothing to look at. */
export const isBrokenPlaceholder = ({ kennitala }: Quarantined): boolean =>
  kennitala !== null && isPlaceholder(kennitala);

/** Whom to look at, and why: by opaque reference, or by the place on the pages. */
export const warnOfQuarantine = async (
  quarantined: readonly Quarantined[],
  reference: (kennitala: Kennitala) => Promise<string>,
): Promise<RunWarning[]> => {
  if (quarantined.length === 0) return [];
  const named = await Promise.all(
    quarantined.slice(0, NAMED).map(async ({ kennitala, position, reason }) => {
      const who = kennitala === null ? `number ${position} of the pages` : await reference(kennitala);
      return `${who}: ${reason}`;
    }),
  );
  const more = quarantined.length > NAMED ? ` And ${quarantined.length - NAMED} more.` : '';
  return [
    {
      code: 'quarantined_members',
      message: `${quarantined.length} members cannot be read and were left as they are. ${named.join(' ')}${more}`,
    },
  ];
};
