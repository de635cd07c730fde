import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isSyncError } from '../src/lib/errors.ts';
import { ASKED, PARAMS, parseConfig } from '../src/settings.ts';
import { DEFAULT_LIMITS } from './support/default-limits.ts';

const good = {
  GCLOUD_PROJECT: 'demo-ekklesia',
  DJANGO_BASE_URL: 'https://registry.example.is/felagar',
  SYNC_BUCKET: 'demo-ekklesia.appspot.com',
};

const faultOf = (environment: Record<string, string | undefined>): string => {
  try {
    parseConfig({ ...good, ...environment });
  } catch (error) {
    if (isSyncError(error, 'config_invalid')) return error.message;
    throw error;
  }
  return 'no fault';
};

describe('the configuration', () => {
  it('has a default for everything but the registry, the project and the bucket', () => {
    expect(parseConfig(good)).toMatchObject({
      projectId: 'demo-ekklesia',
      region: 'europe-west2',
      bucket: 'demo-ekklesia.appspot.com',
      registry: {
        authScheme: 'Token',
        tokenSecret: 'django-api-token',
        requestTimeoutMs: 30_000,
        allowInsecure: false,
      },
      guard: DEFAULT_LIMITS,
      callers: {
        serviceAccounts: [],
        audiences: ['https://europe-west2-demo-ekklesia.cloudfunctions.net/runMemberListSync'],
      },
      localSecrets: null,
    });
  });

  it('takes the default bucket of the project when none is named', () => {
    const FIREBASE_CONFIG = JSON.stringify({ projectId: 'p', storageBucket: 'p.firebasestorage.app' });
    expect(parseConfig({ DJANGO_BASE_URL: good.DJANGO_BASE_URL, FIREBASE_CONFIG })).toMatchObject({
      projectId: 'p',
      bucket: 'p.firebasestorage.app',
    });
  });

  it.each([
    ['a missing registry', { DJANGO_BASE_URL: undefined }, 'DJANGO_BASE_URL: read nothing'],
    [
      'a registry that is no URL',
      { DJANGO_BASE_URL: 'registry' },
      'DJANGO_BASE_URL: read "registry", allowed is an absolute https',
    ],
    ['a missing project', { GCLOUD_PROJECT: undefined }, 'PROJECT: read nothing, allowed is a project id'],
    ['a missing bucket', { SYNC_BUCKET: '' }, 'SYNC_BUCKET: read nothing, allowed is the name of a bucket'],
    [
      'a bucket with gs://',
      { SYNC_BUCKET: 'gs://b' },
      'SYNC_BUCKET: read "gs://b", allowed is a bucket name, without gs://',
    ],
    [
      'a wrong scheme',
      { DJANGO_AUTH_SCHEME: 'Basic' },
      'DJANGO_AUTH_SCHEME: read "Basic", allowed is Token or Bearer',
    ],
    [
      'a flag that is neither',
      { ALLOW_INSECURE_REGISTRY: 'yes' },
      'ALLOW_INSECURE_REGISTRY: read "yes", allowed is true or false',
    ],
    [
      'a number out of range',
      { GUARD_REMOVED_PERCENT: '101' },
      'GUARD_REMOVED_PERCENT: read "101", allowed is a whole number from 0 to 100',
    ],
    [
      'a number that is none',
      { GUARD_REMOVED_MAX: 'many' },
      'GUARD_REMOVED_MAX: read "many", allowed is a whole number',
    ],
    ['a negative number', { GUARD_ADDED_FLOOR: '-1' }, 'GUARD_ADDED_FLOOR: read "-1"'],
    [
      'a secret name with a slash',
      { DJANGO_TOKEN_SECRET: 'a/b' },
      'DJANGO_TOKEN_SECRET: read "a/b", allowed is a Secret Manager name',
    ],
  ])('names %s, what was read and what is allowed', (_what, environment, expected) => {
    expect(faultOf(environment)).toContain(expected);
  });

  it('names every fault at once', () => {
    const message = faultOf({ DJANGO_BASE_URL: 'x', GUARD_REMOVED_MAX: 'x' });
    expect(message).toContain('DJANGO_BASE_URL');
    expect(message).toContain('GUARD_REMOVED_MAX');
  });

  it.each([
    ['DJANGO_BASE_URL', 'https://user:hunter2@registry.example.is'],
    ['DATABASE_URL', 'mysql://somebody/members?password=hunter2'],
  ])('never quotes a password: %s', (name, value) => {
    expect(faultOf({ [name]: value })).toContain(name);
    expect(faultOf({ [name]: value })).not.toContain('hunter2');
  });

  it('finds the register in Cloud SQL, at an address, or nowhere', () => {
    const targetOf = (more: object) => parseConfig({ ...good, ...more }).register.target;
    const DATABASE_URL = 'postgres://me@127.0.0.1:5432/members';
    const instance = 'demo-ekklesia:europe-west2:members';
    const inCloud = { kind: 'cloud-sql', instance, database: 'members', user: null, ipType: 'PUBLIC' };
    expect(targetOf({})).toBeNull();
    expect(targetOf({ DATABASE_URL })).toEqual({ kind: 'url', url: DATABASE_URL });
    expect(targetOf({ DATABASE_URL, CLOUD_SQL_INSTANCE: instance })).toEqual(inCloud);
    const named = { DATABASE_NAME: 'felagar', DATABASE_USER: 'sync', CLOUD_SQL_IP_TYPE: 'PSC' };
    expect(targetOf({ CLOUD_SQL_INSTANCE: instance, ...named })).toEqual({
      ...inCloud,
      database: 'felagar',
      user: 'sync',
      ipType: 'PSC',
    });
  });

  it('takes tokens for the addresses that are named, and else for its own', () => {
    const audiencesOf = (more: object) => {
      const { register, callers } = parseConfig({ ...good, ...more });
      return [register.audiences, callers.audiences];
    };
    const own = 'https://europe-west2-demo-ekklesia.cloudfunctions.net';
    expect(audiencesOf({})).toEqual([[`${own}/membershipSync`], [`${own}/runMemberListSync`]]);
    expect(audiencesOf({ REGISTER_API_URL: 'https://register.example.is' })).toEqual([
      ['https://register.example.is'],
      [`${own}/runMemberListSync`],
    ]);
    expect(audiencesOf({ REGISTER_AUDIENCES: 'a, b', ADMIN_OIDC_AUDIENCES: 'c,d' })).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('tells of changes whom it is told to, and over a safe connection alone', () => {
    const REGISTER_SUBSCRIBERS = 'elections=https://kosning.example.is/hook,events=http://127.0.0.1:9/x=y';
    expect(parseConfig({ ...good, REGISTER_SUBSCRIBERS }).register.subscribers).toEqual([
      { name: 'elections', url: 'https://kosning.example.is/hook' },
      { name: 'events', url: 'http://127.0.0.1:9/x=y' },
    ]);
    for (const wrong of ['elections=http://kosning.example.is', 'https://kosning.example.is', 'A=https://x'])
      expect(faultOf({ REGISTER_SUBSCRIBERS: wrong })).toContain('allowed is name=https://address');
  });

  it('knows nothing of the project where the platform’s own setting cannot be read', () => {
    expect(faultOf({ FIREBASE_CONFIG: '{', GCLOUD_PROJECT: undefined })).toContain('PROJECT: read nothing');
  });

  it('reads secrets from the environment under an emulator only', () => {
    const DJANGO_API_TOKEN = 'local-token';
    expect(parseConfig({ ...good, DJANGO_API_TOKEN }).localSecrets).toBeNull();
    expect(parseConfig({ ...good, DJANGO_API_TOKEN, FUNCTIONS_EMULATOR: 'true' }).localSecrets).toEqual({
      'django-api-token': 'local-token',
    });
  });
});

describe('what `firebase deploy` asks for', () => {
  it('has the defaults of the configuration', () => {
    const fromParams = Object.fromEntries(
      PARAMS.map((param) => {
        const { name, options } = param;
        const value = options.default;
        return [name, value === undefined ? undefined : String(value)];
      }),
    );
    const given = { ...fromParams, DJANGO_BASE_URL: good.DJANGO_BASE_URL, SYNC_BUCKET: good.SYNC_BUCKET };
    expect(parseConfig({ ...given, GCLOUD_PROJECT: 'demo-ekklesia' })).toEqual(parseConfig(good));
  });

  it('is what .env.example has (`npx vitest run --update=all functions/test/settings.test.ts` writes it anew)', async () => {
    const rows = ASKED.map(({ name, label, description, choices, shown }) =>
      [
        ...[label, description, choices.length > 0 ? `One of ${choices.join(', ')}` : '']
          .filter((text) => text !== '')
          .map((text) => `# ${text}.`),
        `${name}=${shown}`,
      ].join('\n'),
    );
    await expect(`${[EXAMPLE_HEAD, ...rows].join('\n\n')}\n`).toMatchFileSnapshot('../../.env.example');
  });

  it('is answered by the demo project, so that the official emulators start without a question', () => {
    const demo = parseEnv(readFileSync(new URL('../.env.demo-ekklesia', import.meta.url), 'utf8'));
    expect(Object.keys(demo)).toEqual(expect.arrayContaining(ASKED.map(({ name }) => name)));
    expect(Object.keys(demo)).toHaveLength(ASKED.length);
    const { DJANGO_BASE_URL = '', SYNC_BUCKET = '' } = demo;
    // The port of the stand-in registry, and every other setting as it is by default.
    expect(DJANGO_BASE_URL).toBe('http://127.0.0.1:8000');
    expect(parseConfig({ ...demo, GCLOUD_PROJECT: 'demo-ekklesia' })).toEqual(
      parseConfig({ ...good, DJANGO_BASE_URL, SYNC_BUCKET }),
    );
  });
});

const EXAMPLE_HEAD = `# Copy to functions/.env.<project> (for example functions/.env.ekklesia-prod) and edit it. \`firebase deploy\` reads it; every
# line stays, since it stops at a missing one. Secrets never stand here: they are in Secret Manager (docs/deploy.md).
# The local stack (\`npm start\`) needs none of this.`;

describe('an emulator in production', () => {
  const CLOUD_RUN = { K_SERVICE: 'opsapi', K_REVISION: 'opsapi-00003-xib', K_CONFIGURATION: 'opsapi' };
  const HOST = '127.0.0.1:9099';
  it.each([
    ['FUNCTIONS_EMULATOR', 'true'],
    ['FIREBASE_AUTH_EMULATOR_HOST', HOST],
    ['FIRESTORE_EMULATOR_HOST', HOST],
    ['STORAGE_EMULATOR_HOST', HOST],
    ['FIREBASE_STORAGE_EMULATOR_HOST', HOST],
  ])('a deployed function with %s refuses its settings', (name, value) => {
    expect(faultOf({ ...CLOUD_RUN, [name]: value })).toContain(`in a deployed function: ${name}.`);
    expect(faultOf({ ...CLOUD_RUN, FUNCTIONS_EMULATOR: 'true', [name]: value })).toContain(name);
  });

  it('functions in the framework or an emulator, which set K_SERVICE too, may use emulators', () => {
    const emulated = { K_SERVICE: 'opsApi', K_REVISION: '1', FUNCTIONS_EMULATOR: 'true' };
    expect(faultOf({ ...emulated, FIREBASE_AUTH_EMULATOR_HOST: HOST })).toBe('no fault');
    expect(faultOf({ ...emulated, FIRESTORE_EMULATOR_HOST: HOST })).toBe('no fault');
  });

  it('unsigned tokens are believed only where somebody said that this is an emulator', () => {
    expect(faultOf({ FIREBASE_AUTH_EMULATOR_HOST: HOST })).toContain('outside an emulator');
    expect(faultOf({ FIRESTORE_EMULATOR_HOST: HOST })).toBe('no fault');
  });

  it('such a function does not even load, so that its revision never becomes ready', () => {
    const settings = fileURLToPath(new URL('../src/settings.ts', import.meta.url));
    const load = (more: object) => () =>
      execFileSync(process.execPath, [settings], { env: { ...CLOUD_RUN, ...more }, stdio: 'pipe' });
    expect(load({ FIRESTORE_EMULATOR_HOST: HOST })).toThrow('FIRESTORE_EMULATOR_HOST');
    expect(load({})).not.toThrow();
  });
});
