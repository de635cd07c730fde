import { SyncError } from '../lib/errors.ts';

const FORM =
  /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,3}))?)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?$/;

const refuse = (why: string): SyncError =>
  new SyncError(
    'invalid_request',
    `The moment ${why}. Write a day and a time, in Iceland's time or with an offset: 2026-11-01T12:00, 2026-11-01T12:00+01:00.`,
  );

/**
 * A moment of the past as a person writes it. Without an offset it is Iceland's time (Atlantic/Reykjavik), which is UTC all
 * year (tz database, since 1968), so no such time is ambiguous or missing. A day alone is refused: it has many moments.
 * @throws SyncError `invalid_request`
 */
export const parseMoment = (text: string, now: Date): Date => {
  const parts = FORM.exec(text.trim());
  if (parts === null) throw refuse('cannot be read');
  const [, year, month, day, hour, minute, second = '00', fraction = '', offset = 'Z'] = parts;
  const isDay = (days: Date): boolean =>
    days.getUTCMonth() + 1 === Number(month) && days.getUTCDate() === Number(day);
  if (!isDay(new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))))
    throw refuse('is on a day that no month has');
  const at = new Date(
    `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0')}${offset}`,
  );
  if (Number.isNaN(at.getTime())) throw refuse('cannot be read');
  if (at > now) throw refuse('has not come yet');
  return at;
};
