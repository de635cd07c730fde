import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import type { V1Value } from '../../src/firestore/protocol.ts';
import { rewriteQuery } from '../../src/firestore/rewrite-query.ts';

const from = [{ collectionId: 'c' }];
const greater = (fieldPath: string, value: V1Value) => ({
  fieldFilter: { field: { fieldPath }, op: 'GREATER_THAN' as const, value },
});

test.each<[string, V1Value]>([
  ['a boolean', { booleanValue: false }],
  ['an array', { arrayValue: {} }],
  ['a map', { mapValue: {} }],
])('a range over %s is refused, because the engine would find nothing', (_title, value) => {
  expect(() => rewriteQuery({ from, where: greater('f', value) })).toThrow(
    expect.objectContaining({ code: status.UNIMPLEMENTED }),
  );
});

test('the fields of inequalities follow the named order, by name and in its last direction', () => {
  const where = {
    compositeFilter: {
      op: 'AND' as const,
      filters: ['z', 'b', 'a'].map((path) => greater(path, { integerValue: '1' })),
    },
  };
  const { orderBy } = rewriteQuery({
    from,
    where,
    orderBy: [{ field: { fieldPath: 'b' }, direction: 'DESCENDING' }],
  });
  expect(orderBy).toEqual(
    ['b', 'a', 'z'].map((fieldPath) => ({ field: { fieldPath }, direction: 'DESCENDING' })),
  );
});

test('a query without filter and order stays as it is, and a limit of zero stays zero', () => {
  expect(rewriteQuery({ from, limit: {} })).toEqual({ from, orderBy: [], limit: { value: 0 } });
});
