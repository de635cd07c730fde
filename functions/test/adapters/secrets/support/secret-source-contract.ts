import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTokenSource, type SecretSource } from '../../../../src/adapters/secrets/secret-manager.ts';
import { isSyncError, type SyncError } from '../../../../src/lib/errors.ts';

/** A source over values that the suite can change. Versions are oldest first. */
export interface SecretSourceFixture {
  readonly source: SecretSource;
  readonly store: (name: string, versions: readonly string[]) => void;
  readonly close: () => Promise<void>;
}

export const failureOf = async (promise: Promise<unknown>): Promise<SyncError> => {
  try {
    await promise;
  } catch (error) {
    if (isSyncError(error)) return error;
    throw error;
  }
  throw new Error('It was expected to fail.');
};

/** What every SecretSource does. */
export const describeSecretSource = (title: string, open: () => Promise<SecretSourceFixture>): void => {
  describe(`${title}, as a source of secrets`, () => {
    let fixture: SecretSourceFixture;
    beforeAll(async () => {
      fixture = await open();
    });
    afterAll(async () => {
      await fixture.close();
    });

    it('reads the newest version', async () => {
      fixture.store('newest', ['old-value', 'new-value']);
      expect(await fixture.source.read('newest')).toBe('new-value');
    });

    it('reads every version in force, newest first', async () => {
      fixture.store('several', ['first', 'second', 'third']);
      expect(await fixture.source.readAll('several')).toEqual(['third', 'second', 'first']);
    });

    it('reads the version that was added after the old one was dropped', async () => {
      fixture.store('rotated', ['before']);
      const token = makeTokenSource(fixture.source, 'rotated');
      expect(await token.read()).toBe('before');
      fixture.store('rotated', ['before', 'after']);
      token.drop();
      expect(await token.read()).toBe('after');
      expect(await fixture.source.readAll('rotated')).toEqual(['after', 'before']);
    });

    it.each([
      ['a line break at the end', 'value\n', 'value'],
      ['a Windows line break at the end', 'value\r\n', 'value'],
      ['only the last of two line breaks', 'value\n\n', 'value\n'],
      ['no spaces, which may be part of it', ' value ', ' value '],
      ['letters beyond ASCII', 'þæö', 'þæö'],
    ])('trims or keeps: %s', async (_, stored, read) => {
      const name = `text-${Buffer.from(stored).toString('hex')}`;
      fixture.store(name, [stored]);
      expect(await fixture.source.read(name)).toBe(read);
    });

    it.each(['', '\n'])('refuses a secret that is empty (%j)', async (value) => {
      const name = `empty-${value.length}`;
      fixture.store(name, [value]);
      for (const read of [fixture.source.read, fixture.source.readAll]) {
        const error = await failureOf(read(name));
        expect(error).toMatchObject({
          code: 'secret_unavailable',
          details: { secret: name, reason: 'empty' },
        });
      }
    });

    it('names a secret that does not exist, and the remedy', async () => {
      for (const read of [fixture.source.read, fixture.source.readAll]) {
        const error = await failureOf(read('absent'));
        expect(error).toMatchObject({
          code: 'secret_unavailable',
          details: { secret: 'absent', reason: 'NOT_FOUND' },
        });
        expect(error.message).toMatch(/^Secret absent .+\. (Create|Set) it/);
      }
    });

    it.each(['__proto__', 'constructor'])('has no secret of the name %s by itself', async (name) => {
      expect(await failureOf(fixture.source.read(name))).toMatchObject({ details: { reason: 'NOT_FOUND' } });
    });
  });
};
