import type { ZodType } from 'zod';
import { type Kennitala, tryKennitala } from '../kennitala.ts';
import { memberFault } from './member.ts';

/** A JSON object as the registry sent it. */
export type Wire = Readonly<Record<string, unknown>>;

export const isWire = (value: unknown): value is Wire =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The number as the registry wrote it, in either spelling; null for none. */
export const numberIn = (json: unknown): string | null => {
  const wire = isWire(json) ? json : {};
  const number = [wire['ssn'], wire['kennitala']].find((value) => typeof value === 'string');
  return typeof number === 'string' ? number : null;
};

/** What can be read of who it is about, also of a member whose fields cannot be read; in either spelling. */
export const whoIs = (
  json: unknown,
): { readonly kennitala: Kennitala | null; readonly djangoId: number | null } => {
  const number = numberIn(json);
  const id = isWire(json) ? json['id'] : null;
  return {
    kennitala: number === null ? null : tryKennitala(number),
    djangoId: typeof id === 'number' && Number.isSafeInteger(id) ? id : null,
  };
};

/**
 * What the registry said at a path. The three differ: `absent` leaves the mirror's value alone, `cleared` (null or
 * "", there or further up the path) empties it.
 */
export type Said = { readonly is: 'absent' | 'cleared' } | { readonly is: 'value'; readonly value: unknown };

const ABSENT: Said = { is: 'absent' };
const CLEARED: Said = { is: 'cleared' };

/** @throws SyncError `member_invalid` when something on the way is neither empty nor an object. */
export const sayingAt = (wire: Wire, path: string): Said => {
  let here: unknown = wire;
  let walked = '';
  for (const key of path.split('.')) {
    if (isCleared(here)) return CLEARED;
    if (!isWire(here)) throw memberFault(walked, 'is not an object');
    if (!Object.hasOwn(here, key)) return ABSENT;
    here = here[key];
    walked = walked === '' ? key : `${walked}.${key}`;
  }
  return isCleared(here) ? CLEARED : { is: 'value', value: here };
};

/**
 * The value at the first of the paths that the registry said anything about; `empty` when it cleared it; undefined
 * when it said nothing.
 * @throws SyncError `member_invalid` naming the path.
 */
export const readAt = <T>(
  wire: Wire,
  paths: readonly string[],
  schema: ZodType<T>,
  empty: T,
): T | undefined => {
  for (const path of paths) {
    const said = sayingAt(wire, path);
    if (said.is === 'cleared') return empty;
    if (said.is === 'value') return parseValue(schema, said.value, path);
  }
  return undefined;
};

/** @throws SyncError `member_invalid` naming the path, and the place inside it. */
export const parseValue = <T>(schema: ZodType<T>, value: unknown, path: string): T => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const at = (issue?.path ?? []).reduce<string>(
    (before, step) => (typeof step === 'number' ? `${before}[${step}]` : `${before}.${String(step)}`),
    path,
  );
  throw memberFault(at, issue?.code === 'custom' ? issue.message : 'is not of the agreed form');
};

const isCleared = (value: unknown): boolean => value === null || value === '';
