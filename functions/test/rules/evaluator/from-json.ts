import { UnsupportedError } from './errors.ts';
import { Timestamp, type Value } from './values.ts';

/** Plain data of a test case: what a document's field or a token's claim can hold. */
export type Json =
  | null
  | boolean
  | number
  | string
  | Date
  | readonly Json[]
  | { readonly [key: string]: Json };

/** As the client SDKs encode it: a whole number is an integer, any other number a float. */
export function fromJson(json: Json): Value {
  if (json === null || typeof json === 'boolean' || typeof json === 'string') return json;
  if (typeof json === 'number') {
    if (Number.isSafeInteger(json)) return BigInt(json);
    if (!Number.isFinite(json)) throw new UnsupportedError('a number that is not finite');
    return json;
  }
  if (json instanceof Date) return new Timestamp(json.getTime());
  if (Array.isArray(json)) return json.map((item: Json) => fromJson(item));
  return new Map(
    Object.entries(json as { readonly [key: string]: Json }).map(([key, item]) => [key, fromJson(item)]),
  );
}
