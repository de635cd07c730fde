import type { protos, SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { lazy } from '../../lib/concurrency.ts';
import { isSyncError, SyncError } from '../../lib/errors.ts';

/**
 * Secrets by their short names, such as `django-api-token`. Every failure is SyncError `secret_unavailable`, whose
 * message names the secret, what is wrong and what to do, never a value.
 */
export interface SecretSource {
  /** The newest version. Cached for minutes; concurrent reads share one request. */
  readonly read: (name: string) => Promise<string>;
  /** Every version that is in force, newest first: during a rotation the old one still is. At least one. */
  readonly readAll: (name: string) => Promise<readonly string[]>;
  /** Forgets what is cached under the name, because the other side refused it. */
  readonly drop: (name: string) => void;
}

/** One secret of a source, as the registry client wants its token. */
export const makeTokenSource = (
  secrets: Pick<SecretSource, 'read' | 'drop'>,
  name: string,
): { readonly read: () => Promise<string>; readonly drop: () => void } => ({
  read: () => secrets.read(name),
  drop: () => secrets.drop(name),
});

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

/** Values by the secret's name; a list is its versions in force, newest first. */
type SecretValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Secrets that were given to the process, for the local stack and for tests. The record is looked up at each read and
 * never copied, so changing a value in it is a rotation.
 */
export const makeEnvSecrets = (values: SecretValues): SecretSource => {
  const readAll = (name: string): readonly string[] => {
    const given = Object.hasOwn(values, name) ? values[name] : undefined;
    const versions = typeof given === 'string' ? [given] : (given ?? []);
    if (versions.length > 0) return versions.map((version) => parseSecretText(name, version));
    throw secretUnavailable(
      name,
      'was not given to the local stack. Set it in its environment.',
      'NOT_FOUND',
    );
  };
  return {
    read: async (name) => {
      const [newest = ''] = readAll(name);
      return newest;
    },
    readAll: async (name) => readAll(name),
    drop: () => undefined,
  };
};

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

const POLYNOMIAL_REVERSED = 0x82f63b78;

/**
 * CRC-32C (Castagnoli; RFC 3720, appendix B.4), with which Secret Manager seals a payload. zlib.crc32 is another
 * polynomial, and the one in `@google-cloud/storage` would load that whole library for a few dozen bytes.
 */
export const crc32c = (bytes: Uint8Array): number => {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL_REVERSED : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
};

/**
 * What an operator does about each gRPC status (https://grpc.io/docs/guides/status-codes/). Each continues `Secret <name>
 * …`.
 */
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

/** For how long a value is used after it was read, in milliseconds. */
interface CacheTimes {
  /** Without asking again. */
  readonly freshMs: number;
  /** When asking again fails for a reason that passes. It bounds how long a disabled version can still be used. */
  readonly staleMs: number;
  /** How long to leave a failing source alone while a stale value serves. */
  readonly pauseMs: number;
}

interface CachedReads<T> {
  /** Reads that overlap share one request. */
  readonly get: (key: string) => Promise<T>;
  readonly drop: (key: string) => void;
}

interface Entry<T> {
  held?: { readonly value: T; readonly readAt: number };
  askAgainAt: number;
  flight?: Promise<T> | undefined;
}

/**
 * A cache of reads. A dropped value is gone: it is not used as a stale one either, and a request that was under way
 * when it was dropped neither fills the cache nor is shared any more, since it may bring the old value.
 */
const makeCachedReads = <T>(
  read: (key: string) => Promise<T>,
  isPassing: (error: unknown) => boolean,
  times: CacheTimes,
  now: () => number = Date.now,
): CachedReads<T> => {
  const entries = new Map<string, Entry<T>>();

  const refresh = async (key: string, entry: Entry<T>): Promise<T> => {
    try {
      const value = await read(key);
      entry.held = { value, readAt: now() };
      entry.askAgainAt = now() + times.freshMs;
      return value;
    } catch (error) {
      const { held } = entry;
      if (held === undefined || !isPassing(error) || now() - held.readAt > times.staleMs) throw error;
      entry.askAgainAt = now() + times.pauseMs;
      return held.value;
    } finally {
      entry.flight = undefined;
    }
  };

  return {
    get: async (key) => {
      const entry: Entry<T> = entries.get(key) ?? { askAgainAt: 0 };
      entries.set(key, entry);
      if (entry.held !== undefined && now() < entry.askAgainAt) return entry.held.value;
      entry.flight ??= refresh(key, entry);
      return await entry.flight;
    },
    // The entry itself is dropped, so that a request under way fills one that nobody reads.
    drop: (key) => {
      entries.delete(key);
    },
  };
};
