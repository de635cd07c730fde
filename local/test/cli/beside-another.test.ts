import { describe, expect, it } from 'vitest';
import { makePlace } from '../stack/place.ts';
import { runCli, startCli } from './run-cli.ts';

const UP = 'The stack stays up';
const SMALL = ['--members', '50'];

describe('a stack that stays up', { timeout: 60_000 }, () => {
  it('keeps another stack off its ports and out of its folder', async () => {
    const place = await makePlace();
    const stack = startCli([...place.args, ...SMALL]);
    await stack.shows(UP);

    const other = await makePlace();
    const [samePorts, sameFolder] = await Promise.all([
      runCli([...place.args, '--exit']),
      runCli(['--data', place.data, '--port-offset', String(other.portOffset), '--exit']),
    ]);
    expect(samePorts.code).toBe(1);
    expect(samePorts.stderr).toContain(`${8080 + place.portOffset} (firestore`);
    expect(samePorts.stderr).toContain(`${9199 + place.portOffset} (storage`);
    expect(samePorts.stderr).toMatch(/with other ports: --port-offset \d+00 /);
    expect(sameFolder.code).toBe(1);
    expect(sameFolder.stdout).toContain('waiting to see whether it still lives');
    expect(sameFolder.stderr).toContain(`Another stack uses ${place.data}. Stop it, or`);
  });

  it('a killed one leaves a folder that the next one takes over', async () => {
    const place = await makePlace();
    const stack = startCli([...place.args, ...SMALL]);
    await stack.shows(UP);
    stack.signal('SIGKILL');
    await stack.ended;
    const other = await makePlace();
    const next = await runCli(['--data', place.data, '--port-offset', String(other.portOffset), '--exit']);
    expect(next.stdout).toContain('Unchanged: 50 members');
    expect(next.code).toBe(0);
  });
});
