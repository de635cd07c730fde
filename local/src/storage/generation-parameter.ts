import { badRequest } from './errors.ts';

/** @throws ApiError 400 for a generation that is no number: taking it for "the live one" would address another version */
export function parseGeneration(query: URLSearchParams, parameter = 'generation'): string | null {
  const text = query.get(parameter);
  if (text === null) return null;
  if (!/^\d{1,19}$/.test(text)) throw badRequest(`Invalid value for ${parameter}`);
  return BigInt(text).toString();
}
