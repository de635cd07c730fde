import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeMemberChanges } from '../../src/adapters/django/member-changes.ts';
import { makeRegistryDigests } from '../../src/adapters/django/read-members.ts';
import { makeRegistryHttp, type RegistryHttp } from '../../src/adapters/django/registry-http.ts';
import { makeEnvSecrets, makeTokenSource } from '../../src/adapters/secrets/secret-manager.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { BUCKETS, bucketOf, keyNumbersOf, NO_MEMBERS, tryDigest } from '../../src/domain/member/digest.ts';
import type { ProofRecord } from '../../src/proof/digest-ports.ts';
import { prove } from '../../src/proof/prove.ts';

const WHO = '8000000011' as Kennitala;
const DIGEST = `${'00000007'}${'00000009'}${'0'.repeat(48)}`;
const HOME = bucketOf(WHO);
const MEMBER = { id: 1, ssn: WHO, name: 'Tilbúin', version: 4, digest: DIGEST };

type Row = Record<'bucket' | 'count' | 'a' | 'b' | 'ka' | 'kb', unknown>;
const rowsWith = (row: Partial<Row>, at = HOME): Row[] =>
  Array.from({ length: BUCKETS }, (_, bucket) => ({
    ...{ bucket, count: 0, a: 0, b: 0, ka: 0, kb: 0 },
    ...(bucket === at && row),
  }));
const { a: ka, b: kb } = keyNumbersOf(WHO);
const HONEST = { count: 1, a: 7, b: 9, ka, kb };
const sums = (buckets: unknown, more: object = {}) => ({
  scheme: 'wire/1',
  newest_version: 4,
  buckets,
  ...more,
});

interface Answers {
  status?: number;
  digests: unknown;
  /** What a second question for the sums is answered. */
  later?: unknown;
  page: unknown;
}
let answers: Answers;
let server: Server;
let http: RegistryHttp;
let baseUrl: string;

beforeAll(async () => {
  let asked = 0;
  server = createServer((request, response) => {
    const path = request.url ?? '';
    const say = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (path.includes('/digests/')) {
      asked += 1;
      say(
        answers.status ?? 200,
        asked % 2 === 0 && answers.later !== undefined ? answers.later : answers.digests,
      );
    } else if (path.includes('/changes/')) say(200, { changes: [], count: 0 });
    else say(200, answers.page);
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  http = makeRegistryHttp({
    baseUrl,
    authScheme: 'Token',
    token: makeTokenSource(makeEnvSecrets({ 'django-api-token': 'token-of-the-tests' }), 'django-api-token'),
  });
});
afterAll(async () => {
  await http.close();
  server.close();
});
beforeEach(() => {
  answers = { digests: sums(rowsWith(HONEST)), page: { count: 1, next: null, results: [MEMBER] } };
});

/** Stores without a member, so that whatever the registry says of somebody is a difference; each run is counted. */
const lookOnce = async (): Promise<{ proof: ProofRecord; runs: string[] }> => {
  const runs: string[] = [];
  const run = (name: string) => {
    runs.push(name);
    return Promise.reject(new Error('No run is wanted here.'));
  };
  const proof = await prove(
    { signal: AbortSignal.timeout(20_000) },
    {
      registry: makeRegistryDigests(http, { baseUrl }),
      events: makeMemberChanges(http),
      portal: { sums: async () => NO_MEMBERS, countActive: async () => 0, documents: async () => [] },
      roster: { read: async () => null },
      register: { sums: async () => Array.from({ length: BUCKETS }, () => NO_MEMBERS), rows: async () => [] },
      proofs: { read: async () => null, write: async () => undefined },
      healing: { part: (mirror) => run(mirror), whole: (mirror) => run(mirror) },
      standstill: async () => ({ roster: 'paused', portal: 'paused', register: 'paused' }),
      log: () => undefined,
      now: () => new Date(),
    },
  );
  return { proof, runs };
};

describe('a registry whose sums', () => {
  it('are honest: the three stores differ by its one member', async () => {
    const { proof } = await lookOnce();
    const one = { state: 'differs', differences: 1 };
    expect(proof).toMatchObject({ outcome: 'differs', stores: { roster: one, portal: one, register: one } });
  });

  it.each<[string, unknown]>([
    ['have 255 buckets', sums(rowsWith(HONEST).slice(1))],
    ['have 257 buckets', sums([...rowsWith(HONEST), { bucket: 256, ...HONEST }])],
    ['come in another order', sums(rowsWith(HONEST).reverse())],
    ['have a bucket twice', sums(rowsWith({ bucket: 0 }))],
    ['count less than nobody', sums(rowsWith({ count: -1 }))],
    ['count half a member', sums(rowsWith({ ...HONEST, count: 0.5 }))],
    ['are larger than a number is exact', sums(rowsWith({ ...HONEST, a: 2 ** 53 }))],
    ['are larger than one member can make them', sums(rowsWith({ ...HONEST, b: 2 ** 32 }))],
    ['are there without a member', sums(rowsWith({ ...HONEST, count: 0 }))],
    ['are texts', sums(rowsWith({ ...HONEST, a: '7' }))],
    ['are of another scheme', sums(rowsWith(HONEST), { scheme: 'wire/2' })],
    ['have no newest version', sums(rowsWith(HONEST), { newest_version: null })],
    ['are no sums', { detail: 'ok' }],
  ])('%s is not believed', async (_what, digests) => {
    answers.digests = digests;
    const { proof, runs } = await lookOnce();
    expect(proof).toMatchObject({
      outcome: 'unknown',
      errorCode: 'registry_invalid_response',
      provedAt: null,
    });
    expect(runs).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['has nobody', []],
    ['has somebody else', [{ ...MEMBER, ssn: '8000000012' }]],
    ['has another digest', [{ ...MEMBER, digest: 'f'.repeat(64) }]],
    ['has no digest', [{ ...MEMBER, digest: undefined }]],
    ['has more than its sums', [MEMBER, { ...MEMBER, id: 2, ssn: '8000000012' }]],
  ])('do not fit a bucket that %s is not believed, unless it changed meanwhile', async (_what, results) => {
    answers.page = { count: (results as unknown[]).length, next: null, results };
    const { proof, runs } = await lookOnce();
    expect(proof).toMatchObject({ outcome: 'unknown', errorCode: 'registry_invalid_response' });
    answers.later = sums(rowsWith(HONEST), { newest_version: 5 });
    const moved = await lookOnce();
    expect(moved.proof).toMatchObject({ outcome: 'under_way', because: 'events' });
    expect([...runs, ...moved.runs]).toEqual([]);
  });

  it.each([
    [404, 'no_companion_app'],
    [409, 'digests_missing'],
  ])('are refused with %i gives no proof, and says why', async (status, because) => {
    Object.assign(answers, { status, digests: { error: 'none' } });
    expect((await lookOnce()).proof).toMatchObject({ outcome: 'unprovable', because, provedAt: null });
  });

  it.each([401, 400])('are refused with %i is an unknown answer', async (status) => {
    Object.assign(answers, { status, digests: { error: 'none' } });
    expect((await lookOnce()).proof.outcome).toBe('unknown');
  });
});

it('the member of these tests adds what they say', () => expect(tryDigest(DIGEST)).toEqual({ a: 7, b: 9 }));
