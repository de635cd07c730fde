import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { makeProjectFolder } from './project-folder.ts';

/** The version whose behaviour this project relies on; see `.github/workflows/ci.yml` for the other emulators. */
const FIREBASE_TOOLS = 'firebase-tools@15.34.2';
const READY = 'All emulators ready!';
/** Less than the suite's hook timeout, so that an emulator that never gets ready is stopped and quoted. */
const START_LIMIT_MS = 480_000;
const STOP_GRACE_MS = 20_000;

export interface EmulatorOptions {
  /** Becomes the functions' `.env`. */
  readonly settings: Readonly<Record<string, string>>;
  /** Addresses of servers that the emulator does not run itself, such as FIRESTORE_EMULATOR_HOST. */
  readonly servers: Readonly<Record<string, string>>;
}

export interface FunctionsEmulator {
  /** `http://127.0.0.1:…/demo-ekklesia/europe-west2`. */
  readonly functionsUrl: string;
  /** `127.0.0.1:…`, a value for FIREBASE_AUTH_EMULATOR_HOST. */
  readonly authHost: string;
  /** Everything that it has printed. */
  readonly output: () => string;
  stop(): Promise<void>;
}

/**
 * Starts the official Functions and Auth emulators on free ports; the first start downloads firebase-tools.
 * The project is the default one of `.firebaserc`, which proves that firebase-tools reads that file.
 * @throws Error with the emulator's output when it ends, or START_LIMIT_MS pass, before it is ready
 */
export const startFunctionsEmulator = async (options: EmulatorOptions): Promise<FunctionsEmulator> => {
  const folder = await makeProjectFolder(options.settings);
  const child = spawn('npx', ['--yes', FIREBASE_TOOLS, 'emulators:start', '--only', 'functions,auth'], {
    cwd: folder.path,
    env: makeEnvironment(folder.path, options.servers),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that the end reaches npx, firebase-tools and the functions' processes.
    detached: true,
  });
  const lines: string[] = [];
  const ended = once(child, 'exit');
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        if (line.includes(READY)) resolve();
      });
    }
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      signalGroup(child.pid, 'SIGINT');
      const killing = AbortSignal.timeout(STOP_GRACE_MS);
      killing.addEventListener('abort', () => signalGroup(child.pid, 'SIGKILL'));
      await ended;
    }
    // What outlived its parent.
    signalGroup(child.pid, 'SIGKILL');
    await folder.remove();
  };
  const tooLate = new AbortController();
  try {
    await Promise.race([
      ready,
      ended.then(([code]) => Promise.reject(new Error(`it ended with code ${code}`))),
      setTimeout(START_LIMIT_MS, undefined, { signal: tooLate.signal }).then(() =>
        Promise.reject(new Error(`it was not ready in ${START_LIMIT_MS / 1_000} s`)),
      ),
    ]);
  } catch (cause) {
    await stop();
    throw new Error(`The Functions emulator did not start. Its output:\n${lines.join('\n')}`, { cause });
  } finally {
    tooLate.abort();
  }
  return {
    functionsUrl: `http://127.0.0.1:${folder.functionsPort}/demo-ekklesia/europe-west2`,
    authHost: `127.0.0.1:${folder.authPort}`,
    output: () => lines.join('\n'),
    stop,
  };
};

/**
 * The environment without a way to a real project, with the temporary folder for all that is written, and with
 * this very Node first: the emulator runs the functions on the one that it finds.
 */
const makeEnvironment = (folder: string, servers: Readonly<Record<string, string>>): NodeJS.ProcessEnv => {
  const { GOOGLE_APPLICATION_CREDENTIALS: _, FIREBASE_TOKEN: __, ...inherited } = process.env;
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`;
  return {
    ...inherited,
    ...servers,
    PATH: path,
    XDG_CONFIG_HOME: join(folder, '.config'),
    TMPDIR: folder,
    CI: 'true',
  };
};

const signalGroup = (pid: number | undefined, signal: NodeJS.Signals): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};
