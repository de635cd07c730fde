import { execFile, execFileSync } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The user that Debian's packages make for the server, which refuses to run as root. */
const SERVER_USER = 'postgres';

export interface Cluster {
  /** Of a superuser, to the database `postgres`. */
  readonly url: string;
  readonly restart: () => Promise<void>;
  readonly drop: () => Promise<void>;
}

/**
 * A PostgreSQL of its own in a temporary folder, on a free port of 127.0.0.1. `settings` are `postgresql.conf` lines
 * such as `max_connections=12`.
 */
export const makeCluster = async (settings: readonly string[] = []): Promise<Cluster> => {
  const bin = findBinaries();
  const folder = await mkdtemp(join(tmpdir(), 'register-cluster-'));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await chown(folder, idOf('-u'), idOf('-g'));
  const data = join(folder, 'data');
  const asServer = (command: string, args: readonly string[]) =>
    isRoot
      ? run('runuser', ['-u', SERVER_USER, '--', join(bin, command), ...args], { cwd: folder })
      : run(join(bin, command), [...args], { cwd: folder });

  const port = await freePort();
  await asServer('initdb', [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '-N',
  ]);
  const options = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    `unix_socket_directories=${folder}`,
    // Nothing here survives its test, so nothing has to reach the disk.
    'fsync=off',
    ...settings,
  ].map((setting) => `-c ${setting}`);
  const start = () =>
    asServer('pg_ctl', ['-D', data, '-w', '-l', join(folder, 'log'), '-o', options.join(' '), 'start']);
  const stop = () => asServer('pg_ctl', ['-D', data, '-w', '-m', 'immediate', 'stop']);
  await start();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    restart: async () => {
      await stop();
      await start();
    },
    drop: async () => {
      await stop();
      await rm(folder, { recursive: true, maxRetries: 5 });
    },
  };
};

/** Debian keeps the server's binaries out of PATH, in a folder a version. */
const findBinaries = (): string => {
  const listed = execFileSync('dpkg', ['-L', 'postgresql-15'], { encoding: 'utf8' });
  const initdb = listed.split('\n').find((file) => file.endsWith('/bin/initdb'));
  if (initdb === undefined)
    throw new Error('PostgreSQL 15 is missing. Install the Debian package postgresql-15.');
  return initdb.slice(0, -'/initdb'.length);
};

const idOf = (flag: '-u' | '-g'): number =>
  Number(execFileSync('id', [flag, SERVER_USER], { encoding: 'utf8' }));

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
