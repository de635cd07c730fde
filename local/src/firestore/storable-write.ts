import { status } from '@grpc/grpc-js';
import { parseFieldPath } from './field-paths.ts';
import { RpcError } from './rpc-error.ts';
import type { V1Fields, V1Value, V1Write } from './wire.ts';

/** Cloud Firestore, "Quotas and limits": the names of a field and of its parents, with the dots between them. */
const PATH_MAX_BYTES = 1500;
/** google.protobuf.Timestamp: the years 1 to 9999. */
const TIME_MIN_SECONDS = -62_135_596_800;
const TIME_MAX_SECONDS = 253_402_300_799;

/**
 * Refuses what Cloud Firestore cannot store and the engine would. Sizes, nested arrays and depth are the engine's own checks.
 *
 * @throws RpcError INVALID_ARGUMENT (3)
 */
export function assertStorable(write: V1Write): void {
  assertStorableFields(write.update?.fields ?? {}, []);
  const paths = [
    ...(write.updateMask?.fieldPaths ?? []),
    ...(write.updateTransforms ?? []).map(({ fieldPath }) => fieldPath ?? ''),
  ];
  for (const path of paths) assertFieldPath(parseFieldPath(path));
}

/** @throws RpcError INVALID_ARGUMENT (3) for a reserved name, as in a query's filter */
export function assertFieldPath(names: readonly string[]): void {
  if (names.some((name) => name === '' || /^__.+__$/s.test(name))) {
    throw new RpcError(status.INVALID_ARGUMENT, 'The name of a field is empty or reserved (`__.*__`).');
  }
  if (Buffer.byteLength(names.join('.')) > PATH_MAX_BYTES) {
    throw new RpcError(
      status.INVALID_ARGUMENT,
      `The path of a field is longer than ${PATH_MAX_BYTES} bytes.`,
    );
  }
}

function assertStorableFields(fields: V1Fields, parents: readonly string[]): void {
  for (const [name, value] of Object.entries(fields)) {
    const path = [...parents, name];
    assertFieldPath(path);
    assertStorableValue(value, path);
  }
}

function assertStorableValue(
  { mapValue, arrayValue, timestampValue }: V1Value,
  path: readonly string[],
): void {
  if (mapValue) assertStorableFields(mapValue.fields ?? {}, path);
  for (const item of arrayValue?.values ?? []) assertStorableValue(item, path);
  if (!timestampValue) return;
  const seconds = Number(timestampValue.seconds ?? 0);
  if (seconds < TIME_MIN_SECONDS || seconds > TIME_MAX_SECONDS) {
    throw new RpcError(status.INVALID_ARGUMENT, 'A time lies outside the years 1 to 9999.');
  }
}
