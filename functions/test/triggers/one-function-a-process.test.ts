import { afterEach, describe, expect, it, vi } from 'vitest';
import * as all from '../../src/index.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

/** The module as a process loads it that the platform has told which function it serves. */
const loadFor = async (target: string) => {
  vi.stubEnv('FUNCTION_TARGET', target);
  vi.resetModules();
  return (await import('../../src/index.ts')) as Record<string, unknown>;
};

describe('a process that serves one function', () => {
  it.each(Object.keys(all))('%s: has it', async (name) => {
    const loaded = await loadFor(name);
    expect(loaded[name]).toBeTypeOf('function');
    expect(loaded[name]).toHaveProperty('__endpoint');
  });

  it('does not make its neighbours, whose libraries it would have to load', async () => {
    const { syncMemberList, opsApi, refreshRoster } = await loadFor('syncMemberList');
    expect(syncMemberList).toBeTypeOf('function');
    expect({ opsApi, refreshRoster }).toEqual({ opsApi: undefined, refreshRoster: undefined });
  });
});

it('a process that serves none in particular has them all', () => {
  expect(Object.values(all).filter((made) => typeof made !== 'function')).toEqual([]);
  expect(Object.keys(all).length).toBeGreaterThan(10);
});
