import { EvaluationError, UnsupportedError } from './errors.ts';
import { RulesObject, RulesPath, type Value } from './values.ts';

/** The documents that `get()` and `exists()` see, by path below `documents/`. */
export type Documents = ReadonlyMap<string, ReadonlyMap<string, Value>>;

/** https://firebase.google.com/docs/reference/rules/rules: the functions that need no receiver. */
export function callBuiltIn(name: string, args: readonly Value[], documents: Documents): Value {
  const [value, ...more] = args;
  if (value === undefined || more.length > 0)
    throw new UnsupportedError(`${name}() of ${args.length} arguments`);
  switch (name) {
    case 'get': {
      const data = documents.get(documentPath(value));
      return data ? new RulesObject('get()', { data }) : null;
    }
    case 'exists':
      return documents.has(documentPath(value));
    case 'int':
      return toInteger(value);
    case 'float':
      return toFloat(value);
    case 'string':
      return toText(value);
    default:
      throw new UnsupportedError(`${name}()`);
  }
}

function documentPath(value: Value): string {
  if (!(value instanceof RulesPath)) throw new EvaluationError('not a path');
  const [databases, , documents, ...rest] = value.segments;
  if (databases !== 'databases' || documents !== 'documents')
    throw new UnsupportedError('a path of another kind');
  return rest.join('/');
}

function toInteger(value: Value): Value {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return BigInt(Math.trunc(value));
  if (typeof value === 'string' && /^-?[0-9]{1,18}$/.test(value)) return BigInt(value);
  throw new EvaluationError('no integer');
}

function toFloat(value: Value): Value {
  if (typeof value === 'bigint' || typeof value === 'number') return Number(value);
  if (typeof value === 'string' && /^-?[0-9]+([.][0-9]+)?$/.test(value)) return Number(value);
  throw new EvaluationError('no float');
}

/** `string()`. */
export function toText(value: Value): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    const text = Number.isInteger(value) ? value.toFixed(1) : String(value);
    if (text.includes('e')) throw new UnsupportedError('string() of a float with an exponent');
    return text;
  }
  throw new EvaluationError('no text');
}
