import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { statusAnswer } from '../../../functions/src/ops/schemas/status.ts';
import { conflictsPage } from '../../../functions/src/ops/schemas/two-way.ts';
import { runAsScheduler } from '../../src/cli/runs.ts';
import { prepareMonday } from '../../src/scenarios/monday.ts';
import { startStack } from '../../src/stack.ts';
import { findFreePorts } from './free-ports.ts';

const MEMBERS = 300;

it('a bad Monday leaves a refused run and an open conflict, and the list as it was', {
  timeout: 240_000,
}, async () => {
  const data = await mkdtemp(join(tmpdir(), 'monday-'));
  const stack = await startStack({ data, ports: await findFreePorts(), members: MEMBERS, register: false });
  const lines: string[] = [];
  try {
    await runAsScheduler(stack);
    expect(await prepareMonday(stack, (more) => lines.push(...more))).toBe(true);
    const served = stack.functions.functions.find(({ name }) => name === 'opsApi');
    const authorization = `Bearer ${stack.auth.mintIdToken({ uid: 'test', claims: { roles: ['admin'] } })}`;
    const ask = async (path: string) =>
      (await fetch(`${served?.url}${path}`, { headers: { authorization } })).json();
    const status = statusAnswer.parse(await ask('/status'));
    expect(status.mirrors.find(({ mirror }) => mirror === 'roster')?.why).toEqual(['last_run_blocked']);
    expect(status.mirrors.find(({ mirror }) => mirror === 'portal')?.healthy).toBe(true);
    expect(status.twoWay.why).toEqual(['conflicts_waiting']);
    expect(conflictsPage.parse(await ask('/conflicts?state=open')).conflicts).toHaveLength(1);
    const list = await readFile(join(stack.bucketFolder, 'kennitalas.txt'), 'utf8');
    expect(list.split('\n').slice(0, -1)).toHaveLength(MEMBERS);
    const said = lines.join('\n');
    expect(said).not.toContain('✗');
    expect(said).not.toMatch(/\d{6}-?\d{4}/);
  } finally {
    await stack.close();
    await rm(data, { recursive: true, maxRetries: 5 });
  }
});
