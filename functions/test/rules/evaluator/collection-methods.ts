import { EvaluationError } from './errors.ts';
import { toText } from './functions.ts';
import {
  hasSameContent,
  includes,
  isList,
  isMap,
  MapDiff,
  RulesSet,
  setIncludes,
  type Value,
} from './values.ts';

type Items = readonly Value[];
type ValueMap = ReadonlyMap<string, Value>;
type Methods<T> = Readonly<Record<string, (self: T, args: Items) => Value>>;

/** https://firebase.google.com/docs/reference/rules/rules.List */
export const LIST_METHODS: Methods<Items> = {
  size: (list) => BigInt(list.length),
  concat: (list, [other]) => [...list, ...asList(other)],
  removeAll: (list, [other]) => {
    const unwanted = asList(other);
    return list.filter((item) => !includes(unwanted, item));
  },
  toSet: (list) => new RulesSet(list),
  hasAll: (list, [other]) => asItems(other).every((item) => includes(list, item)),
  hasAny: (list, [other]) => asItems(other).some((item) => includes(list, item)),
  hasOnly: (list, [other]) => list.every((item) => includes(asItems(other), item)),
  join: (list, [separator]) => {
    if (typeof separator !== 'string') throw new EvaluationError('not a string');
    return list.map(toText).join(separator);
  },
};

/** https://firebase.google.com/docs/reference/rules/rules.Set */
export const SET_METHODS: Methods<RulesSet> = {
  size: (set) => BigInt(set.items.length),
  hasAll: (set, [other]) => asItems(other).every((item) => setIncludes(set.items, item)),
  hasAny: (set, [other]) => asItems(other).some((item) => setIncludes(set.items, item)),
  hasOnly: (set, [other]) => set.items.every((item) => setIncludes(asItems(other), item)),
  union: (set, [other]) => new RulesSet([...set.items, ...asSet(other).items]),
  intersection: (set, [other]) =>
    new RulesSet(set.items.filter((item) => setIncludes(asSet(other).items, item))),
  difference: (set, [other]) =>
    new RulesSet(set.items.filter((item) => !setIncludes(asSet(other).items, item))),
};

/** https://firebase.google.com/docs/reference/rules/rules.Map */
export const MAP_METHODS: Methods<ValueMap> = {
  size: (map) => BigInt(map.size),
  keys: (map) => [...map.keys()],
  values: (map) => [...map.values()],
  get: (map, [key, otherwise]) => {
    if (otherwise === undefined) throw new EvaluationError('get() without a default');
    return lookUp(map, key, otherwise);
  },
  diff: (map, [other]) => {
    if (other === undefined || !isMap(other)) throw new EvaluationError('not a map');
    return new MapDiff(map, other);
  },
};

/** https://firebase.google.com/docs/reference/rules/rules.MapDiff: `after.diff(before)`. */
export const DIFF_METHODS: Methods<MapDiff> = {
  addedKeys: ({ after, before }) => keySet(after, (key) => !before.has(key)),
  removedKeys: ({ after, before }) => keySet(before, (key) => !after.has(key)),
  changedKeys: ({ after, before }) => keySet(after, (key) => before.has(key) && !isSame(after, before, key)),
  unchangedKeys: ({ after, before }) => keySet(after, (key) => before.has(key) && isSame(after, before, key)),
  affectedKeys: ({ after, before }) =>
    new RulesSet([...after.keys(), ...before.keys()].filter((key) => !isSame(after, before, key))),
};

function lookUp(map: ValueMap, key: Value | undefined, otherwise: Value): Value {
  if (typeof key === 'string') return map.get(key) ?? (map.has(key) ? null : otherwise);
  const [first, ...rest] = asList(key);
  if (typeof first !== 'string') throw new EvaluationError('a key that is no string');
  const inner = map.get(first);
  if (rest.length === 0) return lookUp(map, first, otherwise);
  if (inner === undefined) return otherwise;
  if (!isMap(inner)) return otherwise;
  return lookUp(inner, rest, otherwise);
}

function isSame(after: ValueMap, before: ValueMap, key: string): boolean {
  return (
    after.has(key) && before.has(key) && hasSameContent(after.get(key) ?? null, before.get(key) ?? null, true)
  );
}

function keySet(map: ValueMap, keep: (key: string) => boolean): RulesSet {
  return new RulesSet([...map.keys()].filter(keep));
}

function asList(value: Value | undefined): Items {
  if (value === undefined || !isList(value)) throw new EvaluationError('not a list');
  return value;
}

function asSet(value: Value | undefined): RulesSet {
  if (!(value instanceof RulesSet)) throw new EvaluationError('not a set');
  return value;
}

/** hasAll, hasAny and hasOnly take a list or a set. */
function asItems(value: Value | undefined): Items {
  return value instanceof RulesSet ? value.items : asList(value);
}
