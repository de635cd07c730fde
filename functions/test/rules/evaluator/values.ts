import { EvaluationError, UnsupportedError } from './errors.ts';

/** A value of the rules language. An integer is a bigint, a float a number, a list an array, a map a Map. */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | RulesSet
  | MapDiff
  | RulesPath
  | Timestamp
  | RulesObject;

export class RulesSet {
  readonly items: readonly Value[];
  constructor(items: readonly Value[]) {
    this.items = items.filter(
      (item, place) => items.findIndex((other) => hasSameContent(item, other, true)) === place,
    );
  }
}

export class MapDiff {
  readonly after: ReadonlyMap<string, Value>;
  readonly before: ReadonlyMap<string, Value>;
  constructor(after: ReadonlyMap<string, Value>, before: ReadonlyMap<string, Value>) {
    this.after = after;
    this.before = before;
  }
}

export class RulesPath {
  readonly segments: readonly string[];
  constructor(segments: readonly string[]) {
    this.segments = segments;
  }
}

export class Timestamp {
  readonly milliseconds: number;
  constructor(milliseconds: number) {
    this.milliseconds = milliseconds;
  }
}

/** `request`, `resource` and their like: fixed fields, not a map that has `keys()`. Its `unknown` fields are loud. */
export class RulesObject {
  readonly name: string;
  readonly fields: ReadonlyMap<string, Value>;
  /** Fields that the engine knows and that are not there: reading one fails the condition. */
  readonly absent: readonly string[];
  constructor(name: string, fields: Readonly<Record<string, Value>>, absent: readonly string[] = []) {
    this.name = name;
    this.absent = absent;
    this.fields = new Map(Object.entries(fields));
  }

  field(name: string): Value {
    const value = this.fields.get(name);
    if (this.absent.includes(name)) throw new EvaluationError(`no ${this.name}.${name} here`);
    if (value === undefined) throw new UnsupportedError(`${this.name}.${name}`);
    return value;
  }
}

export function isMap(value: Value): value is ReadonlyMap<string, Value> {
  return value instanceof Map;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/**
 * `==`: by content. The two types of a number compare by value, but not inside of a list or a map; other types never equal
 * each other.
 */
export function isEqual(left: Value, right: Value): boolean {
  return isNumber(left) && isNumber(right) ? isSameNumber(left, right) : hasSameContent(left, right, false);
}

/** Whether a list holds the value: `1 in [1.0]` is false. */
export function includes(items: readonly Value[], wanted: Value): boolean {
  return items.some((item) => hasSameContent(item, wanted, false));
}

/** Sets and differences of maps compare numbers by value, however deep: `1.0 in [1].toSet()` is true. */
export function setIncludes(items: readonly Value[], wanted: Value): boolean {
  return items.some((item) => hasSameContent(item, wanted, true));
}

export function hasSameContent(left: Value, right: Value, numbersByValue: boolean): boolean {
  const same = (one: Value, other: Value) => hasSameContent(one, other, numbersByValue);
  if (isNumber(left) && isNumber(right)) {
    return (numbersByValue || typeof left === typeof right) && isSameNumber(left, right);
  }
  if (isList(left) && isList(right)) {
    return left.length === right.length && left.every((item, place) => same(item, right[place] ?? null));
  }
  if (isMap(left) && isMap(right)) {
    if (left.size !== right.size) return false;
    return [...left].every(([key, item]) => right.has(key) && same(item, right.get(key) ?? null));
  }
  if (left instanceof RulesSet && right instanceof RulesSet) {
    return (
      left.items.length === right.items.length && left.items.every((item) => setIncludes(right.items, item))
    );
  }
  if (left instanceof RulesPath && right instanceof RulesPath) {
    return left.segments.join('/') === right.segments.join('/');
  }
  if (left instanceof Timestamp && right instanceof Timestamp)
    return left.milliseconds === right.milliseconds;
  for (const value of [left, right]) {
    if (value instanceof RulesObject || value instanceof MapDiff) {
      if (left === null || right === null) return false;
      throw new UnsupportedError('== on an object that is no value');
    }
  }
  return left === right;
}

export function isNumber(value: Value): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

export function assertBoolean(value: Value): asserts value is boolean {
  if (typeof value !== 'boolean') throw new EvaluationError('not a boolean');
}

/** Two large integers can share a float. */
function isSameNumber(left: bigint | number, right: bigint | number): boolean {
  return Number(left) === Number(right) && (typeof left !== typeof right || left === right);
}
