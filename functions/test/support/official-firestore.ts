import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, realpathSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The class that gcloud's own launcher starts; the archive's manifest names none. */
export const OFFICIAL_FIRESTORE_MAIN = 'com.google.cloud.datastore.emulator.firestore.CloudFirestore';

const JAVA_MINIMUM = 11;
const START_LIMIT_MS = 120_000;
const STOP_GRACE_MS = 10_000;

export interface OfficialFirestore {
  /** `127.0.0.1:…`, a value for FIRESTORE_EMULATOR_HOST. */
  readonly host: string;
  stop(): Promise<void>;
}

/** The archive of gcloud's component cloud-firestore-emulator, or in one sentence what this machine lacks. */
export function findOfficialFirestore(): { readonly jar: string } | { readonly missing: string } {
  const gcloud = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'gcloud'))
    .find((file) => existsSync(file));
  if (!gcloud) return { missing: 'gcloud is not installed' };
  const jar = join(
    dirname(realpathSync(gcloud)),
    '../platform/cloud-firestore-emulator/cloud-firestore-emulator.jar',
  );
  if (!existsSync(jar)) return { missing: 'gcloud has no component cloud-firestore-emulator' };
  const version = /version "(\d+)/.exec(spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr ?? '');
  if (Number(version?.[1] ?? 0) < JAVA_MINIMUM) return { missing: `Java ${JAVA_MINIMUM} is not installed` };
  return { jar };
}

/**
 * Starts the official Firestore emulator on a free port, as gcloud's launcher does, and waits until it answers.
 * Its rules are open until a test sets others through `/emulator/v1/projects/<project>:securityRules`.
 *
 * @throws Error with its output when it does not answer in two minutes
 */
export async function startOfficialFirestore(jar: string): Promise<OfficialFirestore> {
  const host = `127.0.0.1:${await findFreePort()}`;
  const [address, port] = host.split(':');
  const child = spawn(
    'java',
    ['-Duser.language=en', '-cp', jar, OFFICIAL_FIRESTORE_MAIN, `--host=${address}`, `--port=${port}`],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      // Later lines tell of every connection, and nobody reads them.
      if (output.length < 10_000) output += text;
    });
  }
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error));
  failed.catch(() => {});
  const until = Date.now() + START_LIMIT_MS;
  while (!(await Promise.race([answers(host), failed]))) {
    if (child.exitCode !== null || Date.now() > until) {
      await stop(child);
      throw new Error(`The official Firestore emulator did not start. Its output:\n${output}`);
    }
    await sleep(200);
  }
  return { host, stop: () => stop(child) };
}

async function answers(host: string): Promise<boolean> {
  return await fetch(`http://${host}/`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killing = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
  await ended;
  clearTimeout(killing);
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await server[Symbol.asyncDispose]();
  return port;
}
