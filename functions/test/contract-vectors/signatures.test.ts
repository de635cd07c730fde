import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { verifySignature } from '../../src/portal/webhook-caller.ts';

/** `contract/README.md` says what the parts mean. `now` is in Unix seconds. */
interface SignatureVector {
  readonly name: string;
  readonly secrets: readonly string[];
  readonly now: number;
  readonly body: string;
  readonly headers: Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>>;
}

interface SignatureVectors {
  readonly tolerance_seconds: number;
  readonly valid: readonly SignatureVector[];
  readonly invalid: readonly SignatureVector[];
}

const file = new URL('../../../contract/vectors/signatures.json', import.meta.url);
const vectors: SignatureVectors = JSON.parse(readFileSync(file, 'utf8'));

const verify = ({ headers, body, secrets }: SignatureVector, secondsLater = 0): string => {
  vi.advanceTimersByTime(secondsLater * 1_000);
  return verifySignature(
    {
      rawBody: Buffer.from(body),
      id: headers['webhook-id'],
      timestamp: headers['webhook-timestamp'],
      signature: headers['webhook-signature'],
    },
    secrets,
  );
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a signature made by an independent implementation', () => {
  it.each(vectors.valid)('verifies: $name', (vector) => {
    vi.setSystemTime(vector.now * 1_000);
    expect(verify(vector)).toBe(vector.headers['webhook-id']);
  });

  it.each(vectors.invalid)('is refused: $name', (vector) => {
    vi.setSystemTime(vector.now * 1_000);
    expect(() => verify(vector)).toThrowError(expect.objectContaining({ code: 'unauthenticated' }));
  });

  it('is taken for as long as the contract says, and no second longer', () => {
    const [vector] = vectors.valid;
    if (vector === undefined) throw new Error('The contract has no valid signature.');
    vi.setSystemTime(Number(vector.headers['webhook-timestamp']) * 1_000);
    expect(verify(vector, vectors.tolerance_seconds)).toBe(vector.headers['webhook-id']);
    expect(() => verify(vector, 1)).toThrowError(expect.objectContaining({ code: 'unauthenticated' }));
  });

  it.each(vectors.valid)('does not verify with one bit of the body turned: $name', (vector) => {
    vi.setSystemTime(vector.now * 1_000);
    const body = vector.body === '' ? ' ' : `${vector.body.slice(0, -1)}${turnBit(vector.body.slice(-1))}`;
    expect(() => verify({ ...vector, body })).toThrowError(
      expect.objectContaining({ code: 'unauthenticated' }),
    );
  });
});

const turnBit = (letter: string): string => String.fromCharCode(letter.charCodeAt(0) ^ 1);
