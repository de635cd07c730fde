import { UnsupportedError } from './errors.ts';

interface Token {
  readonly start: number;
  readonly stop: number;
  readonly line: number;
  readonly text: string;
}

/** What this evaluator needs of an antlr4 parse tree, whose package types its contexts as `unknown`. */
export interface TreeNode {
  readonly children?: readonly TreeNode[] | null;
  /** Only tokens have a symbol. */
  readonly symbol?: Token;
  readonly start?: Token;
  readonly stop?: Token;
  getText(): string;
}

/** The grammar's name of a node, without its suffix: `LogicalAndExpression`; `token` for a token. */
export function kindOf(node: TreeNode): string {
  return node.symbol ? 'token' : node.constructor.name.replace(/Context$/, '');
}

export function childrenOf(node: TreeNode): readonly TreeNode[] {
  return node.children ?? [];
}

export function childrenOfKind(node: TreeNode, kind: string): readonly TreeNode[] {
  return childrenOf(node).filter((child) => kindOf(child) === kind);
}

/** The children that are no tokens: what is left of `a && b` is `a` and `b`. */
export function parts(node: TreeNode): readonly TreeNode[] {
  return childrenOf(node).filter((child) => !child.symbol);
}

export function tokensOf(node: TreeNode): readonly string[] {
  return childrenOf(node)
    .filter((child) => child.symbol)
    .map((child) => child.getText());
}

export function onlyPart(node: TreeNode): TreeNode {
  const [part, ...more] = parts(node);
  if (!part || more.length > 0) throw new UnsupportedError(`${kindOf(node)} of ${parts(node).length} parts`);
  return part;
}

export function twoParts(node: TreeNode): readonly [TreeNode, TreeNode] {
  const [left, right, ...more] = parts(node);
  if (!left || !right || more.length > 0) {
    throw new UnsupportedError(`${kindOf(node)} of ${parts(node).length} parts`);
  }
  return [left, right];
}

export function partOfKind(node: TreeNode, kind: string): TreeNode {
  const [part] = childrenOfKind(node, kind);
  if (!part) throw new UnsupportedError(`${kindOf(node)} without ${kind}`);
  return part;
}

export function spanOf(node: TreeNode): { start: number; end: number } {
  const first = node.symbol ?? node.start;
  const last = node.symbol ?? node.stop;
  if (!first || !last) throw new UnsupportedError(`${kindOf(node)} without a place in the source`);
  return { start: first.start, end: last.stop + 1 };
}

export function lineOf(node: TreeNode): number {
  return (node.symbol ?? node.start)?.line ?? 0;
}
