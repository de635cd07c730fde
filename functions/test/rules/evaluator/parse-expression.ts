import type { BinaryOperator, Expression } from './ast.ts';
import { UnsupportedError } from './errors.ts';
import { parseLiteral } from './parse-literal.ts';
import {
  childrenOf,
  childrenOfKind,
  kindOf,
  onlyPart,
  partOfKind,
  parts,
  spanOf,
  type TreeNode,
  tokensOf,
  twoParts,
} from './tree.ts';

const BINARY: readonly string[] = ['==', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/', '%', 'in'];

/** Makes an expression of the grammar's tree. Precedence is the grammar's; nothing is decided here. */
export function parseExpression(node: TreeNode): Expression {
  const span = spanOf(node);
  switch (kindOf(node)) {
    case 'PrimaryExpression':
    case 'ParenSimpleExpression':
      return parseExpression(onlyPart(node));
    case 'LogicalAndExpression':
    case 'LogicalOrExpression': {
      const [left, right] = twoParts(node).map(parseExpression) as [Expression, Expression];
      return { type: kindOf(node) === 'LogicalAndExpression' ? 'and' : 'or', left, right, span };
    }
    case 'EqualityExpression':
    case 'RelationalExpression':
    case 'AdditiveExpression':
    case 'MultiplicativeExpression':
    case 'ExprInExpression': {
      const [left, right] = twoParts(node).map(parseExpression) as [Expression, Expression];
      return { type: 'binary', operator: operatorOf(node), left, right, span };
    }
    case 'NotExpression':
      return { type: 'not', operand: parseExpression(onlyPart(node)), span };
    case 'UnaryAdditiveExpression':
      if (tokensOf(node).join('') !== '-')
        throw new UnsupportedError(`${tokensOf(node).join('')} before a value`);
      return { type: 'negate', operand: parseExpression(onlyPart(node)), span };
    case 'ExprIsTypeIdExpression': {
      const [operand, typeName] = twoParts(node);
      return { type: 'is', operand: parseExpression(operand), typeName: typeName.getText(), span };
    }
    case 'TernaryExpression': {
      const [test, yes, no] = parts(node).map(parseExpression);
      if (!test || !yes || !no) throw new UnsupportedError('a ternary without its three parts');
      return { type: 'ternary', test, yes, no, span };
    }
    default:
      return parseSimple(node, span);
  }
}

function parseSimple(node: TreeNode, span: Expression['span']): Expression {
  switch (kindOf(node)) {
    case 'LiteralExpression':
      return { type: 'literal', value: parseLiteral(onlyPart(node).getText()), span };
    case 'VariableSimpleExpression':
      return { type: 'name', name: node.getText(), span };
    case 'MemberLookupSimpleExpression': {
      const [object, name] = twoParts(node);
      return { type: 'member', object: parseExpression(object), name: name.getText(), span };
    }
    case 'ListLookupSimpleExpression':
      return parseLookup(node, span);
    case 'FunctionCallSimpleExpression':
      return {
        type: 'call',
        name: partOfKind(node, 'LocalFunctionId').getText(),
        args: argumentsOf(node),
        span,
      };
    case 'MemberFunctionCallSimpleExpression':
    case 'IdMemberFunctionCallSimpleExpression': {
      const [receiver] = parts(node);
      if (!receiver) throw new UnsupportedError('a method without a receiver');
      const object: Expression =
        kindOf(receiver) === 'Id'
          ? { type: 'name', name: receiver.getText(), span: spanOf(receiver) }
          : parseExpression(receiver);
      const name = partOfKind(node, 'MemberId').getText();
      return { type: 'method', object, name, args: argumentsOf(node), span };
    }
    case 'ListSimpleExpression':
      return { type: 'list', items: argumentsOf(node), span };
    case 'MapSimpleExpression': {
      const entries = childrenOfKind(onlyPart(node), 'MapEntries').flatMap(parts);
      return {
        type: 'map',
        entries: entries.map((entry) => twoParts(entry).map(parseExpression) as [Expression, Expression]),
        span,
      };
    }
    case 'PathSimpleExpression':
      return { type: 'path', segments: parts(onlyPart(node)).flatMap(parsePathSegment), span };
    default:
      throw new UnsupportedError(kindOf(node));
  }
}

function parseLookup(node: TreeNode, span: Expression['span']): Expression {
  const [object, lookup] = twoParts(node);
  if (kindOf(lookup) === 'IndexLookup') {
    return { type: 'index', object: parseExpression(object), index: parseExpression(onlyPart(lookup)), span };
  }
  const [from, to] = twoParts(lookup).map(parseExpression) as [Expression, Expression];
  return { type: 'range', object: parseExpression(object), from, to, span };
}

function parsePathSegment(node: TreeNode): readonly (string | Expression)[] {
  const expression = parts(node).find((part) => !kindOf(part).startsWith('SimpleSeg'));
  if (expression) {
    if (!childrenOf(node).some((child) => child.getText() === '$'))
      throw new UnsupportedError('a capture in a path');
    return [parseExpression(expression)];
  }
  return node.getText().split('/').slice(1);
}

function argumentsOf(node: TreeNode): readonly Expression[] {
  return childrenOfKind(node, 'ExpressionList').flatMap(parts).map(parseExpression);
}

function operatorOf(node: TreeNode): BinaryOperator {
  const operator = tokensOf(node).join('');
  if (!BINARY.includes(operator)) throw new UnsupportedError(`operator ${operator}`);
  return operator as BinaryOperator;
}
