import type { protos, SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { lazy } from '../../lib/lazy.ts';
import { makeCachedReads } from './cached-reads.ts';
import { crc32c } from './crc32c.ts';
import {
  isPassingFailure,
  isVersionGone,
  NO_CREDENTIALS,
  PASSING_STATUSES,
  secretFailure,
} from './grpc-failures.ts';
import type { SecretSource } from './secret-source.ts';
import { parseSecretText, secretUnavailable } from './secret-text.ts';

type ClientOptions = NonNullable<ConstructorParameters<typeof SecretManagerServiceClient>[0]>;
type Payload = protos.google.cloud.secretmanager.v1.ISecretPayload;

export interface SecretManagerOptions {
  readonly projectId: string;
  /** For how long a value is used without asking again. Default five minutes. */
  readonly cacheMs?: number | undefined;
  /** For how long after it was read a value is used while Secret Manager is down. Default one hour. */
  readonly staleMs?: number | undefined;
  /** One read with its retries. Default 15 s, half of what a request to the registry may take. */
  readonly timeoutMs?: number | undefined;
  /** For the Google client: another endpoint or credentials. Default: the credentials of the environment. */
  readonly client?: ClientOptions | undefined;
  readonly now?: (() => number) | undefined;
}

export interface SecretManager extends SecretSource {
  readonly close: () => Promise<void>;
}

const DEFAULT_CACHE_MS = 5 * 60_000;
const DEFAULT_STALE_MS = 60 * 60_000;
const DEFAULT_TIMEOUT_MS = 15_000;
const STALE_PAUSE_MS = 30_000;

/**
 * Google Secret Manager. The client library is loaded and connected at the first read.
 *
 * While Secret Manager is down (UNAVAILABLE, DEADLINE_EXCEEDED), a value read within the last hour goes on being used,
 * so that its outage does not become ours; any other failure (access withdrawn, version disabled) counts at once.
 */
export const makeSecretManager = (options: SecretManagerOptions): SecretManager => {
  let opened: SecretManagerServiceClient | undefined;
  const made = lazy(async (): Promise<SecretManagerServiceClient> => {
    const library = await import('@google-cloud/secret-manager');
    return new library.SecretManagerServiceClient({ projectId: options.projectId, ...options.client });
  });
  const client = lazy(async (): Promise<SecretManagerServiceClient> => {
    const unopened = await made();
    try {
      // Each call of the library starts `initialize` too, and leaves its rejection unhandled: without credentials it would
      // end the process instead of failing the call. It is not repeatable, so the credentials are looked for first.
      if (options.client?.['sslCreds'] === undefined) await unopened.auth.getClient();
      await unopened.initialize();
    } catch (cause) {
      throw Object.assign(new Error('The client could not be opened.', { cause }), { code: NO_CREDENTIALS });
    }
    opened = unopened;
    return unopened;
  });
  const callOptions = retryWithin(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);

  const access = async (name: string, version: string): Promise<string> => {
    const [answer] = await (await client()).accessSecretVersion({ name: version }, callOptions);
    return parsePayload(name, answer.payload);
  };

  const accessEnabled = async (name: string): Promise<readonly string[]> => {
    const parent = parentOf(options.projectId, name);
    const [listed] = await (await client()).listSecretVersions(
      { parent, filter: 'state:ENABLED' },
      callOptions,
    );
    const versions = await Promise.all(
      listed.map(async ({ name: version }) => {
        try {
          return await access(name, version ?? '');
        } catch (error) {
          // Disabled between the list and this read: no longer one of the enabled ones.
          if (isVersionGone(error)) return null;
          throw error;
        }
      }),
    );
    const inForce = versions.filter((version) => version !== null);
    if (inForce.length > 0) return inForce;
    throw secretUnavailable(
      name,
      'has no enabled version. Enable one or add a new one.',
      'NO_ENABLED_VERSION',
    );
  };

  const cached = <T>(read: (name: string) => Promise<T>) =>
    makeCachedReads(
      async (name) => {
        try {
          return await read(name);
        } catch (error) {
          throw secretFailure(name, error);
        }
      },
      isPassingFailure,
      {
        freshMs: options.cacheMs ?? DEFAULT_CACHE_MS,
        staleMs: options.staleMs ?? DEFAULT_STALE_MS,
        pauseMs: STALE_PAUSE_MS,
      },
      options.now,
    );
  const newest = cached((name) => access(name, `${parentOf(options.projectId, name)}/versions/latest`));
  const enabled = cached(accessEnabled);

  return {
    read: newest.get,
    readAll: enabled.get,
    drop: (name) => {
      newest.drop(name);
      enabled.drop(name);
    },
    close: async () => {
      await opened?.close();
    },
  };
};

const parentOf = (projectId: string, name: string): string => {
  if (/^[\w-]{1,255}$/.test(name)) return `projects/${projectId}/secrets/${name}`;
  throw secretUnavailable(
    '(unreadable)',
    'has a name of another form than django-api-token.',
    'INVALID_NAME',
  );
};

/** gax's own settings retry reading for ten minutes and listing not at all; a webhook's sender waits seconds. */
const retryWithin = (timeoutMs: number) => ({
  retry: {
    retryCodes: [...PASSING_STATUSES],
    backoffSettings: {
      initialRetryDelayMillis: 200,
      retryDelayMultiplier: 2,
      maxRetryDelayMillis: 2_000,
      initialRpcTimeoutMillis: timeoutMs / 3,
      rpcTimeoutMultiplier: 1,
      maxRpcTimeoutMillis: timeoutMs / 3,
      totalTimeoutMillis: timeoutMs,
    },
  },
});

const parsePayload = (name: string, payload: Payload | null | undefined): string => {
  const bytes = Buffer.from(payload?.data ?? []);
  const expected = payload?.dataCrc32c;
  if (expected !== undefined && expected !== null && Number(expected) !== crc32c(bytes)) {
    throw secretUnavailable(name, 'arrived damaged (its checksum differs). Try again.', 'DATA_LOSS');
  }
  return parseSecretText(name, bytes.toString('utf8'));
};
