import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portsWithOffset } from '../../../local/src/ports.ts';
import { type LocalStack, startStack } from '../../../local/src/stack.ts';
import { findFreeOffset } from './free-offset.ts';
import { expectDone, type Given, runOps, tooWide } from './run-ops.ts';

const MEMBERS = 200;
const DROPPED = 60;
const KENNITALA = /\b\d{10}\b/;

let stack: LocalStack;
let portOffset: number;
let data: string;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'operators-story-'));
  portOffset = await findFreeOffset();
  stack = await startStack({ data, ports: portsWithOffset(portOffset), members: MEMBERS });
}, 60_000);

afterAll(async () => {
  await stack?.close();
  await rm(data, { recursive: true, maxRetries: 5 });
});

const ops = (args: readonly string[], given?: Given) =>
  runOps([...args, '--port-offset', String(portOffset)], given);
const published = async (): Promise<string[]> =>
  (await readFile(join(stack.bucketFolder, 'kennitalas.txt'), 'utf8')).split('\n').slice(0, -1);

/** What one step of the story leaves for the next. */
let everybody: string[] = [];
let first = '';
let planId = '';
let approvedRun = '';

describe('an operator, from the first look to the resumed roster', { timeout: 60_000 }, () => {
  it('sees that nothing has run yet, and is told so by the exit code', async () => {
    const { code, stdout } = await ops(['status']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/roster +never run/);
    expect(tooWide(stdout)).toEqual([]);
  });

  it('plans before running: a plan publishes nothing', async () => {
    const { code, stdout } = await ops(['plan', 'roster', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      run: { outcome: 'dry-run', changes: { added: MEMBERS, removed: 0 } },
      forecast: { firestoreWrites: expect.any(Number) },
    });
    await expect(published()).rejects.toThrow('ENOENT');
  });

  it('is asked before a run, and not without a terminal', async () => {
    const unasked = await ops(['sync', 'roster']);
    expect(unasked).toMatchObject({ code: 1, stdout: '' });
    expect(unasked.stderr).toContain('--yes');
    const refused = await ops(['sync', 'roster'], { typed: 'n' });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Nothing was done.');
    await expect(published()).rejects.toThrow('ENOENT');

    const agreed = await ops(['sync', 'roster'], { typed: 'y' });
    expect(agreed.code).toBe(0);
    expect(agreed.stderr).toContain('on the local stack');
    everybody = await published();
    expect(everybody).toHaveLength(MEMBERS);
  });

  it('sees a large removal refused, and how to approve it', async () => {
    stack.registry?.addFault({ drop: DROPPED });
    const { code, stdout } = await ops(['sync', 'roster', '--yes']);
    expect(code).toBe(2);
    expect(stdout).toContain(`Blocked: nothing was changed; asked for were 0 added, ${DROPPED} removed`);
    planId = /npm run ops -- approve roster ([0-9a-f]{64}) /.exec(stdout)?.[1] ?? '';
    expect(planId).not.toBe('');
    expect(await published()).toEqual(everybody);
  });

  it('cannot approve a plan that nobody has made', async () => {
    const approval = ['--operator', 'Test Operator', '--reason', 'cleaned up', '--yes'];
    const { code, stderr } = await ops(['approve', 'roster', '0'.repeat(64), ...approval]);
    expect(code).toBe(1);
    expect(stderr).toContain('None of the last 100 runs of the roster has that plan.');
  });

  it('approves exactly that plan, having read what it does', async () => {
    const approval = ['--operator', 'Test Operator', '--reason', 'cleaned up', '--json'];
    const { code, stdout, stderr } = await ops(['approve', 'roster', planId, ...approval], { typed: 'y' });
    expect(code).toBe(0);
    expect(stderr).toContain(`removes ${DROPPED}`);
    const { run } = JSON.parse(stdout);
    expect(run).toMatchObject({
      outcome: 'published',
      approvedBy: 'Test Operator',
      reason: 'cleaned up',
      planId,
    });
    approvedRun = run.runId;
    expect(await published()).toHaveLength(MEMBERS - DROPPED);
  });

  it('lists runs without naming anybody, and names them only with --changes', async () => {
    const list = await ops(['runs', '--mirror', 'roster']);
    expect(list.code).toBe(0);
    expect(list.stdout).toContain(approvedRun);
    expect(list.stdout).not.toMatch(KENNITALA);
    expect(tooWide(list.stdout)).toEqual([]);

    const shown = await ops(['runs', 'show', approvedRun]);
    expect(shown.stdout).toMatch(/approved by {3}\S+, who typed "Test Operator"/);
    expect(shown.stdout).not.toMatch(KENNITALA);

    const named = await ops(['runs', 'show', approvedRun, '--changes', '--json']);
    const { removed } = JSON.parse(named.stdout);
    const left = new Set(await published());
    expect(removed).toEqual(everybody.filter((kennitala) => !left.has(kennitala)));
    expect(named.stderr).toContain('recorded');
  });

  it('explains why one of them is missing, from standard input alone', async () => {
    const left = new Set(await published());
    const missing = everybody.find((kennitala) => !left.has(kennitala)) ?? '';
    const { code, stdout } = await ops(['explain'], { stdin: `${missing}\n` });
    expect(stdout).toMatch(/roster +not listed/);
    expect(stdout).toContain(`run ${approvedRun}`);
    expect(stdout).not.toContain(missing);
    expect(tooWide(stdout)).toEqual([]);
    expect(code).toBe(0);

    const argument = await ops(['explain', missing]);
    expect(argument.code).toBe(1);
    expect(argument.stderr).not.toContain(missing);
  });

  it('rolls the list back, after seeing what that does', async () => {
    const { versions } = JSON.parse((await ops(['rollback', '--json'])).stdout);
    expect(versions).toHaveLength(2);
    first = versions[1].generation;
    const table = await ops(['rollback']);
    expect(table.stdout).toMatch(new RegExp(`${first} +\\d{4}-`));
    expect(tooWide(table.stdout)).toEqual([]);

    const dry = await ops(['rollback', first, '--dry-run']);
    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain(`This would change: ${DROPPED} added, 0 removed`);
    expect(await published()).toHaveLength(MEMBERS - DROPPED);

    const back = await ops(['rollback', first, '--reason', 'wrong approval'], { typed: 'y' });
    expect(back.code).toBe(0);
    expect(back.stderr).toContain('resume roster');
    expect(await published()).toEqual(everybody);
  });

  it('finds the roster paused, so that the schedule does not undo the rollback', async () => {
    const { code, stdout } = await ops(['status']);
    expect(code).toBe(1);
    expect(stdout).toContain('paused since');
    expect(stdout).toContain('wrong approval');

    await fetch(`${stack.functions.url}/${stack.functions.projectId}/europe-west2/syncMemberList`, {
      method: 'POST',
    });
    const [last] = JSON.parse((await ops(['runs', '--limit', '1', '--json'])).stdout).runs;
    expect(last).toMatchObject({ trigger: 'schedule', outcome: 'skipped', errorCode: 'paused' });
    expect(await ops(['sync', 'roster', '--yes'])).toMatchObject({ code: 1 });
    expect(await published()).toEqual(everybody);
  });

  it('resumes, and the mended registry changes nothing', async () => {
    stack.registry?.clearFaults();
    const resumed = await ops(['resume', 'roster', '--reason', 'registry mended', '--yes']);
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toMatch(
      /^The roster runs by its schedule again.*\n {2}npm run ops -- plan roster /,
    );
    const { code, stdout } = await ops(['sync', 'roster', '--yes']);
    expect(stdout).toContain('Unchanged');
    expect(code).toBe(0);
  });

  it('sees a rollback refused that removes many, and approves it as a rollback', async () => {
    const { versions } = JSON.parse((await ops(['rollback', '--json'])).stdout);
    const small = versions.find((version: { memberCount: number }) => version.memberCount < MEMBERS);
    const back = ['rollback', small.generation, '--reason', 'they had left', '--yes', '--json'];
    const refused = await ops(back);
    expect(refused.code).toBe(2);
    expect(await published()).toEqual(everybody);

    const plan = JSON.parse(refused.stdout).run.planId;
    const approval = ['--operator', 'Test Operator', '--reason', 'they had left', '--yes', '--json'];
    const approved = await ops(['approve', 'roster', plan, ...approval]);
    expect(approved.code).toBe(0);
    expect(JSON.parse(approved.stdout).run).toMatchObject({
      outcome: 'published',
      rollbackOf: small.generation,
    });
    expect(await published()).toHaveLength(MEMBERS - DROPPED);
    expectDone(await ops(['resume', 'roster', '--reason', 'they are back', '--yes']));
    expectDone(await ops(['sync', 'roster', '--yes']));
    expect(await published()).toEqual(everybody);
  });

  it('pauses by hand, with a reason that everybody sees', async () => {
    expect(await ops(['pause', 'roster', '--yes'])).toMatchObject({ code: 1 });
    const { code } = await ops(['pause', 'roster', '--reason', 'registry is being moved', '--yes']);
    expect(code).toBe(0);
    expect((await ops(['status'])).stdout).toMatch(/registry is being\s+moved/);
    expectDone(await ops(['resume', 'roster', '--reason', 'moved', '--yes']));
  });

  it('proves that all four are equal, and walks over what was recorded until then', async () => {
    for (const mirror of ['portal', 'register']) {
      expectDone(await ops(['sync', mirror, '--yes']));
    }
    const proof = await ops(['prove']);
    expect(proof.stdout).toMatch(
      new RegExp(`^Registry = Roster = Portal = Register: ${MEMBERS} members, proved`),
    );
    expect(proof.code).toBe(0);
    const walk = await ops(['verify', '--public-key', join(data, 'chain.pem')]);
    expect(walk.stdout).toMatch(/^Whole at /);
    expect(walk.code).toBe(0);
    const status = await ops(['status']);
    expect(status.stdout).toMatch(/^record +Record verified .* ago, unbroken/m);
    expect(tooWide(`${walk.stdout}${status.stdout}`)).toEqual([]);
  });

  it('takes the roll of a moment out, and anybody checks it with the public key alone', async () => {
    const at = new Date().toISOString();
    const [roll, receipt] = [join(data, 'roll.txt'), join(data, 'receipt.json')];
    const taken = await ops(['roll', '--at', at, '--out', roll, '--receipt', receipt]);
    expect(taken.code).toBe(0);
    expect(taken.stdout).not.toMatch(KENNITALA);
    expect((await readFile(roll, 'utf8')).split('\n').slice(0, -1)).toEqual(everybody);
    const script = fileURLToPath(new URL('../../src/verify-roll.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, roll, receipt], {
      cwd: data,
      env: {},
    });
    expect(stdout).toMatch(new RegExp(`^${MEMBERS} members, the list in force at ${at}`));

    const freeze = ['--freeze', 'board-2026', '--at', at, '--until', '2099-01-01', '--reason', 'the board'];
    expectDone(await ops(['roll', ...freeze, '--yes']));
    expect((await ops(['roll', '--frozen'])).stdout).toMatch(/board-2026 .* the board/);
    const compared = await ops(['roll', '--compare', at, at]);
    expect(compared.stdout).toMatch(/came +0\nwent +0/);
  });

  it('finds an empty queue, no conflicts, and a webhook that refuses who has not signed', async () => {
    expect(await ops(['queue'])).toMatchObject({ code: 0, stdout: 'Nothing in the queue.\n' });
    expect(await ops(['conflicts'])).toMatchObject({ code: 0, stdout: 'No conflicts.\n' });
    const doctor = await ops(['doctor', '--json']);
    expect(JSON.parse(doctor.stdout)).toContainEqual({
      check: 'webhook',
      state: 'ok',
      text: 'is reachable and refuses an unsigned call',
    });
  });
});
