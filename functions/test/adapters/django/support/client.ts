import { makeListExport } from '../../../../src/adapters/django/read-members.ts';
import {
  makeRegistryHttp,
  type RegistryHttp,
  type RegistryHttpOptions,
} from '../../../../src/adapters/django/registry-http.ts';
import { isSyncError, type SyncError } from '../../../../src/lib/errors.ts';
import { LIST } from './answers.ts';

/** Small pauses, so that a failure takes milliseconds; a test about silence gives a limit of its own. */
export const TEST_LIMITS = {
  requestTimeoutMs: 2_000,
  maxAnswerBytes: 4_096,
  retry: { baseDelayMs: 2, maxDelayMs: 8 },
} as const;

export const TEST_TOKEN = 'a-token-for-tests';

export const openClient = (baseUrl: string, options: Partial<RegistryHttpOptions> = {}): RegistryHttp =>
  makeRegistryHttp({
    baseUrl,
    authScheme: 'Token',
    token: { read: async () => TEST_TOKEN, drop: () => undefined },
    ...TEST_LIMITS,
    ...options,
  });

export const fetchExport = (http: RegistryHttp, deadlineMs = 30_000) =>
  makeListExport(http, { deadlineMs }).fetchKennitalaExport({ signal: new AbortController().signal });

/** The error that the promise ends with, after a check that it tells nothing that a member or a server wrote. */
export const failureOf = async (promise: Promise<unknown>): Promise<SyncError> => {
  const error: unknown = await promise.then(
    () => new Error('It was expected to fail.'),
    (thrown: unknown) => thrown,
  );
  if (!isSyncError(error)) throw error;
  const told = `${error.message} ${JSON.stringify(error.details)}`;
  const leaked = [...LIST, TEST_TOKEN, 'login/', '<'].find((text) => told.includes(text));
  if (leaked !== undefined || /\d{10}/.test(told))
    throw new Error(`An error message tells too much: ${told}`);
  return error;
};
