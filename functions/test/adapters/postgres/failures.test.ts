import { describe, expect, it } from 'vitest';
import {
  databaseFailure,
  RETRIED_STATES,
  retried,
  retryPolicyOf,
} from '../../../src/adapters/postgres/database.ts';
import { SyncError } from '../../../src/lib/errors.ts';

const driverError = (code: string | undefined) =>
  Object.assign(
    new Error('Key (kennitala)=(0101302989) already exists.'),
    code === undefined ? {} : { code },
  );

describe('a failure of the driver', () => {
  it.each([
    [undefined, 'database_unavailable'],
    ['ECONNREFUSED', 'database_unavailable'],
    ['ECONNRESET', 'database_unavailable'],
    ['40001', 'database_unavailable'],
    ['40P01', 'database_unavailable'],
    ['53300', 'database_unavailable'],
    ['57P01', 'database_unavailable'],
    ['23505', 'database_rejected'],
    ['25006', 'database_rejected'],
    ['28P01', 'database_rejected'],
    ['42501', 'database_rejected'],
    ['42601', 'database_rejected'],
    ['42P01', 'schema_outdated'],
    ['42703', 'schema_outdated'],
  ])('with code %s is %s, and quotes no value', (code, expected) => {
    const failure = databaseFailure('do it', driverError(code));
    expect(failure.code).toBe(expected);
    expect(`${failure.message}${JSON.stringify(failure.details)}`).not.toContain('0101302989');
  });
});

describe('trying a transaction again', () => {
  const clock = { now: () => 0, sleep: async () => undefined, random: () => 0.5 };

  it.each(Object.entries(RETRIED_STATES))(
    'after %s ends at the attempts of the table',
    async (code, policy) => {
      let attempts = 0;
      const work = async () => {
        attempts += 1;
        throw databaseFailure('do it', driverError(code));
      };
      await expect(retried(work, { clock })).rejects.toMatchObject({ code: 'database_unavailable' });
      expect(attempts).toBe(policy.attempts);
    },
  );

  it('is not done for a refusal, nor for any other failure', async () => {
    for (const failure of [databaseFailure('do it', driverError('23505')), new Error('bug')]) {
      let attempts = 0;
      const work = async () => {
        attempts += 1;
        throw failure;
      };
      await expect(retried(work, { clock })).rejects.toBe(failure);
      expect(attempts).toBe(1);
      expect(retryPolicyOf(failure)).toBeNull();
    }
  });

  it('stops when the run is over', async () => {
    const controller = new AbortController();
    let attempts = 0;
    const work = async () => {
      attempts += 1;
      controller.abort();
      throw new SyncError('database_unavailable', 'Lost.');
    };
    await expect(retried(work, { clock, signal: controller.signal })).rejects.toThrow('Lost.');
    expect(attempts).toBe(1);
  });
});
