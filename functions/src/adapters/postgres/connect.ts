import type { PoolConfig } from 'pg';
import { SyncError } from '../../lib/errors.ts';
import type { DatabaseTarget } from '../../lib/setting-kinds.ts';

export interface Connection {
  readonly config: PoolConfig;
  /** Ends what keeps the connection's certificates fresh. */
  readonly close: () => void;
}

/**
 * The driver's settings for a target. The connector holds no password: it logs in with a token of the process's own
 * identity, over TLS that it verifies itself, and renews both while it is open.
 */
export const openConnection = async (target: DatabaseTarget): Promise<Connection> => {
  if (target.kind === 'url') {
    const url = URL.parse(target.url);
    if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol)) {
      throw new SyncError('config_invalid', 'DATABASE_URL: allowed is postgres://user@host:port/database');
    }
    return { config: { connectionString: target.url }, close: () => undefined };
  }
  const user = target.user ?? (await readOwnUser());
  const { AuthTypes, Connector, IpAddressTypes } = await import('@google-cloud/cloud-sql-connector');
  const connector = new Connector();
  try {
    const options = await connector.getOptions({
      instanceConnectionName: target.instance,
      authType: AuthTypes.IAM,
      ipType: IpAddressTypes[target.ipType],
    });
    return {
      config: { ...options, user, database: target.database },
      close: () => connector.close(),
    };
  } catch (cause) {
    connector.close();
    throw new SyncError(
      'database_unavailable',
      'Cloud SQL did not answer how the instance is reached. Check CLOUD_SQL_INSTANCE, that the Cloud SQL Admin API ' +
        'is on, and that the service account has the role Cloud SQL Client.',
      { cause },
    );
  }
};

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
