import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portsWithOffset } from '../../../local/src/ports.ts';
import { type LocalStack, startStack } from '../../../local/src/stack.ts';
import { findFreeOffset } from './free-offset.ts';
import { expectDone, type Given, runOps, tooWide } from './run-ops.ts';

let stack: LocalStack;
let portOffset: number;
let data: string;
const logged: string[] = [];

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'erase-'));
  portOffset = await findFreeOffset();
  stack = await startStack({
    data,
    ports: portsWithOffset(portOffset),
    members: 50,
    onLog: (line) => logged.push(JSON.stringify(line)),
  });
  for (const mirror of ['roster', 'portal', 'register']) {
    expectDone(await ops(['sync', mirror, '--yes']));
  }
  const id = stack.registry?.randomMember() ?? 0;
  person = { id, kennitala: stack.registry?.member(id).ssn.replace('-', '') ?? '' };
}, 120_000);

afterAll(async () => {
  await stack?.close();
  await rm(data, { recursive: true, maxRetries: 5 });
});

const ops = (args: readonly string[], given?: Given) =>
  runOps([...args, '--port-offset', String(portOffset)], given);
const REASON = ['--reason', 'erasure requested'];

let person = { id: 0, kennitala: '' };
const stdin = () => `${person.kennitala}\n`;
const leftOf = (stdout: string) => JSON.parse(stdout).stores.map(({ left }: { left: number | null }) => left);

describe('erasing one person from the command line', { timeout: 60_000 }, () => {
  it('takes no number as an argument, and does not repeat one', async () => {
    const { code, stderr } = await ops(['erase', person.kennitala, ...REASON]);
    expect(code).toBe(1);
    expect(stderr).toContain('never an argument');
    expect(stderr).not.toContain(person.kennitala);
    const bad = await ops(['erase', ...REASON], { stdin: '12345\n' });
    expect(bad).toMatchObject({ code: 1, stdout: '' });
    expect(bad.stderr).toContain('no kennitala');
  });

  it('ends with 2 for a member, whether asked to check or to erase', async () => {
    for (const more of [['--check'], [...REASON, '--yes']]) {
      const { code, stdout } = await ops(['erase', ...more], { stdin: stdin() });
      expect(code).toBe(2);
      expect(stdout).toContain('still_a_member');
      expect(stdout).not.toContain(person.kennitala);
    }
    const json = await ops(['erase', '--check', '--json'], { stdin: stdin() });
    expect([json.code, JSON.parse(json.stdout).code]).toEqual([2, 'still_a_member']);
  });

  it('ends with 2 until the person has left every mirror', async () => {
    stack.registry?.deleteMember(person.id);
    await stack.registry?.webhooks?.drain();
    const early = await ops(['erase', '--check'], { stdin: stdin() });
    expect([early.code, early.stdout.split(':')[0]]).toEqual([2, 'events_waiting']);
    const { url, projectId } = stack.functions;
    await fetch(`${url}/${projectId}/europe-west2/bidirectionalSync`, { method: 'POST' });
    // The list follows the webhook by itself; the register waits for its own run.
    expectDone(await ops(['sync', 'roster', '--yes']));
    const { code, stdout } = await ops(['erase', '--check'], { stdin: stdin() });
    expect(code).toBe(2);
    expect(stdout).toContain('still a member in: register');
    expectDone(await ops(['sync', 'register', '--yes']));
  });

  it('checks without changing anything, and ends with 1 while something is held', async () => {
    const first = await ops(['erase', '--check', '--json'], { stdin: stdin() });
    const second = await ops(['erase', '--check', '--json'], { stdin: stdin() });
    expect([first.code, second.code]).toEqual([1, 1]);
    expect(leftOf(first.stdout)).toEqual(leftOf(second.stdout));
    expect(leftOf(first.stdout).some((left: number) => left > 0)).toBe(true);
  });

  it('shows what is held and asks; a no changes nothing, and neither does a pipe', async () => {
    const before = await ops(['erase', '--check', '--json'], { stdin: stdin() });
    const refused = await ops(['erase', ...REASON], {
      typed: [
        [/\? Kennitala:/, person.kennitala],
        [/\(y\/N\)/, 'n'],
      ],
    });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/members +1/);
    expect(refused.stderr).toMatch(/versions of the list +[1-9]/);
    expect(refused.stderr).toContain('Erase all of it for good?');
    const piped = await ops(['erase', ...REASON], { stdin: stdin() });
    expect(piped.code).toBe(1);
    expect(piped.stderr).toContain('--yes');
    expect(tooWide(piped.stderr).filter((line) => !line.startsWith('This writes'))).toEqual([]);
    const after = await ops(['erase', '--check', '--json'], { stdin: stdin() });
    expect(leftOf(after.stdout)).toEqual(leftOf(before.stdout));
  });

  it('erases, shows the proof, and when the last soft-deleted copy expires', async () => {
    const { code, stdout, stderr } = await ops(['erase', ...REASON, '--yes'], { stdin: stdin() });
    expect(stdout).toContain('Absent: every place was read, and nothing is left.');
    expect(code).toBe(0);
    expect(stdout).toMatch(/public\.members +1 +1 +0/);
    expect(stdout).toMatch(/versions of the list +[1-9] +[1-9] +0/);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/The last is gone for good on \d{4}-\d\d-\d\d/);
    expect(stdout).toContain('Stays on purpose');
    expect(stdout).toContain('Out of reach');
    expect(stderr).toContain('manage.py erase_member');
    expect(tooWide(stdout)).toEqual([]);
    expect(stdout + stderr).not.toContain(person.kennitala);
  });

  it('proves the absence ever after, and asks nothing for who is absent', async () => {
    for (const more of [['--check'], REASON]) {
      const { code, stdout } = await ops(['erase', ...more, '--json'], { stdin: stdin() });
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ absent: true, hasRegister: true });
      expect(leftOf(stdout).every((left: number) => left === 0)).toBe(true);
    }
    const explained = await ops(['explain'], { stdin: stdin() });
    expect(explained.stdout).toMatch(/portal +absent/);
    expect(explained.stdout).toMatch(/operator +erase\b/);
  });

  it('leaves the mirrors in order: their next runs change nothing', async () => {
    // The list's own run after the departure may still be at it.
    await stack.functions.drain();
    for (const mirror of ['roster', 'portal', 'register']) {
      const { code, stdout } = await ops(['sync', mirror, '--yes']);
      expect([mirror, code, stdout.split(/[:,. ]/)[0]]).toEqual([mirror, 0, 'Unchanged']);
    }
    expectDone(await ops(['erase', '--check'], { stdin: stdin() }));
  });

  it('left the number in no log of the functions', () => {
    expect(logged.some((line) => line.includes('member_erased'))).toBe(true);
    expect(logged.filter((line) => line.includes(person.kennitala))).toEqual([]);
  });
});
