import { DIFF_METHODS, LIST_METHODS, MAP_METHODS, SET_METHODS } from './collection-methods.ts';
import { EvaluationError, UnsupportedError } from './errors.ts';
import { STRING_METHODS } from './string-methods.ts';
import { isList, isMap, isNumber, MapDiff, RulesObject, RulesSet, Timestamp, type Value } from './values.ts';

const TIMESTAMP_METHODS: Readonly<Record<string, (time: Timestamp) => Value>> = {
  toMillis: (time) => BigInt(time.milliseconds),
};

const ALL_TABLES = [STRING_METHODS, LIST_METHODS, SET_METHODS, MAP_METHODS, DIFF_METHODS, TIMESTAMP_METHODS];

/** How many arguments each method takes, whatever its receiver. */
const ARGUMENTS: Readonly<Record<string, number>> = {
  matches: 1,
  replace: 2,
  split: 1,
  concat: 1,
  removeAll: 1,
  hasAll: 1,
  hasAny: 1,
  hasOnly: 1,
  join: 1,
  union: 1,
  intersection: 1,
  difference: 1,
  get: 2,
  diff: 1,
};

/**
 * Calls a method of a value.
 *
 * @throws EvaluationError where the method exists, but not on this type: production fails the condition.
 * @throws UnsupportedError where the evaluator knows no such method on any type.
 */
export function callMethod(self: Value, name: string, args: readonly Value[]): Value {
  if (!ALL_TABLES.some((table) => Object.hasOwn(table, name))) throw new UnsupportedError(`.${name}()`);
  if (self instanceof RulesObject) throw new UnsupportedError(`${self.name}.${name}()`);
  if (args.length !== (ARGUMENTS[name] ?? 0))
    throw new UnsupportedError(`.${name}() of ${args.length} arguments`);
  if (typeof self === 'string') return own(STRING_METHODS, name)(self, args);
  if (isList(self)) return own(LIST_METHODS, name)(self, args);
  if (isMap(self)) return own(MAP_METHODS, name)(self, args);
  if (self instanceof RulesSet) return own(SET_METHODS, name)(self, args);
  if (self instanceof MapDiff) return own(DIFF_METHODS, name)(self, args);
  if (self instanceof Timestamp) return own(TIMESTAMP_METHODS, name)(self);
  if (self === null || typeof self === 'boolean' || isNumber(self))
    throw new EvaluationError(`no .${name}() here`);
  throw new UnsupportedError(`.${name}() of a path`);
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T {
  const method = Object.hasOwn(table, name) ? table[name] : undefined;
  if (method === undefined) throw new EvaluationError(`no .${name}() on this type`);
  return method;
}
