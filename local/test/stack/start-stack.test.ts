import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { lockFolder } from '../../src/lock-folder.ts';
import { assertPortsFree, portsWithOffset } from '../../src/ports.ts';
import { startStack } from '../../src/stack.ts';
import { makePlace } from './place.ts';

const BROKEN = join(import.meta.dirname, '../functions/fixtures/broken.ts');

it('without a build it says what to run, and leaves nothing behind', async () => {
  const { data, portOffset } = await makePlace();
  const folder = join(data, 'new');
  await expect(
    startStack({
      data: folder,
      ports: portsWithOffset(portOffset),
      modulePath: join(data, 'functions/lib/index.js'),
    }),
  ).rejects.toThrow('functions/lib is missing. Build it first: npm run build');
  expect(existsSync(folder)).toBe(false);
});

it('what had been started is stopped when the functions cannot be loaded', async () => {
  const { data, portOffset } = await makePlace();
  const ports = portsWithOffset(portOffset);
  await expect(startStack({ data, ports, members: 5, modulePath: BROKEN })).rejects.toThrow(
    'the functions could not be loaded',
  );
  await assertPortsFree(ports);
  const waited: string[] = [];
  const lock = await lockFolder(
    data,
    () => waited.push('waited'),
    () => {},
  );
  await lock.close();
  expect(waited).toEqual([]);
});

it('every port that is in use is named with what it is for', async () => {
  const servers = await Promise.all([listen(), listen()]);
  const [firestore = 0, auth = 0] = servers;
  await expect(assertPortsFree({ firestore, auth })).rejects.toThrow(
    `Ports ${firestore} (firestore), ${auth} (auth) in use on 127.0.0.1.`,
  );
  await expect(assertPortsFree({ auth })).rejects.toThrow(`Port ${auth} (auth) in use on 127.0.0.1.`);
});

const listen = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
    onTestFinished(() => server[Symbol.asyncDispose]());
  });
