import type { AllowStatement, Expression, MatchBlock, Ruleset } from '../evaluator/ast.ts';
import { boundsIn, wordsLike } from './faulty-literals.ts';

/** One small fault, as somebody might make it in an edit. */
export interface Mutant {
  /** The text that was replaced, and what stands there instead. */
  readonly name: string;
  readonly ruleset: Ruleset;
}

interface Fault {
  readonly target: Expression | AllowStatement;
  readonly replacement: Expression | AllowStatement;
  readonly described: string;
}

/**
 * Every mutant of a rules file: each operand of `&&` taken for true and of `||` for false, each `!` dropped, each list of
 * texts one longer and one shorter, each bound one higher and one lower, each `allow` widened. The tree is changed, not
 * the text: the grammar takes a third of a second for a file.
 */
export function makeMutants(ruleset: Ruleset, source: string): readonly Mutant[] {
  const faults = [
    ...expressionsOf(ruleset).flatMap((node) => faultsOf(node, source)),
    ...ruleset.matches.flatMap(statementsOf).flatMap(wider),
  ];
  return faults.map(({ target, replacement, described }) => ({
    name: `${source.slice(target.span.start, target.span.end).replace(/\s+/g, ' ')} → ${described}`,
    ruleset: substitute(ruleset, target, replacement) as Ruleset,
  }));
}

function faultsOf(node: Expression, source: string): readonly Fault[] {
  switch (node.type) {
    case 'and':
    case 'or':
      return [node.left, node.right]
        .filter((operand) => operand.type !== node.type)
        .map((operand) => literalFault(operand, node.type === 'and'));
    case 'not': {
      const { start, end } = node.operand.span;
      return [{ target: node, replacement: node.operand, described: source.slice(start, end) }];
    }
    case 'list':
      return wordsLike(node.items).map((words) => ({
        target: node,
        replacement: { ...node, items: words.map((value) => ({ type: 'literal', value, span: node.span })) },
        described: `[${words.join(', ')}]`,
      }));
    case 'binary': {
      const { right } = node;
      if (right.type !== 'literal' || typeof right.value !== 'bigint') return [];
      return [right.value - 1n, right.value + 1n].map((bound) => literalFault(right, bound));
    }
    case 'literal':
      if (typeof node.value !== 'string') return [];
      return boundsIn(node.value).map((pattern) => literalFault(node, pattern));
    default:
      return [];
  }
}

function literalFault(target: Expression, value: boolean | bigint | string): Fault {
  return { target, replacement: { type: 'literal', value, span: target.span }, described: String(value) };
}

const METHODS = ['get', 'list', 'create', 'update', 'delete'] as const;

/** An `allow` for every method, and one for everybody who is signed in. */
function wider(statement: AllowStatement): readonly Fault[] {
  const { span } = statement;
  const auth: Expression = {
    type: 'member',
    object: { type: 'name', name: 'request', span },
    name: 'auth',
    span,
  };
  const nothing: Expression = { type: 'literal', value: null, span };
  const condition: Expression = { type: 'binary', operator: '!=', left: auth, right: nothing, span };
  const forAnyone = {
    target: statement,
    replacement: { ...statement, condition },
    described: 'if request.auth != null',
  };
  const forAll = {
    target: statement,
    replacement: { ...statement, methods: METHODS },
    described: 'allow read, write',
  };
  return statement.methods.length < METHODS.length ? [forAnyone, forAll] : [forAnyone];
}

function statementsOf(block: MatchBlock): readonly AllowStatement[] {
  return [...block.allows, ...block.matches.flatMap(statementsOf)];
}

function expressionsOf(part: unknown): readonly Expression[] {
  if (typeof part !== 'object' || part === null) return [];
  const inner = Object.values(part).flatMap((value) => expressionsOf(value));
  return 'type' in part && 'span' in part ? [part as Expression, ...inner] : inner;
}

/** A copy of the tree in which one node, known by its identity, is another. */
function substitute(part: unknown, target: object, replacement: object): unknown {
  if (part === target) return replacement;
  if (typeof part !== 'object' || part === null) return part;
  if (Array.isArray(part)) return part.map((item) => substitute(item, target, replacement));
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key, substitute(value, target, replacement)]),
  );
}
