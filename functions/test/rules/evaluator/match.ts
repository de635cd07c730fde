import type { AllowStatement, MatchBlock, PatternSegment, Ruleset } from './ast.ts';
import type { Scope } from './scope.ts';
import { RulesPath, type Value } from './values.ts';

/** An `allow` whose block matches the path, with the names that its condition sees. */
export interface Candidate {
  readonly statement: AllowStatement;
  readonly scope: Scope;
}

/**
 * Finds every `allow` that speaks about a path. Several blocks may match one path; a block speaks only about paths that
 * its pattern, below its parents', consumes to the end.
 */
export function findCandidates(
  ruleset: Ruleset,
  path: readonly string[],
  globals: ReadonlyMap<string, Value>,
): readonly Candidate[] {
  const root: Scope = { variables: globals, functions: ruleset.functions, outer: null };
  return ruleset.matches.flatMap((block) => candidatesIn(block, path, root));
}

/** All `allow` statements of a ruleset, in the order of the source. */
export function listStatements(ruleset: Ruleset): readonly AllowStatement[] {
  const within = (block: MatchBlock): readonly AllowStatement[] => [
    ...block.allows,
    ...block.matches.flatMap(within),
  ];
  return ruleset.matches.flatMap(within).toSorted((a, b) => a.span.start - b.span.start);
}

function candidatesIn(block: MatchBlock, path: readonly string[], outer: Scope): readonly Candidate[] {
  return bind(block.pattern, path).flatMap(({ variables, rest }) => {
    const scope: Scope = { variables, functions: block.functions, outer };
    const own = rest.length === 0 ? block.allows.map((statement) => ({ statement, scope })) : [];
    return [...own, ...block.matches.flatMap((inner) => candidatesIn(inner, rest, scope))];
  });
}

interface Binding {
  readonly variables: ReadonlyMap<string, Value>;
  readonly rest: readonly string[];
}

/** Each way in which a pattern fits a beginning of the path: `{x=**}` can take any number of segments. */
function bind(pattern: readonly PatternSegment[], path: readonly string[]): readonly Binding[] {
  const [first, ...others] = pattern;
  if (!first) return [{ variables: new Map(), rest: path }];
  if (first.kind === 'rest') {
    return Array.from({ length: path.length + 1 }, (_, taken) => taken).flatMap((taken) =>
      withVariable(first.name, new RulesPath(path.slice(0, taken)), bind(others, path.slice(taken))),
    );
  }
  const [segment, ...rest] = path;
  if (segment === undefined) return [];
  if (first.kind === 'literal') return first.text === segment ? bind(others, rest) : [];
  return withVariable(first.name, segment, bind(others, rest));
}

function withVariable(name: string, value: Value, bindings: readonly Binding[]): readonly Binding[] {
  return bindings.map(({ variables, rest }) => ({ variables: new Map([[name, value], ...variables]), rest }));
}
