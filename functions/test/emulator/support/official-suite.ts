import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { installFirebaseTools } from '../../support/install-firebase-tools.ts';
import { OFFICIAL_FIRESTORE_MAIN } from '../../support/official-firestore.ts';
import type { ProjectFolder } from './project-folder.ts';

/** The newest that takes Java 17; 15 wants 21 for the Firestore emulator. */
const FIREBASE_TOOLS = 'firebase-tools@14.27.0';
const READY = 'All emulators ready!';
/** Less than the suite's hook timeout, so that an emulator that never gets ready is stopped and quoted. */
const START_LIMIT_MS = 400_000;
const STOP_GRACE_MS = 20_000;

export interface SuiteOptions {
  readonly folder: ProjectFolder;
  /** The archive of the official Firestore emulator; without it Firestore is a server that the suite does not run. */
  readonly firestoreJar: string | null;
  /** Addresses of servers that the suite does not run itself, such as STORAGE_EMULATOR_HOST. */
  readonly servers: Readonly<Record<string, string>>;
  /** Another firebase-tools, by its npm name and version. */
  readonly tools?: string;
}

export interface OfficialSuite {
  /** Everything that it has printed. */
  readonly output: () => string;
  stop(): Promise<void>;
}

/**
 * Starts the official Functions and Auth emulators, and Firestore's where there is its archive, with no way to a person's
 * credentials, and no terminal: what they would ask makes them end.
 * @throws Error with their output when they end, or START_LIMIT_MS pass, before they are ready
 */
export const startOfficialSuite = async ({
  folder,
  firestoreJar,
  servers,
  tools = FIREBASE_TOOLS,
}: SuiteOptions): Promise<OfficialSuite> => {
  const program = await installFirebaseTools(tools);
  const only = firestoreJar === null ? 'functions,auth' : 'functions,auth,firestore';
  const child = spawn(
    process.execPath,
    [program, 'emulators:start', '--project', 'demo-ekklesia', '--only', only],
    {
      cwd: folder.path,
      env: {
        ...makeEnvironment(folder.path),
        ...servers,
        ...(firestoreJar !== null && {
          FIRESTORE_EMULATOR_BINARY_PATH: await makeRunnableArchive(firestoreJar, folder.path),
        }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that the end reaches firebase-tools, Java and the functions' processes.
      detached: true,
    },
  );
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
  };
  const tooLate = new AbortController();
  try {
    await Promise.race([
      ready,
      ended.then(([code]) => Promise.reject(new Error(`they ended with code ${code}`))),
      setTimeout(START_LIMIT_MS, undefined, { signal: tooLate.signal }).then(() =>
        Promise.reject(new Error(`they were not ready in ${START_LIMIT_MS / 1_000} s`)),
      ),
    ]);
  } catch (cause) {
    await stop();
    throw new Error(`The official emulators did not start. Their output:\n${lines.join('\n')}`, { cause });
  } finally {
    tooLate.abort();
  }
  return { output: () => lines.join('\n'), stop };
};

/**
 * An archive that `java -jar` takes, as firebase-tools starts Firestore's: gcloud's own names no main class. It holds a
 * manifest that points at the other.
 */
const makeRunnableArchive = async (jar: string, folder: string): Promise<string> => {
  const manifest = join(folder, 'manifest.txt');
  const archive = join(folder, 'cloud-firestore-emulator.jar');
  // A line holds 72 bytes; what begins with a space goes on with the one before (the JAR file specification).
  const classPath = `Class-Path: ${pathToFileURL(jar)}`.replace(/.{70}(?=.)/g, '$&\n ');
  await writeFile(manifest, `Main-Class: ${OFFICIAL_FIRESTORE_MAIN}\n${classPath}\n`);
  execFileSync('jar', ['--create', '--file', archive, '--manifest', manifest]);
  return archive;
};

/**
 * The environment without a way to a real project, with the temporary folder for all that is written, and with
 * this very Node first: the emulator runs the functions on the one that it finds.
 */
const makeEnvironment = (folder: string): NodeJS.ProcessEnv => {
  const { GOOGLE_APPLICATION_CREDENTIALS: _, FIREBASE_TOKEN: __, ...inherited } = process.env;
  return {
    ...inherited,
    PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
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
