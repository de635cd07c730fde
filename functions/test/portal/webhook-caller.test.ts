import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import { makeWebhookGate, verifySignature, type WebhookSecrets } from '../../src/portal/webhook-caller.ts';
import { SECRET } from '../support/registry-events.ts';

const OTHER = `whsec_${Buffer.from('another secret of the tests, too').toString('base64')}`;
const BODY = Buffer.from('{"a":1}');
const NOW = new Date();
const request = (
  more: Partial<Parameters<typeof verifySignature>[0]> = {},
  secret = SECRET,
  id = 'msg_1',
) => ({
  rawBody: BODY,
  id,
  timestamp: String(Math.floor(NOW.getTime() / 1_000)),
  signature: new Webhook(secret).sign(id, NOW, BODY.toString()),
  ...more,
});
const verified = (given: ReturnType<typeof request>, secrets: readonly string[] = [SECRET]) => {
  try {
    return verifySignature(given, secrets);
  } catch (cause) {
    if (cause instanceof SyncError) return `${cause.code}: ${cause.message}`;
    throw cause;
  }
};
const MALFORMED = 'unauthenticated: The webhook headers are missing or not of the agreed form.';
const UNKNOWN = 'unauthenticated: The signature is of no known secret, or too old.';

describe('a signature', () => {
  it('is of any secret in force, whatever else is stored as one', () => {
    expect(verified(request())).toBe('msg_1');
    expect(verified(request({}, OTHER), [SECRET, 'not base64 at all!', OTHER])).toBe('msg_1');
    expect(verified(request({}, OTHER))).toBe(UNKNOWN);
    expect(verified(request(), ['not base64 at all!'])).toBe(
      'secret_unavailable: No version of the webhook secret is of the form whsec_… .',
    );
    expect(verified(request(), [])).toMatch(/^secret_unavailable/);
  });

  it('is known for many secrets one after another', () => {
    const secrets = Array.from(
      { length: 40 },
      (_, n) => `whsec_${Buffer.from(`secret number ${n}, 32 bytes.....`).toString('base64')}`,
    );
    for (const secret of [...secrets, ...secrets])
      expect(verified(request({}, secret), [secret])).toBe('msg_1');
  });

  it('is over the bytes of this request alone', () => {
    const all = Buffer.from('x{"a":1}y');
    expect(verified(request({ rawBody: new Uint8Array(all.buffer, all.byteOffset + 1, 7) }))).toBe('msg_1');
    expect(verified(request({ rawBody: all }))).toBe(UNKNOWN);
  });

  it.each<[string, object]>([
    ['no id', { id: undefined }],
    ['no timestamp', { timestamp: undefined }],
    ['no signature', { signature: undefined }],
    ['an id that is too long', { id: 'a'.repeat(201) }],
    ['an id with a slash', { id: 'a/b' }],
    ['an id with a line', { id: 'msg_1\n' }],
    ['an id that begins with a blank', { id: ' msg_1' }],
    ['the id .', { id: '.' }],
    ['the id ..', { id: '..' }],
    ['the id __a__', { id: '__a__' }],
    ['a time with letters before it', { timestamp: 'a1700000000' }],
    ['a time with letters after it', { timestamp: '1700000000a' }],
    ['a time that is too long', { timestamp: '1'.repeat(13) }],
    ['a signature without a version', { signature: 'AAAA' }],
    ['a signature with words before it', { signature: 'x v1,AAAA' }],
    ['a signature with words after it', { signature: 'v1,AAAA!' }],
    ['signatures with two blanks between', { signature: 'v1,AAAA  v1,AAAA' }],
    ['a signature that is too long', { signature: `v1,${'A'.repeat(201)}` }],
    ['a second one that is too long', { signature: `v1,AAAA v1,${'A'.repeat(201)}` }],
    ['nine signatures', { signature: Array(9).fill('v1,AAAA').join(' ') }],
  ])('with %s is refused for its form', (_what, more) => {
    expect(verified(request(more))).toBe(MALFORMED);
  });

  it.each(['a', '...', '.a', '__a', 'a__', '__a__b', '-.:_', 'a'.repeat(200)])('may have the id %s', (id) => {
    expect(verified(request({}, SECRET, id))).toBe(id);
  });

  it.each<[string, (own: string) => string, string]>([
    ['stands behind others', (own) => `v1,AAAA v2,BBBB ${own}`, 'msg_1'],
    ['is one of eight', (own) => `${Array(7).fill('v1,AAAA').join(' ')} ${own}`, 'msg_1'],
    ['is asymmetric', () => 'v1a,AAAA', UNKNOWN],
    ['is of version 12', () => 'v12,AAAA v12b,AA+/AA==', UNKNOWN],
  ])('that %s is of the form', (_what, toSignature, expected) => {
    expect(verified(request({ signature: toSignature(String(request().signature)) }))).toBe(expected);
  });
});

describe('the caller of the webhook', () => {
  let now = NOW.getTime();
  const gate = (secrets: readonly (readonly string[])[], keys: readonly string[] | null = null) => {
    const told = { reads: 0, drops: 0 };
    const given: WebhookSecrets = {
      signing: {
        readAll: async () => {
          told.reads += 1;
          return secrets[Math.min(told.drops, secrets.length - 1)] ?? [];
        },
        drop: () => {
          told.drops += 1;
        },
      },
      legacyKey: keys === null ? null : { readAll: async () => keys },
    };
    const identify = makeWebhookGate(given, () => new Date(now));
    return { told, identify };
  };
  const headers = (secret = SECRET, authorization?: string) => {
    const { rawBody: _, ...signed } = request({}, secret);
    return { ...signed, authorization };
  };
  const code = (work: Promise<unknown>) =>
    work.catch((cause: SyncError) => `${cause.code}: ${cause.message}`);

  it('is who has signed, also with a secret of which it is heard for the first time', async () => {
    const { told, identify } = gate([[OTHER], [SECRET, OTHER]]);
    expect(await identify(BODY, headers())).toEqual({ kind: 'signed', eventId: 'msg_1' });
    expect(told).toEqual({ reads: 2, drops: 1 });
    expect(await identify(BODY, headers())).toEqual({ kind: 'signed', eventId: 'msg_1' });
    expect(told).toEqual({ reads: 3, drops: 1 });
  });

  it('makes the secrets be read again once in ten seconds at most, and for a signature alone', async () => {
    const { told, identify } = gate([[OTHER]]);
    for (const [ms, drops] of [
      [0, 1],
      [9_999, 1],
      [1, 2],
    ] as const) {
      now += ms;
      expect(await code(identify(BODY, headers()))).toBe(UNKNOWN);
      expect(told.drops).toBe(drops);
    }
    now += 10_000;
    const broken = gate([['not base64 at all!']]);
    expect(await code(broken.identify(BODY, headers()))).toMatch(/^secret_unavailable/);
    expect(broken.told.drops).toBe(0);
  });

  it.each([
    ['Bearer key', 'legacy'],
    ['bearer second', 'legacy'],
    ['Token key', 'legacy'],
    ['Basic key', null],
    ['Bearer other', null],
    ['Bearer ', null],
    ['key', null],
    ['x Bearer key', null],
    ['Bearer key more', null],
  ])('that cannot sign is known by its key: %s', async (authorization, kind) => {
    const { identify } = gate([[SECRET]], ['key', 'second']);
    const unsigned = { ...headers(), signature: undefined, authorization };
    expect(await code(identify(BODY, unsigned))).toEqual(
      kind === null ? 'unauthenticated: The key is not known.' : { kind },
    );
  });

  it('is known by no empty key, and by none at all where that is not allowed or a signature is there', async () => {
    const empty = { ...headers(), signature: undefined, authorization: 'Bearer' };
    expect(await code(gate([[SECRET]], ['']).identify(BODY, empty))).toBe(
      'unauthenticated: The key is not known.',
    );
    const keyed = { ...headers(), signature: undefined, authorization: 'Bearer key' };
    expect(await code(gate([[SECRET]]).identify(BODY, keyed))).toBe(MALFORMED);
    const without = { ...headers(), signature: undefined };
    expect(await code(gate([[SECRET]], ['key']).identify(BODY, without))).toBe(MALFORMED);
    expect(await gate([[SECRET]], ['key']).identify(BODY, headers(SECRET, 'Bearer other'))).toEqual({
      kind: 'signed',
      eventId: 'msg_1',
    });
  });
});
