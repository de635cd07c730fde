import { SyncError } from '../../lib/errors.ts';

/**
 * A secret as it is used: UTF-8 text without the one line break that `echo … | gcloud secrets versions add` leaves.
 * @throws SyncError `secret_unavailable` for an empty one.
 */
export const parseSecretText = (name: string, text: string): string => {
  const secret = text.replace(/\r?\n$/, '');
  if (secret !== '') return secret;
  throw secretUnavailable(name, 'is empty. Store its value as a new version.', 'empty');
};

/** `reason` is a stable word or a gRPC status, for the log; `what` continues a sentence that starts with the name. */
export const secretUnavailable = (name: string, what: string, reason: string): SyncError =>
  new SyncError('secret_unavailable', `Secret ${name} ${what}`, { details: { secret: name, reason } });
