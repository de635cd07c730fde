import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fault } from '../../src/registry/faults/fault.ts';
import { start } from './support.ts';

const MAIN = fileURLToPath(new URL('../../src/registry/main.ts', import.meta.url));
const README = readFileSync(new URL('../../src/registry/README.md', import.meta.url), 'utf8');

const run = (...args: string[]) =>
  spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
const outcome = async (...args: string[]): Promise<{ code: number; stderr: string }> => {
  const child = run(...args);
  let stderr = '';
  child.stderr.on('data', (piece) => {
    stderr += piece;
  });
  const [code] = await once(child, 'close');
  return { code, stderr };
};

describe('the command', () => {
  test('starts a registry, says where, and stops on a signal', async () => {
    const child = run('--port', '0', '--members', '30', '--token', 'dev-token');
    const closed = once(child, 'close');
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const [, url] = /30 made-up members: (http:\/\/127\.0\.0\.1:\d+)$/.exec(line) ?? [];
    const headers = { authorization: 'Token dev-token' };
    const answer = await fetch(`${url}/api/members/kennitalas/`, { headers });
    expect(await answer.json()).toMatchObject({ count: 30 });
    child.kill('SIGTERM');
    expect((await closed)[0]).toBe(0);
  });

  test('a port in use ends it with a clear message', async () => {
    const { port } = await start();
    const { code, stderr } = await outcome('--port', String(port), '--token', 't');
    expect([code, stderr]).toEqual([1, expect.stringContaining(`Port ${port} is in use`)]);
  });

  test.each([
    [['--port', '0'], '--token'],
    [['--token', 't', '--members', 'many'], 'whole number'],
    [['--token', 't', '--port', '0', '--members', '9000000'], '2000000'],
    [['--token', 't', '--auth-scheme', 'Basic'], 'Token or Bearer'],
    [['--token', 't', '--webhook', 'http://127.0.0.1:1/'], '--secret'],
  ])('%j is refused with exit code 1 and names %s', async (args, message) => {
    const { code, stderr } = await outcome(...args);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });
});

test('the README shows every misbehaviour', () => {
  const missing = Object.keys(fault.shape).filter((name) => !README.includes(`\`${name}\``));
  expect(missing).toEqual([]);
});
