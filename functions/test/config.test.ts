import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../src/config.ts';
import { isSyncError } from '../src/lib/errors.ts';
import { PARAMS } from '../src/params.ts';
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

  it('never quotes a password', () => {
    expect(faultOf({ DJANGO_BASE_URL: 'https://user:hunter2@registry.example.is' })).not.toContain('hunter2');
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

  it('stands in .env.example, every name once, with the same defaults', () => {
    const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
    const listed = [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
    const expected = PARAMS.map((param) => {
      const { name, options } = param;
      const value = options.default;
      return [name, name === 'DJANGO_BASE_URL' ? good.DJANGO_BASE_URL : String(value)];
    });
    expect(listed.toSorted()).toEqual(expected.toSorted());
  });
});
