import { SyncError } from '../../lib/errors.ts';

const SUFFIX = '.gserviceaccount.com';

/**
 * The IAM database user that this process can log in as: its own service account, by Cloud SQL's rule without
 * `.gserviceaccount.com` (https://cloud.google.com/sql/docs/postgres/iam-authentication). Each group of functions has an
 * account of its own, so one name in the settings could not serve them all.
 * @throws SyncError `config_invalid` where the process runs as a person, `database_unavailable` when nobody answers who
 *   it is.
 */
export const readOwnUser = async (): Promise<string> => {
  const { GoogleAuth } = await import('google-auth-library');
  let email: string | undefined;
  try {
    email = (await new GoogleAuth().getCredentials()).client_email;
  } catch (cause) {
    throw new SyncError(
      'database_unavailable',
      'The metadata server did not answer which service account this is.',
      { cause },
    );
  }
  if (email?.endsWith(SUFFIX) !== true) {
    throw new SyncError(
      'config_invalid',
      'DATABASE_USER: this process has no service account of its own. Set the IAM database user to log in as.',
    );
  }
  return email.slice(0, -SUFFIX.length);
};
