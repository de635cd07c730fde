import { expect, it } from 'vitest';
import { makePlace } from '../stack/place.ts';
import { runCli } from './run-cli.ts';

it('a first run publishes the registry, and a second one finds nothing to do', {
  timeout: 60_000,
}, async () => {
  const place = await makePlace();
  const first = await runCli([...place.args, '--exit']);
  expect(first.code).toBe(0);
  expect(first.stdout).toContain('Published: 2,216 members (2,216 added, 0 removed)');
  expect(first.stdout).toContain(`${place.data}/storage/demo-ekklesia.appspot.com/kennitalas.txt`);
  expect(await place.lines()).toBe(2_216);

  const second = await runCli([...place.args, '--exit', '--json']);
  expect(second.code).toBe(0);
  expect(second.stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(second.stdout)).toMatchObject({
    outcome: 'unchanged',
    memberCount: 2_216,
    changes: { added: 0, removed: 0, unchanged: 2_216 },
  });
  expect(second.stderr).toContain('Unchanged: 2,216 members');

  const otherSize = await runCli([...place.args, '--exit', '--members', '100']);
  expect(otherSize.code).toBe(1);
  expect(otherSize.stderr).toMatch(/members = 2216, but members = 100 was asked for/);
  expect(otherSize.stdout).toBe('');
});

it('a dry run shows what would be published, and publishes nothing', async () => {
  const place = await makePlace();
  const dryRun = await runCli([...place.args, '--exit', '--members', '300', '--dry-run', '--json']);
  expect(dryRun.code).toBe(0);
  expect(JSON.parse(dryRun.stdout)).toMatchObject({
    outcome: 'dry-run',
    memberCount: 300,
    guard: { tripped: false },
  });
  expect(dryRun.stderr).toContain('Dry run: 300 members would be published (300 added, 0 removed)');
  expect(dryRun.stderr).toMatch(/npm start -- --data \S+ --port-offset \d+ --exit\n/);
  await expect(place.lines()).rejects.toThrow('ENOENT');
});
