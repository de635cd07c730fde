import type { Method } from '../evaluator/ast.ts';
import type { Fields } from '../evaluator/decide.ts';
import type { Json } from '../evaluator/from-json.ts';
import type { PersonName } from './people.ts';

/** In an update: the field goes, as with the SDK's `deleteField()`. */
export const REMOVE: unique symbol = Symbol('remove');

/** `set` writes the whole document; `update` the fields named by their dot paths, and leaves the others. */
export type Change =
  | { readonly set: Fields }
  | { readonly update: { readonly [path: string]: Json | typeof REMOVE } };

/**
 * One question to the rules, as data: it runs on the evaluator and on the official emulator alike.
 * `path` is below `documents/` for Firestore and the object's name for Storage; a `list` names its collection.
 */
export interface RulesCase {
  readonly title: string;
  readonly service: 'firestore' | 'storage';
  readonly who: PersonName;
  readonly path: string;
  readonly operation: Method;
  /** What is stored; null where there is nothing yet. */
  readonly before: Fields | null;
  /** For create and update only. */
  readonly change?: Change;
  readonly expect: 'allow' | 'deny';
}

/** The document as the write would leave it. */
export function afterOf({ before, change }: RulesCase): Fields | null {
  if (!change) return null;
  if ('set' in change) return change.set;
  return Object.entries(change.update).reduce<Fields>(
    (document, [path, value]) => withField(document, path.split('.'), value),
    before ?? {},
  );
}

function withField(fields: Fields, path: readonly string[], value: Json | typeof REMOVE): Fields {
  const [key, ...rest] = path;
  if (key === undefined) throw new Error('a field path without a name');
  const { [key]: old, ...others } = fields;
  if (rest.length > 0) return { ...others, [key]: withField(asFields(old), rest, value) };
  return value === REMOVE ? others : { ...others, [key]: value };
}

function asFields(value: Json | undefined): Fields {
  const isMap =
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
  return isMap ? (value as Fields) : {};
}
