import { isSyncError, type SyncError } from '../../lib/errors.ts';
import { secretUnavailable } from './secret-text.ts';

/** What an operator does about each gRPC status (https://grpc.io/docs/guides/status-codes/). Each continues `Secret <name> …`. */
const REMEDIES: Readonly<Record<number, { status: string; what: string }>> = {
  4: {
    status: 'DEADLINE_EXCEEDED',
    what: 'was not answered in time. Look at the status page of Secret Manager.',
  },
  5: {
    status: 'NOT_FOUND',
    what: 'does not exist or has no version. Create it (gcloud secrets create, gcloud secrets versions add), or correct its name in the configuration.',
  },
  7: {
    status: 'PERMISSION_DENIED',
    what: "may not be read by the function's service account. Grant it roles/secretmanager.secretAccessor on this secret (and roles/secretmanager.viewer where every version is listed).",
  },
  8: {
    status: 'RESOURCE_EXHAUSTED',
    what: 'was refused for its quota. Look at the quotas of Secret Manager.',
  },
  9: {
    status: 'FAILED_PRECONDITION',
    what: 'has a newest version that is disabled or destroyed. Enable it or add a new version.',
  },
  14: { status: 'UNAVAILABLE', what: 'could not be read: Secret Manager does not answer.' },
  16: {
    status: 'UNAUTHENTICATED',
    what: 'could not be read: Google did not accept our credentials, or there are none. Check the service account of the function.',
  },
};

/** UNAUTHENTICATED: nothing to sign in with was found, so that no call was made. */
export const NO_CREDENTIALS = 16;

const UNKNOWN = { status: 'UNKNOWN', what: 'could not be read. The stack in the log says where it failed.' };

/** DEADLINE_EXCEEDED and UNAVAILABLE: tried again for the whole call, and excuse using an older value. */
export const PASSING_STATUSES = [4, 14];

/** Whether it is a version that cannot be accessed by itself, while others of the secret may be. */
export const isVersionGone = (error: unknown): boolean => codeOf(error) === 5 || codeOf(error) === 9;

/** Google's message is dropped: it names the project, and says nothing that the status does not. */
export const secretFailure = (name: string, error: unknown): SyncError => {
  if (isSyncError(error)) return error;
  const { status, what } = REMEDIES[codeOf(error) ?? -1] ?? UNKNOWN;
  return secretUnavailable(name, what, status);
};

/** Whether a failure says that Secret Manager is down, and nothing about the secret itself. */
export const isPassingFailure = (error: unknown): boolean =>
  isSyncError(error, 'secret_unavailable') &&
  PASSING_STATUSES.some((code) => REMEDIES[code]?.status === error.details['reason']);

const codeOf = (error: unknown): number | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : null;
