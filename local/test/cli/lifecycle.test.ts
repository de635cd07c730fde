import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { assertPortsFree, portsWithOffset } from '../../src/ports.ts';
import { startRegistry } from '../../src/registry/start-registry.ts';
import { makePlace } from '../stack/place.ts';
import { runCli, startCli } from './run-cli.ts';

const UP = 'The stack stays up';
const SMALL = ['--members', '50'];

describe('a stack that stays up', { timeout: 60_000 }, () => {
  it('SIGINT stops it, and the next one starts at once', async () => {
    const place = await makePlace();
    const stack = startCli([...place.args, ...SMALL]);
    await stack.shows(UP);
    stack.signal('SIGINT');
    const { code, stdout } = await stack.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('Stopping...');
    await assertPortsFree(portsWithOffset(place.portOffset));

    const next = await runCli([...place.args, '--exit']);
    expect(next.stdout).toContain('Unchanged: 50 members');
    expect(next.stdout).not.toContain('Another stack holds');
  });

  it('ends with code 1 when its folder is removed under it', async () => {
    const place = await makePlace();
    const stack = startCli([...place.args, ...SMALL]);
    await stack.shows(UP);
    await rm(place.data, { recursive: true, maxRetries: 5 });
    const { code, stderr } = await stack.ended;
    expect(stderr).toContain(`${place.data} was removed or taken over while the stack used it`);
    expect(code).toBe(1);
  });

  it('a signal in the middle of a run stops it with code 1', async () => {
    const place = await makePlace();
    const token = 'slow-registry-token';
    const registry = await startRegistry({
      port: 0,
      members: 50,
      token,
    });
    registry.addFault({ delay_ms: 60_000, times: 1 });
    onTestFinished(() => registry.close());
    const args = [...place.args, '--django', registry.url, '--token', token];
    const stack = startCli(args);
    await stack.shows('Starting weekly member list sync');
    stack.signal('SIGTERM');
    const { code, stdout } = await stack.ended;
    expect(stdout).toContain('Stopped before the run had ended');
    expect(code).toBe(1);
  });
});

it('a data folder that is a file is refused by name', async () => {
  const place = await makePlace();
  const file = join(import.meta.dirname, 'run-cli.ts');
  const { code, stderr } = await runCli([
    '--data',
    file,
    '--port-offset',
    String(place.portOffset),
    '--exit',
  ]);
  expect(code).toBe(1);
  expect(stderr).toContain(`${file} cannot be a data folder`);
});
