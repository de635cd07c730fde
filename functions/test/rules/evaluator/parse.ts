import { parseForESLint } from '@firebase/eslint-plugin-security-rules/parser';
import type {
  AllowStatement,
  FunctionDeclaration,
  MatchBlock,
  Method,
  PatternSegment,
  Ruleset,
} from './ast.ts';
import { UnsupportedError } from './errors.ts';
import { parseExpression } from './parse-expression.ts';
import {
  childrenOfKind,
  kindOf,
  lineOf,
  onlyPart,
  partOfKind,
  parts,
  spanOf,
  type TreeNode,
} from './tree.ts';

const METHODS: Readonly<Record<string, readonly Method[]>> = {
  get: ['get'],
  list: ['list'],
  create: ['create'],
  update: ['update'],
  delete: ['delete'],
  read: ['get', 'list'],
  write: ['create', 'update', 'delete'],
};

/**
 * Parses a `.rules` file with Firebase's own grammar.
 *
 * @throws SyntaxError (with line and column) when the grammar rejects the text.
 * @throws UnsupportedError for imports, several services, or a rules_version other than 2.
 */
export function parseRules(source: string): Ruleset {
  const tree = parseForESLint(source).services['tree'] as TreeNode;
  const version = partOfKind(tree, 'VersionStatement').getText();
  if (!/^rules_version=(['"])2\1;?$/.test(version)) throw new UnsupportedError(version);
  const [importStatement] = childrenOfKind(tree, 'ImportStatement');
  if (importStatement) throw new UnsupportedError('import');
  const statements = childrenOfKind(tree, 'RulesetStatement').map(onlyPart);
  const services = statements.filter((part) => kindOf(part) === 'ServiceDeclaration');
  const [service] = services;
  if (!service || services.length > 1) throw new UnsupportedError(`${services.length} services in one file`);
  const members = childrenOfKind(service, 'ServiceStatement').map(onlyPart);
  return {
    service: partOfKind(service, 'ServiceId').getText(),
    functions: functionsAmong([...statements, ...members]),
    matches: matchesAmong(members),
  };
}

function functionsAmong(nodes: readonly TreeNode[]): readonly FunctionDeclaration[] {
  const functions = nodes.filter((node) => kindOf(node) === 'FunctionDeclaration').map(parseFunction);
  const names = new Set(functions.map((declaration) => declaration.name));
  if (names.size < functions.length) throw new UnsupportedError('two functions of one name in one block');
  return functions;
}

function matchesAmong(nodes: readonly TreeNode[]): readonly MatchBlock[] {
  return nodes.filter((node) => kindOf(node) === 'MatchRuleDeclaration').map(parseMatch);
}

function parseMatch(node: TreeNode): MatchBlock {
  const members = childrenOfKind(node, 'MatchStatement').map(onlyPart);
  return {
    pattern: parts(partOfKind(node, 'PathDecl')).flatMap(parsePatternSegment),
    functions: functionsAmong(members),
    allows: members.filter((part) => kindOf(part) === 'PermissionDeclaration').map(parseAllow),
    matches: matchesAmong(members),
  };
}

function parsePatternSegment(node: TreeNode): readonly PatternSegment[] {
  switch (kindOf(node)) {
    // The package's grammar spells it so.
    case 'SimpleSegmemnt':
    case 'SimpleSegment':
      return node
        .getText()
        .split('/')
        .slice(1)
        .map((text) => ({ kind: 'literal', text }));
    case 'CaptureSegment':
      return [{ kind: 'one', name: onlyPart(partOfKind(node, 'Capture')).getText() }];
    case 'GlobSegment':
      return [{ kind: 'rest', name: onlyPart(partOfKind(node, 'GlobCapture')).getText() }];
    default:
      throw new UnsupportedError(`path segment ${kindOf(node)}`);
  }
}

function parseAllow(node: TreeNode): AllowStatement {
  const methods = parts(partOfKind(node, 'OperationId')).flatMap((id) => {
    const spelled = METHODS[id.getText()];
    if (!spelled) throw new UnsupportedError(`allow ${id.getText()}`);
    return spelled;
  });
  const [body] = childrenOfKind(node, 'PermissionBody');
  const span = spanOf(node);
  return {
    span,
    line: lineOf(node),
    methods,
    // `allow read;` has no condition to fail.
    condition: body ? parseExpression(onlyPart(body)) : { type: 'literal', value: true, span },
  };
}

function parseFunction(node: TreeNode): FunctionDeclaration {
  const body = partOfKind(node, 'FunctionBody');
  const parameters = childrenOfKind(partOfKind(node, 'FunctionSignature'), 'ParamList')
    .flatMap(parts)
    .map((part) => part.getText());
  return {
    name: partOfKind(node, 'LocalFunctionId').getText(),
    parameters,
    bindings: childrenOfKind(body, 'BindingDeclaration').map((binding) => {
      const [name, value] = parts(binding);
      if (!name || !value) throw new UnsupportedError('let without a value');
      return { name: name.getText(), value: parseExpression(value) };
    }),
    result: parseExpression(onlyPart(partOfKind(body, 'ReturnStatement'))),
  };
}
