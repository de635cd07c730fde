import { defineString, expr, projectID } from 'firebase-functions/params';
import { z } from 'zod';
import { SyncError } from './lib/errors.ts';
import {
  type Asked,
  choice,
  type DatabaseTarget,
  flag,
  given,
  integer,
  isHttpUrl,
  list,
  optional,
  type Setting,
  secret,
  text,
} from './lib/setting-kinds.ts';

/** Where everything runs: London, the Google region nearest to Iceland that has all that is used. */
export const REGION = 'europe-west2';

/**
 * The full address of one of the accounts of `docs/iam.md`. `firebase deploy` completes the short form `NAME@` as well,
 * but not in the jobs of Cloud Scheduler, which then call as nobody.
 */
export const accountOf = (name: string) => expr`${name}@${projectID}.iam.gserviceaccount.com`;

export type Environment = Readonly<Record<string, string | undefined>>;
const REGISTRY = 'the base URL of the registry';
const SUBSCRIBER = /^([a-z][a-z0-9-]{0,62})=(https:\/\/\S+|http:\/\/(?:127\.0\.0\.1|localhost)[:/]\S*)$/;
const WHERE_TOKENS_ARE_FOR = "Separated by commas. Empty: the function's own cloudfunctions.net address";

/**
 * Every setting, once: what `firebase deploy` asks for or takes from `functions/.env.<project>`, what is allowed, the
 * default, and the text of `.env.example`, which a test holds to this table.
 */
const TABLE = {
  DJANGO_BASE_URL: {
    schema: z.string({ error: REGISTRY }).trim().min(1, { error: REGISTRY }).refine(isHttpUrl, {
      error: 'an absolute https:// URL without a user name or password in it',
    }),
    asked: {
      label: 'Registry address',
      description: 'Its base URL. https only, unless the host is this machine',
      shown: 'https://registry.example.is/felagar',
      choices: [],
      define: (name) =>
        defineString(name, {
          label: 'Registry address',
          description: 'Base URL of the registry, for example https://registry.example.is/felagar',
        }),
    },
  },
  DJANGO_AUTH_SCHEME: choice(
    ['Token', 'Bearer'],
    'Registry authorization scheme',
    'The word before the token: Token is that of Django REST framework',
  ),
  DJANGO_TOKEN_SECRET: secret('django-api-token', 'Secret that holds the registry token'),
  WEBHOOK_SIGNING_SECRET: secret(
    'django-webhook-secret',
    'Secret that signs the registry webhooks',
    'Every enabled version is accepted, so that it can be rotated without loss',
  ),
  ALLOW_LEGACY_WEBHOOK_AUTH: flag(
    'Accept webhooks of a registry that cannot sign',
    'They prove themselves by a key alone, and are only hints to read the member anew',
  ),
  LEGACY_KEY_SECRET: secret('sync-api-key', 'Secret that holds that key'),
  MEMBER_REFERENCE_SECRET: secret(
    'member-reference-key',
    'Secret that makes opaque references to members',
    'Changing it makes old log entries impossible to relate to members',
  ),
  CHAIN_KEY_SECRET: secret(
    'chain-signing-key',
    'Secret that signs the chain of records',
    'An Ed25519 private key. Earlier versions that are enabled go on proving what they signed',
  ),
  SYNC_BUCKET: {
    ...text(
      '',
      z.string(),
      'Bucket of kennitalas.txt',
      "Bucket name without gs://. Empty: the project's default bucket",
    ),
    schema: z
      .string({ error: 'the name of a bucket, since the project has no default one' })
      .regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, { error: 'a bucket name, without gs://' }),
  },
  ROSTER_SELF_CHECK: choice(
    ['off', 'alert', 'rollback'],
    'What is done when a published list fails its own check',
    'Nothing, an ERROR entry, or the previous version is restored too',
  ),
  ALLOW_INSECURE_REGISTRY: flag(
    'Allow plain http to the registry',
    'Only for a registry on the same private network: tokens and members travel unencrypted',
  ),
  REGISTRY_REQUEST_TIMEOUT_SECONDS: integer(1, 110, 30, 'Time limit of one registry request'),
  REGISTRY_FETCH_TIMEOUT_SECONDS: integer(1, 90, 80, 'Time limit of a whole fetch with its retries'),
  REGISTRY_MAX_ANSWER_MIB: integer(1, 256, 64, 'Largest registry answer, MiB'),
  ADMIN_SERVICE_ACCOUNTS: list(
    'Service accounts that may start a run',
    'E-mail addresses, separated by commas. Empty: only people with the role admin or superuser',
  ),
  ADMIN_OIDC_AUDIENCES: list('Audiences accepted in service account tokens', WHERE_TOKENS_ARE_FOR),
  CLOUD_SQL_INSTANCE: optional(
    /^[a-z0-9.:-]+:[a-z0-9-]+:[a-z0-9-]+$/,
    'project:region:instance',
    'Register: Cloud SQL instance',
    'project:region:instance. Empty: DATABASE_URL, or no register',
  ),
  CLOUD_SQL_IP_TYPE: choice(['PUBLIC', 'PRIVATE', 'PSC'], 'Register: how the instance is reached'),
  DATABASE_NAME: text('members', z.string().max(63), 'Register: database'),
  DATABASE_USER: text(
    '',
    z.string().max(63),
    'Register: IAM database user',
    'Empty: each function logs in as its own service account',
  ),
  DATABASE_URL: optional(
    /^postgres(ql)?:\/\/\S+$/,
    'postgres://user@host:port/database',
    'Register: database outside Cloud SQL',
    'postgres://user@host:port/database, only without CLOUD_SQL_INSTANCE',
  ),
  ADMIN_KEY_SECRET: secret(
    'admin-api-key',
    "Register: secret of the API's administrators' keys",
    'Every enabled version is accepted, so that it can be rotated without loss',
  ),
  REGISTER_API_URL: optional(
    /^https?:\/\/\S+$/,
    'the address of membershipSync',
    'Register: address of membershipSync as others see it',
    "Empty: the function's own cloudfunctions.net address",
  ),
  REGISTER_SERVICE_ACCOUNTS: list(
    'Register: service accounts of the elections and events services',
    'E-mail addresses, separated by commas',
  ),
  REGISTER_AUDIENCES: list(
    'Register: audiences accepted in their tokens',
    'Separated by commas. Empty: the address of membershipSync',
  ),
  REGISTER_SUBSCRIBERS: list(
    'Register: who is told of changes',
    'name=https://address, separated by commas; each signs with the secret register-webhook-<name>',
    SUBSCRIBER,
    'name=https://address',
  ),
  REGISTER_FROM_WEBHOOK: flag(
    'Let each webhook change the register too',
    'Between the hourly runs, which stay the proof',
  ),
  GUARD_REMOVED_PERCENT: integer(
    0,
    100,
    5,
    'Guard: removals, % of members',
    'A count passes unless it is above both its share and its floor',
  ),
  GUARD_REMOVED_FLOOR: integer(0, 1_000_000, 10, 'Guard: removals that always pass'),
  GUARD_REMOVED_MAX: integer(0, 1_000_000, 500, 'Guard: removals that never pass'),
  GUARD_ADDED_PERCENT: integer(0, 10_000, 50, 'Guard: additions, % of members'),
  GUARD_ADDED_FLOOR: integer(0, 1_000_000, 50, 'Guard: additions that always pass'),
  GUARD_CHANGED_PERCENT: integer(0, 100, 50, 'Guard: changed members, %'),
  GUARD_CHANGED_FLOOR: integer(0, 1_000_000, 50, 'Guard: changed members that always pass'),
  GUARD_BLANKED_PERCENT: integer(0, 100, 5, 'Guard: members who lose a field, %'),
  GUARD_BLANKED_FLOOR: integer(0, 1_000_000, 10, 'Guard: members who lose a field, always pass'),
  GUARD_QUARANTINED_PERCENT: integer(0, 100, 1, 'Guard: unreadable entries, % of the export'),
  GUARD_QUARANTINED_FLOOR: integer(0, 1_000_000, 5, 'Guard: unreadable entries that always pass'),

  APPROVAL_NEEDS_SECOND_PERSON: flag(
    'Approvals: not by whoever asked for the plan',
    'Two persons decide: one makes the dry run, another approves its plan',
  ),

  PROJECT: given(z.string({ error: 'a project id (the platform sets GCLOUD_PROJECT)' }).min(1)),
  FUNCTIONS_EMULATOR: { schema: flag('').schema, asked: null },
  // Secrets, read under an emulator only: production reads Secret Manager.
  DJANGO_API_TOKEN: given(z.string().optional()),
  DJANGO_WEBHOOK_SECRET: given(z.string().optional()),
  SYNC_API_KEY: given(z.string().optional()),
  ADMIN_API_KEY: given(z.string().optional()),
  MEMBER_REFERENCE_KEY: given(z.string().optional()),
  CHAIN_SIGNING_KEY: given(z.string().optional()),
} satisfies Record<string, Setting<z.ZodType>>;

/** What a person sets, in the order of the table. */
export const ASKED: readonly (Asked & { readonly name: string })[] = Object.entries(TABLE).flatMap(
  ([name, { asked }]: [string, Setting<z.ZodType>]) => (asked === null ? [] : [{ name, ...asked }]),
);

/** Made when the module loads, which is when `firebase deploy` looks for them. */
export const PARAMS = ASKED.map(({ name, define }) => define(name));

type Shape = { [Name in keyof typeof TABLE]: (typeof TABLE)[Name]['schema'] };
const SETTINGS = z.object(
  Object.fromEntries(Object.entries(TABLE).map(([name, { schema }]) => [name, schema])) as Shape,
);

/** Settings whose values are secrets: never quoted. */
const HIDDEN = new Set([
  'DATABASE_URL',
  'ADMIN_API_KEY',
  'DJANGO_API_TOKEN',
  'DJANGO_WEBHOOK_SECRET',
  'SYNC_API_KEY',
  'MEMBER_REFERENCE_KEY',
  'CHAIN_SIGNING_KEY',
]);

export type Settings = z.output<typeof SETTINGS>;
export type Config = ReturnType<typeof toConfig>;

/**
 * Every setting, parsed once. Throws `config_invalid` that lists each wrong or missing one with what was read and
 * what is allowed; no setting holds a secret except DJANGO_API_TOKEN, whose value is never quoted.
 */
export const parseConfig = (environment: Environment): Config => {
  assertNoStrayEmulator(environment);
  const firebase = firebaseConfigIn(environment);
  const read = SETTINGS.safeParse({
    ...environment,
    PROJECT: environment['GCLOUD_PROJECT'] ?? environment['GOOGLE_CLOUD_PROJECT'] ?? firebase.projectId,
    SYNC_BUCKET: environment['SYNC_BUCKET'] || firebase.storageBucket,
  });
  if (read.success) return toConfig(read.data);
  const faults = read.error.issues.map((issue) =>
    describeFault(String(issue.path[0]), issue.message, environment),
  );
  throw new SyncError(
    'config_invalid',
    `Wrong settings: ${faults.join('; ')}. Set them in functions/.env.<project> and deploy, or see .env.example.`,
  );
};

/**
 * The one function that this process serves, as the platform names it before it loads the module
 * (https://cloud.google.com/functions/docs/configuring/env-var). Undefined where the module is only looked at
 * (`firebase deploy`) or serves everything (the local stack).
 */
export const functionTarget = (): string | undefined => process.env['FUNCTION_TARGET'] || undefined;

/** Whether this process runs under an emulator or in the local stack. */
export const isEmulated = (): boolean => process.env['FUNCTIONS_EMULATOR'] === 'true';

/** With any of these, Google's libraries or our own believe what an emulator says: unsigned tokens, for one. */
const EMULATOR_VARIABLES = [
  'FIREBASE_AUTH_EMULATOR_HOST',
  'FIRESTORE_EMULATOR_HOST',
  'STORAGE_EMULATOR_HOST',
  'FIREBASE_STORAGE_EMULATOR_HOST',
];

/**
 * Throws `config_invalid` where a deployed function would believe an emulator, and where tokens would be believed
 * unsigned although nobody said that this is an emulator. Cloud Run names the configuration of each revision in
 * `K_CONFIGURATION` (https://cloud.google.com/run/docs/container-contract), which no emulator sets; the official one and
 * the local stack do set `K_SERVICE`.
 */
export const assertNoStrayEmulator = (environment: Environment): void => {
  const isEmulator = environment['FUNCTIONS_EMULATOR'] === 'true';
  const isDeployed = environment['K_CONFIGURATION'] !== undefined;
  const hosts = EMULATOR_VARIABLES.filter((name) => environment[name] !== undefined);
  const stray = isDeployed
    ? [...(isEmulator ? ['FUNCTIONS_EMULATOR'] : []), ...hosts]
    : hosts.filter((name) => name === 'FIREBASE_AUTH_EMULATOR_HOST' && !isEmulator);
  if (stray.length === 0) return;
  throw new SyncError(
    'config_invalid',
    `Set ${isDeployed ? 'in a deployed function' : 'outside an emulator'}: ${stray.join(', ')}. Anybody could sign in as anybody. Unset it, and deploy again.`,
  );
};
// When the module loads: such a revision never becomes ready, and the one before goes on serving.
if (process.env['K_CONFIGURATION'] !== undefined) assertNoStrayEmulator(process.env);

/** The configuration of this process. */
export const loadConfig = (): Config => {
  loaded ??= parseConfig(process.env);
  return loaded;
};
let loaded: Config | undefined;

const toConfig = (settings: Settings) => ({
  projectId: settings.PROJECT,
  region: REGION,
  bucket: settings.SYNC_BUCKET,
  rosterObject: 'kennitalas.txt',
  rosterSelfCheck: settings.ROSTER_SELF_CHECK,
  registry: {
    baseUrl: settings.DJANGO_BASE_URL,
    authScheme: settings.DJANGO_AUTH_SCHEME,
    tokenSecret: settings.DJANGO_TOKEN_SECRET,
    allowInsecure: settings.ALLOW_INSECURE_REGISTRY,
    requestTimeoutMs: settings.REGISTRY_REQUEST_TIMEOUT_SECONDS * 1_000,
    fetchTimeoutMs: settings.REGISTRY_FETCH_TIMEOUT_SECONDS * 1_000,
    maxAnswerBytes: settings.REGISTRY_MAX_ANSWER_MIB * 1_048_576,
  },
  guard: {
    removedPercent: settings.GUARD_REMOVED_PERCENT,
    removedFloor: settings.GUARD_REMOVED_FLOOR,
    removedMax: settings.GUARD_REMOVED_MAX,
    addedPercent: settings.GUARD_ADDED_PERCENT,
    addedFloor: settings.GUARD_ADDED_FLOOR,
    changedPercent: settings.GUARD_CHANGED_PERCENT,
    changedFloor: settings.GUARD_CHANGED_FLOOR,
    blankedPercent: settings.GUARD_BLANKED_PERCENT,
    blankedFloor: settings.GUARD_BLANKED_FLOOR,
    quarantinedPercent: settings.GUARD_QUARANTINED_PERCENT,
    quarantinedFloor: settings.GUARD_QUARANTINED_FLOOR,
  },
  approvals: { needsSecondPerson: settings.APPROVAL_NEEDS_SECOND_PERSON },
  webhook: {
    signingSecret: settings.WEBHOOK_SIGNING_SECRET,
    allowLegacy: settings.ALLOW_LEGACY_WEBHOOK_AUTH,
    legacyKeySecret: settings.LEGACY_KEY_SECRET,
  },
  register: {
    /** Null: this project has no register. */
    target: databaseTarget(settings),
    followsWebhook: settings.REGISTER_FROM_WEBHOOK,
    adminKeySecret: settings.ADMIN_KEY_SECRET,
    apiUrl: settings.REGISTER_API_URL || functionUrl(settings, 'membershipSync'),
    serviceAccounts: settings.REGISTER_SERVICE_ACCOUNTS,
    audiences:
      settings.REGISTER_AUDIENCES.length > 0
        ? settings.REGISTER_AUDIENCES
        : [settings.REGISTER_API_URL || functionUrl(settings, 'membershipSync')],
    subscribers: settings.REGISTER_SUBSCRIBERS.flatMap((entry) => {
      const [, name, url] = SUBSCRIBER.exec(entry) ?? [];
      return name === undefined || url === undefined ? [] : [{ name, url }];
    }),
  },
  memberReferenceSecret: settings.MEMBER_REFERENCE_SECRET,
  chainKeySecret: settings.CHAIN_KEY_SECRET,
  callers: {
    serviceAccounts: settings.ADMIN_SERVICE_ACCOUNTS,
    audiences:
      settings.ADMIN_OIDC_AUDIENCES.length > 0
        ? settings.ADMIN_OIDC_AUDIENCES
        : [`https://${REGION}-${settings.PROJECT}.cloudfunctions.net/runMemberListSync`],
  },
  /** Secrets given by the environment, under an emulator only; null: read them from Secret Manager. */
  localSecrets: settings.FUNCTIONS_EMULATOR
    ? withoutUndefined({
        [settings.DJANGO_TOKEN_SECRET]: settings.DJANGO_API_TOKEN,
        // Several versions in force, as during a rotation: separated by spaces, newest first.
        [settings.WEBHOOK_SIGNING_SECRET]: settings.DJANGO_WEBHOOK_SECRET?.split(' '),
        [settings.LEGACY_KEY_SECRET]: settings.SYNC_API_KEY,
        [settings.ADMIN_KEY_SECRET]: settings.ADMIN_API_KEY?.split(' '),
        [settings.MEMBER_REFERENCE_SECRET]: settings.MEMBER_REFERENCE_KEY,
        [settings.CHAIN_KEY_SECRET]: settings.CHAIN_SIGNING_KEY?.split(' '),
      })
    : null,
});

/** Cloud SQL with our own identity, else a URL. */
const databaseTarget = (settings: Settings): DatabaseTarget | null => {
  if (settings.CLOUD_SQL_INSTANCE !== '') {
    return {
      kind: 'cloud-sql',
      instance: settings.CLOUD_SQL_INSTANCE,
      database: settings.DATABASE_NAME,
      user: settings.DATABASE_USER === '' ? null : settings.DATABASE_USER,
      ipType: settings.CLOUD_SQL_IP_TYPE,
    };
  }
  return settings.DATABASE_URL === '' ? null : { kind: 'url', url: settings.DATABASE_URL };
};

const functionUrl = (settings: Settings, name: string): string =>
  `https://${REGION}-${settings.PROJECT}.cloudfunctions.net/${name}`;

const describeFault = (name: string, allowed: string, environment: Environment): string => {
  const value = environment[name];
  const read = value === undefined || value === '' ? 'nothing' : JSON.stringify(quotable(name, value));
  return `${name}: read ${read}, allowed is ${allowed}`;
};

const quotable = (name: string, value: string): string => {
  if (HIDDEN.has(name)) return '(hidden)';
  return value.replace(/\/\/[^/@]*@/, '//(hidden)@').slice(0, 80);
};

const firebaseConfigIn = (environment: Environment): { projectId?: string; storageBucket?: string } => {
  try {
    return JSON.parse(environment['FIREBASE_CONFIG'] ?? '{}');
  } catch {
    return {};
  }
};

const withoutUndefined = <T>(values: Record<string, T | undefined>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, T] => entry[1] !== undefined));
