import type { Method } from '../evaluator/ast.ts';
import { EVERYBODY } from './people.ts';
import type { RulesCase } from './rules-case.ts';

const OBJECTS = ['kennitalas.txt', 'backup/kennitalas.txt', 'members/0101302399/photo.jpg'];
const METHODS: readonly Method[] = ['get', 'list', 'create', 'update', 'delete'];

/** No client reads or writes any object, administrators included. */
export const STORAGE_CASES: readonly RulesCase[] = OBJECTS.flatMap((path) =>
  METHODS.flatMap((operation) =>
    EVERYBODY.map(
      (who): RulesCase => ({
        title: `${who} may not ${operation} ${path}`,
        service: 'storage',
        who,
        path,
        operation,
        before: operation === 'create' ? null : {},
        ...(operation === 'create' ? { change: { set: {} } } : {}),
        ...(operation === 'update' ? { change: { update: {} } } : {}),
        expect: 'deny',
      }),
    ),
  ),
);
