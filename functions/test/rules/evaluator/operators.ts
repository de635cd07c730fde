import type { BinaryOperator } from './ast.ts';
import { EvaluationError, UnsupportedError } from './errors.ts';
import {
  includes,
  isEqual,
  isList,
  isMap,
  isNumber,
  RulesPath,
  RulesSet,
  setIncludes,
  Timestamp,
  type Value,
} from './values.ts';

const INT64_MAX = 2n ** 63n - 1n;

export function applyBinary(operator: BinaryOperator, left: Value, right: Value): Value {
  switch (operator) {
    case '==':
      return isEqual(left, right);
    case '!=':
      return !isEqual(left, right);
    case 'in':
      return isIn(left, right);
    case '<':
      return compare(left, right) < 0;
    case '<=':
      return compare(left, right) <= 0;
    case '>':
      return compare(left, right) > 0;
    case '>=':
      return compare(left, right) >= 0;
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return calculate(operator, left, right);
    default: {
      const never: never = operator;
      throw new UnsupportedError(`operator ${String(never)}`);
    }
  }
}

/** `x is type`, https://firebase.google.com/docs/rules/rules-language#building_conditions */
export function isOfType(value: Value, typeName: string): boolean {
  switch (typeName) {
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return typeof value === 'bigint';
    case 'float':
      return typeof value === 'number';
    case 'number':
      return isNumber(value);
    case 'string':
      return typeof value === 'string';
    case 'list':
      return isList(value);
    case 'map':
      return isMap(value);
    case 'timestamp':
      return value instanceof Timestamp;
    case 'path':
      return value instanceof RulesPath;
    default:
      throw new UnsupportedError(`is ${typeName}`);
  }
}

function isIn(item: Value, container: Value): boolean {
  if (isList(container)) return includes(container, item);
  if (container instanceof RulesSet) return setIncludes(container.items, item);
  if (isMap(container) && typeof item === 'string') return container.has(item);
  throw new EvaluationError('in needs a list, a set, or a text and a map');
}

function compare(left: Value, right: Value): number {
  if (isNumber(left) && isNumber(right)) return left < right ? -1 : left > right ? 1 : 0;
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0;
  if (left instanceof Timestamp && right instanceof Timestamp) return left.milliseconds - right.milliseconds;
  throw new EvaluationError('values of these types have no order');
}

function calculate(operator: '+' | '-' | '*' | '/' | '%', left: Value, right: Value): Value {
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') return left + right;
  if (!isNumber(left) || !isNumber(right)) {
    if ([left, right].some((value) => value instanceof Timestamp))
      throw new UnsupportedError(`${operator} on times`);
    throw new EvaluationError(`${operator} on these types`);
  }
  if (typeof left === 'bigint' && typeof right === 'bigint') return calculateIntegers(operator, left, right);
  const [a, b] = [Number(left), Number(right)];
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  if (operator === '*') return a * b;
  throw new UnsupportedError(`${operator} on floats`);
}

function calculateIntegers(operator: '+' | '-' | '*' | '/' | '%', left: bigint, right: bigint): bigint {
  if ((operator === '/' || operator === '%') && right === 0n) throw new EvaluationError('division by zero');
  const results = {
    '+': () => left + right,
    '-': () => left - right,
    '*': () => left * right,
    '/': () => left / right,
    '%': () => left % right,
  };
  const result = results[operator]();
  if (result > INT64_MAX || result < -INT64_MAX - 1n) throw new UnsupportedError('an integer beyond 64 bits');
  return result;
}
