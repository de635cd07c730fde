import { status } from '@grpc/grpc-js';
import { invalid, parseFieldPath, RpcError } from './names.ts';
import type * as wire from './protocol.ts';
import { assertFieldPath } from './writes.ts';

/** Cloud Firestore, "Query data": so many alternatives when a query is written as one `or` of `and`s. */
const MAX_DISJUNCTIONS = 30;
const NAME = '__name__';
const RANGES = new Set(['LESS_THAN', 'LESS_THAN_OR_EQUAL', 'GREATER_THAN', 'GREATER_THAN_OR_EQUAL']);

/**
 * Says in the query what Cloud Firestore understands without being told, because the engine does not:
 * a query is ordered by its inequality fields too, a document without a field that the query is ordered by is not found,
 * `!=` finds neither null nor a missing field, and `in` takes 30 values of mixed types.
 *
 * @param requiredFields fields that a document must have besides: those of `sum` and `average`
 * @throws RpcError INVALID_ARGUMENT (3) for more than 30 alternatives; UNIMPLEMENTED (12) for a range over booleans, arrays
 *   or maps, which the engine cannot compare and would answer with nothing
 */
export function rewriteQuery(
  query: wire.V1StructuredQuery,
  requiredFields: string[] = [],
): wire.V1StructuredQuery {
  const disjunctions = query.where ? countDisjunctions(query.where) : 1;
  if (disjunctions > MAX_DISJUNCTIONS) {
    throw invalid(`The query has ${disjunctions} disjunctions; ${MAX_DISJUNCTIONS} are allowed.`);
  }
  const orderBy = planOrder(query);
  const filters = [...orderBy.map((order) => order.field?.fieldPath ?? NAME), ...requiredFields].map(exists);
  if (query.where) filters.unshift(rewriteFilter(query.where));
  const rewritten: wire.V1StructuredQuery = { ...query, orderBy };
  if (filters.length > 0) rewritten.where = { compositeFilter: { op: 'AND', filters } };
  // A wrapper message without its value stands for zero, which the engine takes for "no limit".
  if (query.limit) rewritten.limit = { value: query.limit.value ?? 0 };
  return rewritten;
}

function countDisjunctions(filter: wire.V1Filter): number {
  if (filter.compositeFilter) {
    const counts = (filter.compositeFilter.filters ?? []).map(countDisjunctions);
    return filter.compositeFilter.op === 'OR'
      ? counts.reduce((sum, count) => sum + count, 0)
      : counts.reduce((product, count) => product * count, 1);
  }
  const isAny = ['IN', 'ARRAY_CONTAINS_ANY'].includes(String(filter.fieldFilter?.op));
  return isAny ? (filter.fieldFilter?.value?.arrayValue?.values?.length ?? 1) : 1;
}

/** StructuredQuery.order_by: inequality fields that are not named come last, in order of their names. */
function planOrder(query: wire.V1StructuredQuery): wire.V1Order[] {
  const explicit = query.orderBy ?? [];
  const direction = explicit.at(-1)?.direction ?? 'ASCENDING';
  const named = new Set(explicit.map((order) => order.field?.fieldPath));
  const implied = [...new Set(query.where ? inequalityFields(query.where) : [])]
    .filter((fieldPath) => !named.has(fieldPath) && fieldPath !== NAME)
    .sort();
  return [...explicit, ...implied.map((fieldPath): wire.V1Order => ({ field: { fieldPath }, direction }))];
}

function inequalityFields(filter: wire.V1Filter): string[] {
  if (filter.compositeFilter) return (filter.compositeFilter.filters ?? []).flatMap(inequalityFields);
  const { fieldFilter, unaryFilter } = filter;
  const op = String(fieldFilter?.op ?? unaryFilter?.op);
  const isInequality = RANGES.has(op) || ['NOT_EQUAL', 'NOT_IN', 'IS_NOT_NULL', 'IS_NOT_NAN'].includes(op);
  return isInequality ? [(fieldFilter ?? unaryFilter)?.field?.fieldPath ?? ''] : [];
}

function rewriteFilter(filter: wire.V1Filter): wire.V1Filter {
  if (filter.compositeFilter) {
    const filters = (filter.compositeFilter.filters ?? []).map(rewriteFilter);
    return { compositeFilter: { ...filter.compositeFilter, filters } };
  }
  return filter.fieldFilter ? rewriteFieldFilter(filter.fieldFilter) : filter;
}

function rewriteFieldFilter(filter: wire.V1FieldFilter): wire.V1Filter {
  const { op, value } = filter;
  const field = { fieldPath: filter.field?.fieldPath ?? '' };
  if (field.fieldPath !== NAME) assertFieldPath(parseFieldPath(field.fieldPath));
  if (RANGES.has(String(op)) && (value?.arrayValue || value?.mapValue || value?.booleanValue !== undefined)) {
    throw new RpcError(status.UNIMPLEMENTED, 'This server compares no booleans, arrays or maps by range.');
  }
  if (op === 'NOT_EQUAL') {
    return all([{ fieldFilter: filter }, { unaryFilter: { field, op: 'IS_NOT_NULL' } }]);
  }
  if (op === 'IN') {
    const values = value?.arrayValue?.values ?? [];
    if (values.length === 0) {
      throw invalid("'IN' takes at least one comparison value.");
    }
    return any(values.map((candidate) => ({ fieldFilter: { field, op: 'EQUAL', value: candidate } })));
  }
  return { fieldFilter: filter };
}

/**
 * True for a document that has the field, be it null. The last of the three finds nothing; it makes the field one of
 * the query's inequality fields, without which the engine refuses to order by it first.
 */
function exists(fieldPath: string): wire.V1Filter {
  const field = { fieldPath };
  return any([
    { unaryFilter: { field, op: 'IS_NULL' } },
    { unaryFilter: { field, op: 'IS_NOT_NULL' } },
    { fieldFilter: { field, op: 'GREATER_THAN', value: { nullValue: 'NULL_VALUE' } } },
  ]);
}

function all(filters: wire.V1Filter[]): wire.V1Filter {
  return { compositeFilter: { op: 'AND', filters } };
}

function any(filters: wire.V1Filter[]): wire.V1Filter {
  return { compositeFilter: { op: 'OR', filters } };
}
