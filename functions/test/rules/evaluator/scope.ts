import type { FunctionDeclaration } from './ast.ts';
import { EvaluationError, UnsupportedError } from './errors.ts';
import type { Value } from './values.ts';

/** Names that an expression sees. A block's functions see the block's own captures, so each keeps its home scope. */
export interface Scope {
  /** An argument or a `let` that failed does so where it is used, and nowhere when it is not. */
  readonly variables: ReadonlyMap<string, Value | EvaluationError>;
  readonly functions: readonly FunctionDeclaration[];
  readonly outer: Scope | null;
}

export function findVariable(scope: Scope, name: string): Value {
  for (let at: Scope | null = scope; at; at = at.outer) {
    const value = at.variables.get(name);
    if (value instanceof EvaluationError) throw value;
    if (value !== undefined) return value;
  }
  throw new UnsupportedError(`the name ${name}, which nothing declares`);
}

export function findFunction(
  scope: Scope,
  name: string,
): { readonly declaration: FunctionDeclaration; readonly home: Scope } | null {
  for (let at: Scope | null = scope; at; at = at.outer) {
    const declaration = at.functions.find((candidate) => candidate.name === name);
    if (declaration) return { declaration, home: at };
  }
  return null;
}
