import { isDeepStrictEqual } from 'node:util';
import { FIELD_TABLE, rowOf } from '../domain/member/field-table.ts';
import type { FieldPath, FieldValue } from '../domain/member/fields.ts';
import { isSameValue } from '../domain/member/patch.ts';

declare const editTimeBrand: unique symbol;

/**
 * When Firestore committed a write, as text that sorts by time: seconds, a dot, nanoseconds, each at full width. A Date
 * would not do: it is cut to the millisecond, and the commits of one document are told apart by less.
 */
export type EditTime = string & { readonly [editTimeBrand]: true };

const SECONDS_WIDTH = 12;
const NANOSECONDS_WIDTH = 9;

export const makeEditTime = (seconds: number, nanoseconds: number): EditTime =>
  `${String(seconds).padStart(SECONDS_WIDTH, '0')}.${String(nanoseconds).padStart(NANOSECONDS_WIDTH, '0')}` as EditTime;

/** Everything was later. */
export const BEFORE_ALL = makeEditTime(0, 0);

export const toEditTime = (date: Date): EditTime => {
  const milliseconds = date.getTime();
  const seconds = Math.floor(milliseconds / 1_000);
  return makeEditTime(seconds, (milliseconds - seconds * 1_000) * 1_000_000);
};

export const partsOf = (time: EditTime): { readonly seconds: number; readonly nanoseconds: number } => {
  const [seconds, nanoseconds] = time.split('.').map(Number);
  return { seconds: seconds ?? Number.NaN, nanoseconds: nanoseconds ?? Number.NaN };
};

/** Cut to the millisecond. */
export const dateOf = (time: EditTime): Date => {
  const { seconds, nanoseconds } = partsOf(time);
  return new Date(seconds * 1_000 + Math.floor(nanoseconds / 1_000_000));
};

export const isEarlier = (one: EditTime, other: EditTime): boolean => one < other;

export const compareEditTimes = (one: EditTime, other: EditTime): number =>
  one < other ? -1 : one > other ? 1 : 0;

export const isFieldPath = (path: string): path is FieldPath => Object.hasOwn(FIELD_TABLE, path);

/** The value as the domain knows it; undefined when the path or the value cannot be read. */
export const tryFieldValue = (path: string, json: unknown): FieldValue<FieldPath> | undefined =>
  isFieldPath(path) ? rowOf(path).fromPortal(json) : undefined;

/** Whether two values of a field mean the same. Two that cannot be read are compared as they stand. */
export const isSameJson = (path: string, one: unknown, other: unknown): boolean => {
  const [a, b] = [tryFieldValue(path, one), tryFieldValue(path, other)];
  if (!isFieldPath(path) || a === undefined || b === undefined) return isDeepStrictEqual(one, other);
  return isSameValue(path, a, b);
};
