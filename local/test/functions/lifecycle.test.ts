import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { type FixtureHost, fixturePath, startFixture } from './fixture-host.ts';

let open: FixtureHost | null = null;
async function start(options: Parameters<typeof startFixture>[0] = {}): Promise<FixtureHost> {
  open = await startFixture(options);
  return open;
}
afterEach(async () => {
  await open?.functions.close();
  open = null;
});

const refusal = (url: string) =>
  fetch(url).then(
    () => null,
    (error) => error.cause?.code,
  );

describe('the functions', () => {
  it('refuse connections while they are killed, and answer on the same port when started again', async () => {
    const host = await start();
    await host.functions.kill();
    expect(host.functions.running).toBe(false);
    await expect.poll(() => refusal(host.url('echo'))).toBe('ECONNREFUSED');
    await host.functions.start();
    expect((await fetch(host.url('echo'))).status).toBe(200);
  });

  it('are killed in the middle of a request', async () => {
    const host = await start();
    const request = refusal(host.url('endless'));
    // Another request that is answered shows that the first one has arrived too.
    await fetch(host.url('echo'));
    await host.functions.kill();
    expect(await request).not.toBeNull();
  });

  it('are reported and started again when they end by themselves', async () => {
    const host = await start();
    await refusal(host.url('crashing'));
    const report = await host.logged((line) => line.message.includes('ended by itself'));
    expect(report).toMatchObject({ severity: 'ERROR', message: expect.stringContaining('exit code 7') });
    await expect.poll(() => refusal(host.url('echo')), { timeout: 10_000, interval: 50 }).toBeNull();
  });

  it('are started and killed in the order asked for, and are never two processes', async () => {
    const { functions, url } = await start();
    await Promise.all([functions.kill(), functions.start(), functions.start()]);
    expect(await refusal(url('echo'))).toBeNull();
    await Promise.all([functions.kill(), functions.start(), functions.kill()]);
    await expect.poll(() => refusal(url('echo'))).toBe('ECONNREFUSED');
  });

  it('stay down when they are killed after they ended by themselves', async () => {
    const host = await start();
    await refusal(host.url('crashing'));
    await host.logged((line) => line.message.includes('ended by itself'));
    await host.functions.kill();
    expect(host.functions.running).toBe(false);
    await expect.poll(() => refusal(host.url('echo'))).toBe('ECONNREFUSED');
  });

  it('end with the process that started them', async () => {
    const parent = spawn(process.execPath, [fixturePath('parent')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [url] = await new Promise<string[]>((resolve) => {
      createInterface({ input: parent.stdout }).on('line', (line) => resolve([line]));
    });
    const echo = `${url}/demo-host/europe-west2/echo`;
    expect((await fetch(echo)).status).toBe(200);
    parent.kill('SIGKILL');
    await expect.poll(() => refusal(echo), { timeout: 60_000, interval: 20 }).toBe('ECONNREFUSED');
  });
});

describe('a start fails with a message that says what to do', () => {
  it('when the module has not been built', async () => {
    const failure = await start({ modulePath: fixturePath('missing') }).catch((error) => error);
    expect(failure.message).toMatch(/missing: run npm run build$/);
  });

  it.each([
    ['broken', 'the fixture cannot be loaded'],
    ['empty', 'exports no function'],
  ])('when the module is %s', async (fixture, reason) => {
    const failure = await start({ modulePath: fixturePath(fixture) }).catch((error) => error);
    expect(failure.message).toContain(reason);
  });

  it('when the port is taken', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => {
        const address = other.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const failure = await start({ port }).catch((error) => error);
    other.close();
    expect(failure.message).toContain(String(port));
    expect(failure.message).toContain('--port-offset');
  });
});
