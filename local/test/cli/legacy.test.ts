import { expect, it } from 'vitest';
import { startRegistry } from '../../src/registry/start-registry.ts';
import { makePlace } from '../stack/place.ts';
import { runCli } from './run-cli.ts';

it('a registry without the companion app is published as any other', { timeout: 120_000 }, async () => {
  const place = await makePlace();
  const run = await runCli([...place.args, '--legacy', '--members', '300', '--exit', '--json']);
  expect(run.stderr).toContain('300 generated members');
  expect(JSON.parse(run.stdout)).toMatchObject({ outcome: 'published', memberCount: 300 });
  expect(run.code).toBe(0);
  expect(await place.lines()).toBe(300);
});

it('settings of the environment reach the functions, with a registry of one’s own', {
  timeout: 120_000,
}, async () => {
  const place = await makePlace();
  const token = 'bearer-token';
  const registry = await startRegistry({ port: 0, members: 40, token, authScheme: 'Bearer' });
  try {
    const args = [...place.args, '--django', registry.url, '--token', token, '--exit', '--json'];
    const environment = { DJANGO_AUTH_SCHEME: 'Bearer' };
    const first = await runCli(args, environment);
    expect(JSON.parse(first.stdout)).toMatchObject({ outcome: 'published', memberCount: 40 });

    // Four of forty are 10 %, and fewer than the ten that pass by default.
    registry.addFault({ drop: 4 });
    const strict = await runCli(args, {
      ...environment,
      GUARD_REMOVED_FLOOR: '0',
      GUARD_REMOVED_PERCENT: '5',
    });
    expect(JSON.parse(strict.stdout)).toMatchObject({ outcome: 'blocked', errorCode: 'guard_tripped' });
    expect(strict.code).toBe(2);

    const wrong = await runCli(args, { ...environment, GUARD_REMOVED_PERCENT: 'few' });
    expect(wrong.code).toBe(1);
    expect(`${wrong.stdout}${wrong.stderr}`).toContain('GUARD_REMOVED_PERCENT');
  } finally {
    await registry.close();
  }
});
