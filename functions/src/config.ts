import { z } from 'zod';
import type { DatabaseTarget } from './adapters/postgres/connect.ts';
import { SyncError } from './lib/errors.ts';
import { REGION } from './params.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const text = (allowed: string) => z.string({ error: allowed }).trim().min(1, { error: allowed });
const withDefault = <T extends z.ZodType>(schema: T, value: string) =>
  z.preprocess((read) => (read === undefined || read === '' ? value : read), schema);
const integer = (least: number, most: number, value: number) =>
  withDefault(
    z
      .string()
      .regex(/^\s*\d+\s*$/, { error: `a whole number from ${least} to ${most}` })
      .transform(Number)
      .refine((n) => n >= least && n <= most, { error: `a whole number from ${least} to ${most}` }),
    String(value),
  );
const flag = withDefault(
  z.enum(['true', 'false'], { error: 'true or false' }).transform((read) => read === 'true'),
  'false',
);
const list = withDefault(
  z.string().transform((read) =>
    read
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  ),
  '',
);
/** Empty, or of this form. */
const optional = (form: RegExp, allowed: string) =>
  withDefault(
    z.string().refine((read) => read === '' || form.test(read), { error: allowed }),
    '',
  );
const SUBSCRIBER = /^([a-z][a-z0-9-]{0,62})=(https:\/\/\S+|http:\/\/(?:127\.0\.0\.1|localhost)[:/]\S*)$/;
const subscribers = list.refine((entries) => entries.every((entry) => SUBSCRIBER.test(entry)), {
  error: 'name=https://address, separated by commas',
});
const isHttpUrl = (value: string): boolean => {
  const url = URL.parse(value);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '';
};

const SECRET_NAME = 'a Secret Manager name: letters, digits, - and _, at most 255';
const secretName = (value: string) =>
  withDefault(z.string().regex(/^[A-Za-z0-9_-]{1,255}$/, { error: SECRET_NAME }), value);

/** Each setting: what is read, what is allowed, its default. */
const SETTINGS = z.object({
  DJANGO_BASE_URL: text('the base URL of the registry').refine(isHttpUrl, {
    error: 'an absolute https:// URL without a user name or password in it',
  }),
  DJANGO_AUTH_SCHEME: withDefault(z.enum(['Token', 'Bearer'], { error: 'Token or Bearer' }), 'Token'),
  DJANGO_TOKEN_SECRET: secretName('django-api-token'),
  WEBHOOK_SIGNING_SECRET: secretName('django-webhook-secret'),
  ALLOW_LEGACY_WEBHOOK_AUTH: flag,
  LEGACY_KEY_SECRET: secretName('sync-api-key'),
  MEMBER_REFERENCE_SECRET: secretName('member-reference-key'),
  ROSTER_SELF_CHECK: withDefault(
    z.enum(['off', 'alert', 'rollback'], { error: 'off, alert or rollback' }),
    'off',
  ),
  REGISTER_FROM_WEBHOOK: flag,
  SYNC_BUCKET: z
    .string({ error: 'the name of a bucket, since the project has no default one' })
    .regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, { error: 'a bucket name, without gs://' }),
  ALLOW_INSECURE_REGISTRY: flag,
  REGISTRY_REQUEST_TIMEOUT_SECONDS: integer(1, 110, 30),
  REGISTRY_FETCH_TIMEOUT_SECONDS: integer(1, 90, 80),
  REGISTRY_MAX_ANSWER_MIB: integer(1, 256, 64),
  ADMIN_SERVICE_ACCOUNTS: list,
  ADMIN_OIDC_AUDIENCES: list,
  GUARD_REMOVED_PERCENT: integer(0, 100, 5),
  GUARD_REMOVED_FLOOR: integer(0, 1_000_000, 10),
  GUARD_REMOVED_MAX: integer(0, 1_000_000, 500),
  GUARD_ADDED_PERCENT: integer(0, 10_000, 50),
  GUARD_ADDED_FLOOR: integer(0, 1_000_000, 50),
  GUARD_CHANGED_PERCENT: integer(0, 100, 50),
  GUARD_CHANGED_FLOOR: integer(0, 1_000_000, 50),
  GUARD_BLANKED_PERCENT: integer(0, 100, 5),
  GUARD_BLANKED_FLOOR: integer(0, 1_000_000, 10),
  GUARD_QUARANTINED_PERCENT: integer(0, 100, 1),
  GUARD_QUARANTINED_FLOOR: integer(0, 1_000_000, 5),
  CLOUD_SQL_INSTANCE: optional(/^[a-z0-9.:-]+:[a-z0-9-]+:[a-z0-9-]+$/, 'project:region:instance'),
  CLOUD_SQL_IP_TYPE: withDefault(
    z.enum(['PUBLIC', 'PRIVATE', 'PSC'], { error: 'PUBLIC, PRIVATE or PSC' }),
    'PUBLIC',
  ),
  DATABASE_NAME: withDefault(z.string().max(63), 'members'),
  DATABASE_USER: withDefault(z.string().max(63), ''),
  DATABASE_URL: optional(/^postgres(ql)?:\/\/\S+$/, 'postgres://user@host:port/database'),
  ADMIN_KEY_SECRET: secretName('admin-api-key'),
  REGISTER_API_URL: optional(/^https?:\/\/\S+$/, 'the address of membershipSync'),
  REGISTER_SERVICE_ACCOUNTS: list,
  REGISTER_AUDIENCES: list,
  REGISTER_SUBSCRIBERS: subscribers,
  /** Set by the platform and by every emulator. */
  PROJECT: z.string({ error: 'a project id (the platform sets GCLOUD_PROJECT)' }).min(1),
  FUNCTIONS_EMULATOR: flag,
  /** Only read under an emulator; production reads Secret Manager. */
  DJANGO_API_TOKEN: z.string().optional(),
  DJANGO_WEBHOOK_SECRET: z.string().optional(),
  SYNC_API_KEY: z.string().optional(),
  ADMIN_API_KEY: z.string().optional(),
  MEMBER_REFERENCE_KEY: z.string().optional(),
  /** With it, firebase-admin believes unsigned tokens. */
  FIREBASE_AUTH_EMULATOR_HOST: z.string().optional(),
});

/** Settings whose values are secrets: never quoted. */
const HIDDEN = new Set([
  'DATABASE_URL',
  'ADMIN_API_KEY',
  'DJANGO_API_TOKEN',
  'DJANGO_WEBHOOK_SECRET',
  'SYNC_API_KEY',
  'MEMBER_REFERENCE_KEY',
]);

export type Settings = z.output<typeof SETTINGS>;
export type Config = ReturnType<typeof toConfig>;

/**
 * Every setting, parsed once. Throws `config_invalid` that lists each wrong or missing one with what was read and
 * what is allowed; no setting holds a secret except DJANGO_API_TOKEN, whose value is never quoted.
 */
export const parseConfig = (environment: Environment): Config => {
  const firebase = firebaseConfigIn(environment);
  const read = SETTINGS.safeParse({
    ...environment,
    PROJECT: environment['GCLOUD_PROJECT'] ?? environment['GOOGLE_CLOUD_PROJECT'] ?? firebase.projectId,
    SYNC_BUCKET: environment['SYNC_BUCKET'] || firebase.storageBucket,
  });
  if (read.success) return toConfig(assertNoEmulatorInProduction(read.data));
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

/** The configuration of this process. */
export const loadConfig = (): Config => {
  loaded ??= parseConfig(process.env);
  return loaded;
};
let loaded: Config | undefined;

const assertNoEmulatorInProduction = (settings: Settings): Settings => {
  if (settings.FIREBASE_AUTH_EMULATOR_HOST === undefined || settings.FUNCTIONS_EMULATOR) return settings;
  throw new SyncError(
    'config_invalid',
    'FIREBASE_AUTH_EMULATOR_HOST is set outside an emulator: anybody could sign in as anybody. Unset it.',
  );
};

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
