import type { Expression } from './ast.ts';
import { EvaluationError, LimitError, UnsupportedError } from './errors.ts';
import { callBuiltIn, type Documents } from './functions.ts';
import { callMethod } from './methods.ts';
import { applyBinary, isOfType } from './operators.ts';
import { findFunction, findVariable, type Scope } from './scope.ts';
import { assertBoolean, isList, isMap, isNumber, RulesObject, RulesPath, type Value } from './values.ts';

/** https://firebase.google.com/docs/firestore/security/rules-structure#security_rule_limits */
export const LIMITS = { expressions: 1000, callDepth: 20, parameters: 7, bindings: 10, chain: 98 } as const;

/** One request's evaluation: what it may look up and what it has used. */
export interface Run {
  readonly documents: Documents;
  /**
   * `absorbed`: the documented way, `error || true` is true and `error && false` is false.
   * `fatal`: an error on the left ends the condition. Rules that decide alike in both depend on neither.
   */
  readonly errors: 'absorbed' | 'fatal';
  /**
   * As the official emulator counts: every node of every expression, one more for `let`, for `is` and for a right
   * side of `&&` and `||` that is looked at.
   */
  expressions: number;
  callDepth: number;
}

/**
 * Evaluates an expression.
 *
 * @throws EvaluationError where production would fail the condition.
 * @throws LimitError past a published limit, and UnsupportedError for what this evaluator does not know.
 */
export function evaluate(node: Expression, scope: Scope, run: Run): Value {
  run.expressions += 1;
  if (run.expressions > LIMITS.expressions)
    throw new LimitError(`more than ${LIMITS.expressions} expressions`);
  const value = (child: Expression): Value => evaluate(child, scope, run);
  switch (node.type) {
    case 'literal':
      return node.value;
    case 'name':
      return findVariable(scope, node.name);
    case 'member':
      return readKey(value(node.object), node.name);
    case 'index':
      return readIndex(value(node.object), value(node.index));
    case 'range':
      return readRange(value(node.object), value(node.from), value(node.to));
    case 'call':
      return call(node.name, node.args, scope, run);
    case 'method':
      return callMethod(value(node.object), node.name, node.args.map(value));
    case 'list':
      return node.items.map(value);
    case 'map':
      return new Map(node.entries.map(([key, item]) => [asText(value(key)), value(item)]));
    case 'path':
      return new RulesPath(
        node.segments.map((part) => (typeof part === 'string' ? part : asText(value(part)))),
      );
    case 'not':
      return !truth(value(node.operand));
    case 'negate': {
      const operand = value(node.operand);
      if (!isNumber(operand)) throw new EvaluationError('not a number');
      return -operand;
    }
    case 'and':
      return connect(node.left, node.right, false, value, run);
    case 'or':
      return connect(node.left, node.right, true, value, run);
    case 'binary':
      return applyBinary(node.operator, value(node.left), value(node.right));
    case 'is':
      run.expressions += 1;
      return isOfType(value(node.operand), node.typeName);
    case 'ternary':
      return truth(value(node.test)) ? value(node.yes) : value(node.no);
    default: {
      const never: never = node;
      throw new UnsupportedError(JSON.stringify(never));
    }
  }
}

/** `decisive` is the operand that settles the result alone: false for `&&`, true for `||`. */
function connect(
  left: Expression,
  right: Expression,
  decisive: boolean,
  value: (node: Expression) => Value,
  run: Run,
): boolean {
  if (chainOf(left) >= LIMITS.chain)
    throw new LimitError(`more than ${LIMITS.chain} operators in a chain of && or ||`);
  let first: boolean | EvaluationError;
  try {
    first = truth(value(left));
  } catch (error) {
    if (!(error instanceof EvaluationError) || run.errors === 'fatal') throw error;
    first = error;
  }
  if (first === decisive) return decisive;
  run.expressions += 1;
  const second = truth(value(right));
  if (second !== decisive && first instanceof EvaluationError) throw first;
  return second;
}

function chainOf(node: Expression): number {
  return node.type === 'and' || node.type === 'or' ? 1 + chainOf(node.left) : 0;
}

function truth(value: Value): boolean {
  assertBoolean(value);
  return value;
}

function call(name: string, args: readonly Expression[], scope: Scope, run: Run): Value {
  const found = findFunction(scope, name);
  if (!found) {
    const values = args.map((argument) => evaluate(argument, scope, run));
    return callBuiltIn(name, values, run.documents);
  }
  const { declaration, home } = found;
  const { parameters, bindings, result } = declaration;
  if (args.length !== parameters.length) throw new UnsupportedError(`${name}() of ${args.length} arguments`);
  if (parameters.length > LIMITS.parameters) throw new LimitError(`${name}() has too many parameters`);
  if (bindings.length > LIMITS.bindings) throw new LimitError(`${name}() has too many bindings`);
  if (run.callDepth >= LIMITS.callDepth) throw new LimitError('calls nested too deep');
  const variables = new Map(
    parameters.map((parameter, place) => [parameter, attempt(args[place], scope, run)] as const),
  );
  const inner: Scope = { variables, functions: [], outer: home };
  run.callDepth += 1;
  try {
    for (const binding of bindings) {
      run.expressions += 1;
      variables.set(binding.name, attempt(binding.value, inner, run));
    }
    return evaluate(result, inner, run);
  } finally {
    run.callDepth -= 1;
  }
}

/** The engine evaluates arguments and `let` lazily, but counts them whether they are used or not. */
function attempt(node: Expression | undefined, scope: Scope, run: Run): Value | EvaluationError {
  try {
    return node ? evaluate(node, scope, run) : null;
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    throw error;
  }
}

function readKey(object: Value, key: string): Value {
  if (object instanceof RulesObject) return object.field(key);
  if (!isMap(object)) throw new EvaluationError(`.${key} of a value that is no map`);
  const value = object.get(key);
  if (value === undefined) throw new EvaluationError(`no key ${key}`);
  return value;
}

function readIndex(object: Value, index: Value): Value {
  if (isMap(object)) return readKey(object, asText(index));
  if (!isList(object)) throw new UnsupportedError('[…] of a value that is neither list nor map');
  if (typeof index !== 'bigint') throw new EvaluationError('an index that is no integer');
  const value = index < 0n ? undefined : object[Number(index)];
  if (value === undefined) throw new EvaluationError('an index outside the list');
  return value;
}

function readRange(object: Value, from: Value, to: Value): Value {
  if (typeof object !== 'string' && !isList(object)) throw new UnsupportedError('[…:…] of this type');
  if (typeof from !== 'bigint' || typeof to !== 'bigint')
    throw new EvaluationError('a range that is no integer');
  if (from < 0n || to < from || to > BigInt(object.length))
    throw new EvaluationError('a range outside the value');
  return object.slice(Number(from), Number(to));
}

function asText(value: Value): string {
  if (typeof value !== 'string') throw new EvaluationError('not a string');
  return value;
}
