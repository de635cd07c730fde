import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeSigningKey } from '../../../local/src/secrets.ts';
import { parseChainKey, parsePublicKey } from '../../src/proof/chain-key.ts';
import { faultsOfRoll, type Receipt, receiptText } from '../../src/proof/receipt.ts';
import { type SignedHead, signedText } from '../../src/proof/signed.ts';
import { linesOf, makeKennitalas } from '../support/kennitalas.ts';

const key = parseChainKey('chain-signing-key', makeSigningKey());
const stranger = parseChainKey('chain-signing-key', makeSigningKey());
const lines = linesOf(makeKennitalas(5).toSorted());

const headBy = (signer: typeof key): SignedHead => {
  const head = { stream: 'roster', number: 7, hash: 'a'.repeat(64) } as const;
  return { ...head, key: signer.id, signature: signer.sign(signedText(head)) };
};

const receiptFor = (text: string, facts: Partial<Receipt> = {}, signer = key): Receipt => {
  const unsigned = {
    format: 'membership-roll/1' as const,
    at: '2026-11-01T12:00:00.000Z',
    count: text.split('\n').length - 1,
    sha256: createHash('sha256').update(text).digest('hex'),
    list: { generation: '12', publishedAt: '2026-10-26T03:00:00.000Z', replacedAt: null },
    run: null,
    registry: { equalAt: null, ageSeconds: null, notDone: 0 },
    chain: headBy(key),
    issuedAt: '2026-11-02T08:00:00.000Z',
    key: key.id,
    ...facts,
  };
  return { ...unsigned, signature: signer.sign(receiptText(unsigned)) };
};

const faults = (text: string, receipt: Receipt) =>
  faultsOfRoll(Buffer.from(text), receipt, [parsePublicKey(key.pem)]);
const SHAPE = 'the file is not sorted, has a number twice, or a line that is none';

describe('a roll with its receipt', () => {
  it('has no fault as it was given out, of nobody too, and from before the chain', () => {
    expect(faults(lines, receiptFor(lines))).toEqual([]);
    expect(faults('', receiptFor('', { count: 0 }))).toEqual([]);
    expect(faults(lines, receiptFor(lines, { chain: null }))).toEqual([]);
  });

  const [first = '', second = '', ...rest] = lines.trimEnd().split('\n');
  it.each<[what: string, text: string, expected: string[]]>([
    ['has two lines the other way round', linesOf([second, first, ...rest]), [SHAPE]],
    ['has a number twice', linesOf([first, first, ...rest]), [SHAPE]],
    ['has a line that is no number', linesOf([`${first}x`, second]), [SHAPE]],
    ['has a longer number', linesOf([`0${first}`, second]), [SHAPE]],
    ['does not end its last line', lines.trimEnd(), ['the last line of the file is not ended']],
  ])('is none that %s, whoever signed it', (_what, text, expected) => {
    const count = text.endsWith('\n') ? text.split('\n').length - 1 : 4;
    expect(faults(text, receiptFor(text, { count }))).toEqual(expected);
  });

  it('is none of another list, by its bytes and by its lines', () => {
    expect(faults(linesOf([first, second]), receiptFor(lines))).toEqual([
      'the file is not the list of the receipt: its SHA-256 is another',
      'the file has 2 lines, the receipt says 5',
    ]);
  });

  it('is none whose receipt was altered, is another’s, or is of another format', () => {
    const receipt = receiptFor(lines);
    expect(faults(lines, { ...receipt, at: '2026-11-02T12:00:00.000Z' })).toEqual([
      'the receipt is not what was signed',
    ]);
    expect(faults(lines, receiptFor(lines, {}, stranger))).toEqual(['the receipt is not what was signed']);
    expect(faults(lines, receiptFor(lines, { key: stranger.id }, stranger))).toEqual([
      `the receipt names the key ${stranger.id}, and this is not it`,
    ]);
    expect(faults(lines, { ...receipt, format: 'membership-roll/2' as never })).toEqual([
      'the receipt is of another format',
    ]);
  });

  it.each([
    ['by a stranger', headBy(stranger)],
    ['by a stranger in the key’s name', { ...headBy(stranger), key: key.id }],
    ['for another number', { ...headBy(key), number: 8 }],
  ])('is none whose chain was signed %s', (_what, chain) => {
    expect(faults(lines, receiptFor(lines, { chain }))).toEqual([
      'the head of the chain in the receipt is not signed by a key that is known here',
    ]);
  });
});

describe('a signing key', () => {
  it('may be PEM, or base64 of its DER with space around', () => {
    const pem = makeSigningKey();
    const der = pem.replace(/-----[^-]+-----|\s/g, '');
    expect(parseChainKey('n', ` ${der}\n`).id).toBe(parseChainKey('n', pem).id);
  });

  it.each(['', 'x', '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----'])(
    'is no %j, which is told without quoting it',
    (text) => {
      expect(() => parseChainKey('chain-signing-key', text)).toThrow(
        expect.objectContaining({
          code: 'secret_unavailable',
          details: { secret: 'chain-signing-key', reason: 'no_ed25519_key' },
        }),
      );
    },
  );

  it('keeps digests of different things apart, and those of other keys', () => {
    expect(key.digest('lists', 'a')).toBe(key.digest('lists', 'a'));
    expect(
      new Set([key.digest('lists', 'a'), key.digest('other', 'a'), stranger.digest('lists', 'a')]).size,
    ).toBe(3);
  });
});
