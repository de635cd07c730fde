import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  crc32c,
  makeSecretManager,
  type SecretManager,
  type SecretManagerOptions,
} from '../../../src/adapters/secrets/secret-manager.ts';
import {
  type SecretManagerServer,
  type StoredVersion,
  startSecretManagerServer,
} from './support/secret-manager-server.ts';
import { describeSecretSource, failureOf } from './support/secret-source-contract.ts';

const NAME = 'django-api-token';
const MINUTE = 60_000;

const over = (server: SecretManagerServer, options: Partial<SecretManagerOptions> = {}): SecretManager =>
  makeSecretManager({ projectId: 'demo-ekklesia', timeoutMs: 30_000, client: server.client, ...options });

describeSecretSource('Secret Manager over gRPC', async () => {
  const server = await startSecretManagerServer();
  const source = over(server);
  return {
    source,
    store: (name, versions) => {
      server.secrets.set(
        name,
        versions.map((data) => ({ data, crc32c: crc32c(Buffer.from(data)) })),
      );
    },
    close: async () => {
      await source.close();
      await server.close();
    },
  };
});

describe('Secret Manager over gRPC', () => {
  let server: SecretManagerServer;
  let opened: SecretManager[];
  let time: number;
  const open = (options: Partial<SecretManagerOptions> = {}): SecretManager => {
    const source = over(server, { now: () => time, ...options });
    opened.push(source);
    return source;
  };

  beforeEach(async () => {
    server = await startSecretManagerServer();
    server.secrets.set(NAME, [{ data: 'first' }]);
    opened = [];
    time = Date.parse('2026-11-20T03:00:00Z');
  });
  afterEach(async () => {
    for (const source of opened) await source.close();
    await server.close();
  });

  it('asks once for five minutes, and then again', async () => {
    const source = open();
    expect(await source.read(NAME)).toBe('first');
    server.secrets.set(NAME, [{ data: 'first' }, { data: 'second' }]);
    time += 5 * MINUTE - 1;
    expect(await source.read(NAME)).toBe('first');
    expect(server.calls.access).toBe(1);
    time += 1;
    expect(await source.read(NAME)).toBe('second');
    expect(server.calls.access).toBe(2);
  });

  it('shares one request between concurrent reads, and one failure too', async () => {
    const source = open();
    const values = await Promise.all(Array.from({ length: 20 }, () => source.read(NAME)));
    expect(new Set(values)).toEqual(new Set(['first']));
    expect(server.calls.access).toBe(1);

    server.fail(status.PERMISSION_DENIED);
    source.drop(NAME);
    const results = await Promise.allSettled([source.read(NAME), source.read(NAME)]);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected']);
    expect(server.calls.access).toBe(2);
    expect(await source.read(NAME)).toBe('first');
  });

  it('does not let a read that began before a drop bring the old value back', async () => {
    const source = open();
    const release = server.hold();
    const before = source.read(NAME);
    source.drop(NAME);
    const after = source.read(NAME);
    release();
    await Promise.all([before, after]);
    expect(server.calls.access).toBe(2);
    server.secrets.set(NAME, [{ data: 'changed' }]);
    expect(await source.read(NAME)).toBe('first');
    expect(server.calls.access).toBe(2);
  });

  it.each([
    ['UNAVAILABLE', status.UNAVAILABLE],
    ['DEADLINE_EXCEEDED', status.DEADLINE_EXCEEDED],
  ])('tries again after %s', async (_, code) => {
    const source = open({ timeoutMs: 5_000 });
    server.fail(code, 2);
    expect(await source.read(NAME)).toBe('first');
    expect(server.calls.access).toBe(3);
    server.fail(code);
    expect(await source.readAll(NAME)).toEqual(['first']);
  });

  it.each([
    ['NOT_FOUND', status.NOT_FOUND, /does not exist.+gcloud secrets create/],
    ['PERMISSION_DENIED', status.PERMISSION_DENIED, /may not be read.+roles\/secretmanager\.secretAccessor/],
    ['FAILED_PRECONDITION', status.FAILED_PRECONDITION, /newest version that is disabled.+add a new version/],
    ['RESOURCE_EXHAUSTED', status.RESOURCE_EXHAUSTED, /quota/],
    ['UNAUTHENTICATED', status.UNAUTHENTICATED, /credentials/],
    ['UNKNOWN', status.INTERNAL, /could not be read/],
  ])('does not try again after %s, and says what to do', async (reason, code, remedy) => {
    const source = open();
    server.fail(code);
    const error = await failureOf(source.read(NAME));
    expect(error).toMatchObject({ code: 'secret_unavailable', details: { secret: NAME, reason } });
    expect(error.message).toMatch(remedy);
    expect(error.message).toContain(NAME);
    expect(error.message).not.toContain('scripted');
    expect(server.calls.access).toBe(1);
  });

  it('gives up within its time when nothing answers', async () => {
    const source = open({ timeoutMs: 300 });
    server.hold();
    const startedAt = performance.now();
    const error = await failureOf(source.read(NAME));
    expect(error).toMatchObject({ details: { reason: 'DEADLINE_EXCEEDED' } });
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  });

  it('gives up within its time when there is no server', async () => {
    await server.close();
    const error = await failureOf(open({ timeoutMs: 300 }).read(NAME));
    expect(error.code).toBe('secret_unavailable');
    expect(['UNAVAILABLE', 'DEADLINE_EXCEEDED']).toContain(error.details['reason']);
  });

  it('refuses a payload whose checksum differs', async () => {
    server.secrets.set(NAME, [{ data: 'first', crc32c: crc32c(Buffer.from('other')) }]);
    expect(await failureOf(open().read(NAME))).toMatchObject({ details: { reason: 'DATA_LOSS' } });
  });

  it('accepts a payload without a checksum, and one whose checksum is 0 only for what has it', async () => {
    const source = open();
    expect(await source.read(NAME)).toBe('first');
    server.secrets.set('zero', [{ data: 'first', crc32c: 0 }]);
    expect(await failureOf(source.read('zero'))).toMatchObject({ details: { reason: 'DATA_LOSS' } });
  });

  it('refuses a name that would address something else', async () => {
    for (const name of ['', 'a/versions/1', '../x', 'projects/other/secrets/x']) {
      expect(await failureOf(open().read(name))).toMatchObject({ details: { reason: 'INVALID_NAME' } });
    }
    expect(server.calls.access).toBe(0);
  });

  describe('while Secret Manager is down', () => {
    it('uses what it read within the last hour, and asks again every half minute', async () => {
      const source = open({ timeoutMs: 450 });
      await source.read(NAME);
      const release = server.hold();
      time += 60 * MINUTE;
      expect(await source.read(NAME)).toBe('first');
      const asked = server.calls.access;
      time += 29_999;
      expect(await source.read(NAME)).toBe('first');
      expect(server.calls.access).toBe(asked);
      time += 1;
      expect(await failureOf(source.read(NAME))).toMatchObject({ code: 'secret_unavailable' });
      expect(server.calls.access).toBeGreaterThan(asked);
      release();
    });

    it('does not use a value that was dropped', async () => {
      const source = open({ timeoutMs: 450 });
      await source.read(NAME);
      source.drop(NAME);
      const release = server.hold();
      expect(await failureOf(source.read(NAME))).toMatchObject({ details: { reason: 'DEADLINE_EXCEEDED' } });
      release();
    });

    it('does not go on with a value whose access was withdrawn', async () => {
      const source = open();
      await source.read(NAME);
      time += 6 * MINUTE;
      server.fail(status.PERMISSION_DENIED);
      expect(await failureOf(source.read(NAME))).toMatchObject({ details: { reason: 'PERMISSION_DENIED' } });
    });
  });

  describe('with several versions', () => {
    it('reads every enabled one over all pages, and no disabled one', async () => {
      server.secrets.set(NAME, [
        { data: 'v1' },
        { data: 'v2', state: 'DISABLED' },
        { data: 'v3' },
        { data: 'v4' },
        { data: 'v5' },
      ]);
      expect(await open().readAll(NAME)).toEqual(['v5', 'v4', 'v3', 'v1']);
      expect(server.calls.list).toBe(2);
    });

    it('leaves out a version that was disabled after it was listed', async () => {
      const versions: StoredVersion[] = [{ data: 'v1' }, { data: 'v2' }];
      server.secrets.set(NAME, versions);
      const source = open();
      server.afterList = () => {
        versions[0] = { data: 'v1', state: 'DISABLED' };
      };
      expect(await source.readAll(NAME)).toEqual(['v2']);
    });

    it('refuses a secret that has no enabled version', async () => {
      server.secrets.set(NAME, [{ data: 'v1', state: 'DISABLED' }]);
      const source = open();
      expect(await failureOf(source.readAll(NAME))).toMatchObject({
        details: { reason: 'NO_ENABLED_VERSION' },
      });
      expect(await failureOf(source.read(NAME))).toMatchObject({
        details: { reason: 'FAILED_PRECONDITION' },
      });
    });
  });
});
