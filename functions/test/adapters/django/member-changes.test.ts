import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LocalRegistry, startRegistry } from '../../../../local/src/registry/start-registry.ts';
import { parseAnswer } from '../../../src/adapters/django/exchange.ts';
import { makeMemberChanges } from '../../../src/adapters/django/member-changes.ts';
import { makeRegistryHttp, type RegistryHttp } from '../../../src/adapters/django/registry-http.ts';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { isSyncError } from '../../../src/lib/errors.ts';
import type { Change, RegistryChanges } from '../../../src/registry/ports.ts';

const TOKEN = 'token-of-the-tests';
const signal = new AbortController().signal;

let registry: LocalRegistry;
let http: RegistryHttp;
let changes: RegistryChanges;
beforeAll(async () => {
  registry = await startRegistry({ members: 10, hyphenated: 1, port: 0, token: TOKEN });
  http = makeRegistryHttp({
    baseUrl: registry.url,
    authScheme: 'Token',
    token: { read: async () => TOKEN, drop: () => undefined },
    retry: { baseDelayMs: 1, maxDelayMs: 5, attempts: 3 },
  });
  changes = makeMemberChanges(http, { deadlineMs: 5_000 });
});
afterAll(async () => {
  await http.close();
  await registry.close();
});
beforeEach(() => registry.reset());

let made = 0;
const change = (id: number, email: string, expected?: string): Change => {
  made += 1;
  return {
    change_id: `change-${made}`,
    kennitala: registry.member(id).ssn.replace('-', '') as Kennitala,
    django_id: id,
    action: 'update',
    edited_at: '2026-11-20T10:00:00.000Z',
    changes: { 'profile.email': email },
    ...(expected !== undefined && { expected: { 'profile.email': expected } }),
  };
};
const emailOf = (id: number) => registry.member(id).contact_info.email ?? '';
const apply = (...told: Change[]) => changes.apply(told, { signal, isRepeatable: true });
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (cause: unknown) => (isSyncError(cause) ? cause.code : String(cause)),
  );

const SOMEONE = '0101002008' as Kennitala;
const success = (facts: object = {}) => ({ ssn: SOMEONE, status: 'success', version: 3, ...facts });
/** One change of SOMEONE, answered so. */
const answering = (results: readonly object[]) =>
  makeMemberChanges({
    getJson: http.getJson,
    postJson: async (route, _body, schema) => parseAnswer(`POST ${route}`, { results }, schema),
  }).apply([{ ...change(1, 'a@example.is'), kennitala: SOMEONE }], { signal, isRepeatable: true });

describe('telling the registry', () => {
  it('answers one result a change, in order, whatever became of the others', async () => {
    registry.updateMember(2, { contact_info: { email: 'theirs@example.is' } });
    const answers = await apply(
      change(1, 'one@example.is', emailOf(1)),
      change(2, 'two@example.is', 'something@example.is'),
      change(3, 'no address'),
    );
    expect(answers).toEqual([
      { status: 'success', version: registry.member(1).version },
      {
        status: 'conflict',
        current: { 'profile.email': 'theirs@example.is' },
        version: registry.member(2).version,
        changedAt: expect.any(Date),
      },
      { status: 'refused', code: 'invalid_value', message: expect.any(String) },
    ]);
  });

  it('has no version, no conflict and no code without the companion app', async () => {
    registry.setCompanion(false);
    expect(
      await apply(change(4, 'four@example.is', 'something@example.is'), change(5, 'no address')),
    ).toEqual([
      { status: 'success', version: null },
      { status: 'refused', code: null, message: expect.any(String) },
    ]);
  });

  it('is tried again only where that is harmless', async () => {
    registry.addFault({ status: 503, times: 1, path: '/api/sync/apply/' });
    expect(await codeOf(changes.apply([change(6, 'six@example.is')], { signal, isRepeatable: false }))).toBe(
      'registry_unavailable',
    );
    registry.clearFaults();
    registry.addFault({ status: 503, times: 1, path: '/api/sync/apply/' });
    expect(await codeOf(apply(change(6, 'six@example.is')))).toBe('done');
  });

  it.each([
    ['results are missing', { missing_keys: ['results'] }],
    ['the results are no list', { wrong_types: ['results'] }],
    ['the body is half of the JSON', { truncate: true }],
    ['a login page comes instead', { html: true }],
  ])('fails as a whole when %s: what became of no change is known', async (_, fault) => {
    registry.addFault({ ...fault, path: '/api/sync/apply/' });
    expect(await codeOf(apply(change(7, 'seven@example.is')))).toMatch(
      /^registry_(invalid_response|unreachable)$/,
    );
  });

  it.each([
    ['as agreed', [success()], 'done'],
    ['of a number with a hyphen', [success({ ssn: '010100-2008' })], 'done'],
    ['of another member', [success({ ssn: '0101000009' })], 'registry_invalid_response'],
    ['none', [], 'registry_invalid_response'],
    ['one too many', [success(), success()], 'registry_invalid_response'],
    ['without a status', [success({ status: undefined })], 'registry_invalid_response'],
    ['of an unknown status', [success({ status: 'later' })], 'registry_invalid_response'],
    ['with a version that is text', [success({ version: '3' })], 'registry_invalid_response'],
    [
      'a conflict that does not say what there is',
      [success({ status: 'conflict' })],
      'registry_invalid_response',
    ],
  ])('answers only what is known for certain: results %s', async (_, results, code) => {
    expect(await codeOf(answering(results))).toBe(code);
  });

  it.each([
    ['is missing', undefined],
    ['is null', null],
    ['is no time', 'yesterday'],
    ['has no offset', '2026-11-20T10:00:00'],
  ])('cannot compare times when changed_at %s', async (_, changed_at) => {
    const conflict = success({ status: 'conflict', current: {}, changed_at });
    expect(await answering([conflict])).toMatchObject([{ status: 'conflict', changedAt: null }]);
  });
});

describe("the registry's change queue", () => {
  it('is given oldest first, and what is marked does not come back', async () => {
    const before = await changes.outbox({ signal });
    await changes.markSynced(
      before.map(({ id }) => id),
      { signal },
    );
    const [one, two] = [registry.updateMember(1), registry.deleteMember(10)];
    expect(await changes.outbox({ signal })).toEqual([
      {
        id: one.version,
        ssn: registry.member(1).ssn,
        action: 'update',
        createdAt: new Date(one.occurred_at),
      },
      {
        id: two.version,
        ssn: registry.member(10).ssn,
        action: 'delete',
        createdAt: new Date(two.occurred_at),
      },
    ]);
    await changes.markSynced([one.version], { signal });
    expect((await changes.outbox({ signal })).map(({ id }) => id)).toEqual([two.version]);
  });

  it.each([{ missing_keys: ['changes'] }, { wrong_types: ['changes'] }, { status: 500 }])(
    'is no empty queue when the answer is spoiled: %o',
    async (fault) => {
      registry.updateMember(1);
      registry.addFault({ ...fault, path: '/api/sync/changes/' });
      expect(await codeOf(changes.outbox({ signal }))).toMatch(/^registry_/);
    },
  );
});
