import { badRequest, conditionNotMet, notModified } from './errors.ts';
import type { ObjectVersion } from './object-record.ts';

/** The four conditions of the API, https://cloud.google.com/storage/docs/request-preconditions. */
export interface Preconditions {
  /** `0n`: no live version may exist. */
  readonly generationMatch: bigint | undefined;
  readonly generationNotMatch: bigint | undefined;
  readonly metagenerationMatch: bigint | undefined;
  readonly metagenerationNotMatch: bigint | undefined;
}

export const NO_PRECONDITIONS: Preconditions = {
  generationMatch: undefined,
  generationNotMatch: undefined,
  metagenerationMatch: undefined,
  metagenerationNotMatch: undefined,
};

/**
 * @param prefix `ifSource` reads the conditions on a copy's source
 * @throws ApiError 400 for a value that is not a 64-bit number: ignoring it would drop the caller's safety.
 */
export function parsePreconditions(query: URLSearchParams, prefix: 'if' | 'ifSource' = 'if'): Preconditions {
  return {
    generationMatch: parseInt64(query, `${prefix}GenerationMatch`),
    generationNotMatch: parseInt64(query, `${prefix}GenerationNotMatch`),
    metagenerationMatch: parseInt64(query, `${prefix}MetagenerationMatch`),
    metagenerationNotMatch: parseInt64(query, `${prefix}MetagenerationNotMatch`),
  };
}

/**
 * @param version what the request addresses; `undefined` when nothing is there (only a write may go on then)
 * @throws ApiError 412 `conditionNotMet`; on a read, a failed NotMatch is 304 instead
 */
export function assertPreconditions(
  conditions: Preconditions,
  version: Pick<ObjectVersion, 'generation' | 'metageneration'> | undefined,
  access: 'read' | 'write',
): void {
  const generation = version ? BigInt(version.generation) : 0n;
  const metageneration = version ? BigInt(version.metageneration) : undefined;
  const { generationMatch, generationNotMatch, metagenerationMatch, metagenerationNotMatch } = conditions;

  if (generationMatch !== undefined && generationMatch !== generation) throw conditionNotMet('If-Match');
  if (metagenerationMatch !== undefined && metagenerationMatch !== metageneration) {
    throw conditionNotMet('If-Match');
  }
  const unchanged =
    (generationNotMatch !== undefined && (!version || generationNotMatch === generation)) ||
    (metagenerationNotMatch !== undefined && (!version || metagenerationNotMatch === metageneration));
  if (unchanged) throw access === 'read' ? notModified() : conditionNotMet('If-None-Match');
}

function parseInt64(query: URLSearchParams, name: string): bigint | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^-?\d{1,19}$/.test(text)) throw badRequest(`Invalid value for ${name}`);
  return BigInt(text);
}
