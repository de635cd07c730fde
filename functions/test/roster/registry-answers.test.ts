import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StandingFaultInput } from '../../../local/src/registry/faults.ts';
import { makeRegistryHttp } from '../../src/adapters/django/registry-http.ts';
import type { ErrorCode } from '../../src/lib/errors.ts';
import { type RosterStack, startRosterStack } from '../support/stack.ts';

let stack: RosterStack;
let published: string | null;
beforeAll(async () => {
  stack = await startRosterStack({ members: 600 });
  await stack.run();
  published = await stack.file();
});
afterEach(() => {
  stack.registry.clearFaults();
  stack.secrets['django-api-token'] = 'token-of-the-tests';
});
afterAll(async () => {
  await stack.close();
});

const mentionsMember = (text: string) =>
  published?.split('\n').some((kennitala) => kennitala !== '' && text.includes(kennitala)) ?? true;

const lastError = () => stack.logs.findLast(({ severity }) => severity === 'ERROR');

/** What the registry can answer instead of the list: each ends in its code, in the record and in the log. */
const refused: [string, StandingFaultInput, ErrorCode][] = [
  ['closes the connection at once', { disconnect: 'at-once' }, 'registry_unreachable'],
  ['resets in mid-body', { disconnect: 'mid-body' }, 'registry_unreachable'],
  ['sends no headers in time', { delay_ms: 5_000 }, 'registry_timeout'],
  ['trickles its body', { trickle_ms: 50, trickle_bytes: 16 }, 'registry_timeout'],
  ['answers 401', { status: 401 }, 'registry_unauthorized'],
  ['answers 403', { status: 403 }, 'registry_unauthorized'],
  ['answers 404', { status: 404 }, 'registry_rejected'],
  ['answers 410', { status: 410 }, 'registry_rejected'],
  ['redirects to a login page elsewhere', { redirect: 'https://login.example.is/' }, 'registry_rejected'],
  ['answers 429 for ever', { status: 429 }, 'registry_unavailable'],
  ['answers 500 for ever', { status: 500 }, 'registry_unavailable'],
  ['answers 503 for ever', { status: 503 }, 'registry_unavailable'],
  ['answers an HTML page', { html: true }, 'registry_invalid_response'],
  ['answers half of the JSON', { truncate: true }, 'registry_invalid_response'],
  ['answers a count that is no number', { wrong_types: 'count' }, 'registry_invalid_response'],
  ['answers a list that is none', { wrong_types: 'kennitalas' }, 'registry_invalid_response'],
  ['leaves the list out', { missing_keys: 'kennitalas' }, 'registry_invalid_response'],
  ['leaves the count out', { missing_keys: 'count' }, 'registry_invalid_response'],
  ['answers an empty list', { empty: true }, 'empty_export'],
  ['sends fewer entries than it counts', { count: 1 }, 'incomplete_export'],
  ['drops a quarter of its members', { drop: 150 }, 'guard_tripped'],
  ['spoils more than 1% of the entries', { unreadable: 7 }, 'guard_tripped'],
];

/** What is tried again until the time is up. */
const UNTIL_THE_LIMIT = new Set<ErrorCode>([
  'registry_timeout',
  'registry_unavailable',
  'registry_unreachable',
]);

describe('a registry that answers something else', () => {
  it.each(refused)(
    '%s: nothing is published, and the record and the log name the code',
    async (_what, fault, code) => {
      stack.registry.addFault(fault);
      const { record } = await (UNTIL_THE_LIMIT.has(code) ? stack.runHurried() : stack.run());
      expect(record).toMatchObject({ status: 'error', errorCode: code });
      expect(record.outcome).toBe(code === 'guard_tripped' ? 'blocked' : 'failed');
      expect((await stack.db.doc(`sync_audit/${record.runId}`).get()).data()).toMatchObject({
        status: 'error',
        errorCode: code,
        error: expect.stringMatching(/\S/),
      });
      expect(lastError()?.fields).toMatchObject({ runId: record.runId, code });
      expect(await stack.file()).toBe(published);
      expect(mentionsMember(`${JSON.stringify(stack.logs)}${record.error}`)).toBe(false);
    },
  );

  it.each([
    ['one more entry than it counts', { count: -1 }, 'more_than_announced', {}],
    ['five unreadable entries', { unreadable: 5 }, 'quarantined_entries', { quarantined: 5 }],
  ] satisfies [string, StandingFaultInput, string, object][])(
    'sends %s: published, with a warning',
    async (_what, fault, warning, findings) => {
      stack.registry.addFault(fault);
      const { record } = await stack.run();
      expect(record).toMatchObject({ outcome: 'unchanged', memberCount: 600, findings });
      expect(record.warnings.map(({ code }) => code)).toEqual([warning]);
    },
  );

  it.each([
    ['duplicates', { duplicates: 40 }, { duplicates: 40 }],
    ['hyphens', { hyphens: 40 }, {}],
    ['placeholders', { placeholders: 3 }, { placeholders: 3 }],
  ] satisfies [string, StandingFaultInput, object][])(
    'sends %s: normalised and counted',
    async (_what, fault, findings) => {
      stack.registry.addFault(fault);
      const { record } = await stack.run();
      expect(record).toMatchObject({ outcome: 'unchanged', memberCount: 600, findings });
      expect(await stack.file()).toBe(published);
    },
  );

  it.each([
    ['a reset in mid-body', { disconnect: 'mid-body', times: 2 }],
    ['503', { status: 503, times: 2 }],
    ['500', { status: 500, times: 1 }],
    ['429', { status: 429, times: 2 }],
  ] satisfies [string, StandingFaultInput][])('recovers by itself after %s', async (_what, fault) => {
    stack.registry.addFault(fault);
    expect((await stack.run()).record.outcome).toBe('unchanged');
  });

  it('recovers by itself after one answer that takes too long', async () => {
    stack.registry.addFault({ delay_ms: 30_000, times: 1 });
    expect((await stack.runHurried(30_000)).record.outcome).toBe('unchanged');
  });

  it('reads a rotated token after a 401, once', async () => {
    stack.registry.acceptToken('rotated-token');
    stack.secrets['django-api-token'] = 'rotated-token';
    expect((await stack.run()).record.outcome).toBe('unchanged');
    stack.registry.acceptToken('token-of-the-tests');
  });

  it('says when a secret cannot be read', async () => {
    delete stack.secrets['django-api-token'];
    expect((await stack.run()).record).toMatchObject({ outcome: 'failed', errorCode: 'secret_unavailable' });
  });

  it('refuses a registry without https elsewhere than on this machine', () => {
    expect(() =>
      makeRegistryHttp({
        baseUrl: 'http://registry.example.is',
        authScheme: 'Token',
        token: { read: async () => 't', drop: () => undefined },
      }),
    ).toThrowError(expect.objectContaining({ code: 'config_invalid' }));
  });
});
