import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Description } from './describe.ts';
import type { FunctionEndpoint } from './endpoint.ts';
import { followLog, type LogLine } from './log-lines.ts';

/** What a process needs of the host to run at all. */
const INHERITED: readonly string[] = ['PATH', 'TMPDIR', 'NODE_EXTRA_CA_CERTS'];

/**
 * The whole environment of the functions' process: what Cloud Run functions set for every function, plus `env`, which wins.
 *
 * It does not inherit the developer's environment. `HOME` and `GOOGLE_APPLICATION_CREDENTIALS` lead Google's
 * libraries to a person's credentials, with which a function under test would reach a real project.
 *
 * What names a single function (`FUNCTION_TARGET`, `K_SERVICE`, …) its own process gets in addition.
 */
export function makeEnvironment(
  projectId: string,
  storageBucket: string,
  env: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const inherited = Object.entries(process.env).filter(([name]) => INHERITED.includes(name));
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    GCLOUD_PROJECT: projectId,
    GOOGLE_CLOUD_PROJECT: projectId,
    FIREBASE_CONFIG: JSON.stringify({ projectId, storageBucket }),
    FUNCTIONS_EMULATOR: 'true',
    TZ: 'UTC',
    // Without it Google's libraries look for a metadata server first, and warn after some seconds.
    METADATA_SERVER_DETECTION: 'none',
    ...env,
  };
}

interface ModuleOptions {
  readonly modulePath: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onLog: (line: LogLine) => void;
}

/** The program of `functions-framework`, beside the part of the package that may be imported. */
const FRAMEWORK = fileURLToPath(
  new URL('main.js', import.meta.resolve('@google-cloud/functions-framework/testing')),
);
const DESCRIBE = fileURLToPath(new URL('./describe.ts', import.meta.url));
const INSTANCE = new URL('./instance.ts', import.meta.url).href;

/**
 * What the built module exports, read in a process of its own.
 * @throws Error that says what to do.
 */
export async function describeModule({ modulePath, env, onLog }: ModuleOptions): Promise<FunctionEndpoint[]> {
  if (!existsSync(modulePath)) throw new Error(`${modulePath} is missing: run npm run build`);
  const child = spawn(DESCRIBE, [modulePath], { env }, onLog);
  const described = await firstMessage<Description>(child);
  if (typeof described === 'string') {
    throw new Error(`the functions' process ended at its start: ${described}`);
  }
  if ('failure' in described) {
    throw new Error(`the functions could not be loaded: ${described.failure}`);
  }
  for (const name of described.unserved)
    onLog({ severity: 'WARNING', message: 'trigger not served locally', function: name });
  return [...described.endpoints];
}

export type FunctionProcess = Awaited<ReturnType<typeof startFunctionProcess>>;

/**
 * Starts one function as the platform does: the Functions Framework's own program, in a process of its own, with the
 * variables that name the function. Waits until it listens.
 * @throws Error when it ends before that.
 */
export async function startFunctionProcess(
  { name, kind }: FunctionEndpoint,
  { modulePath, env, onLog }: ModuleOptions,
) {
  const service = name.toLowerCase();
  const named = {
    // A member of a group is deployed as `group-member` and found as `group.member`.
    FUNCTION_TARGET: name.replaceAll('-', '.'),
    FUNCTION_SIGNATURE_TYPE: kind === 'event' ? 'cloudevent' : 'http',
    FUNCTION_SOURCE: modulePath,
    K_SERVICE: service,
    K_REVISION: `${service}-00001-loc`,
    // No K_CONFIGURATION: it marks what is deployed, which refuses the emulators' addresses.
    NODE_ENV: 'production',
    PORT: '0',
  };
  const child = spawn(
    FRAMEWORK,
    [],
    // A group of its own: Ctrl-C reaches every process of the terminal, but the host decides when this one ends.
    { env: { ...env, ...named }, execArgv: ['--import', INSTANCE], detached: true },
    (line) => onLog('function' in line ? line : { ...line, function: name }),
  );
  const ended = describeEnd(child);
  const port = await firstMessage<number>(child);
  if (typeof port === 'string') {
    throw new Error(`the process of ${name} ended at its start: ${port}`);
  }
  return {
    port,
    /** Fulfilled with a description, such as `exit code 16` or `SIGKILL`, when the process has ended. */
    ended,
    /** Ends the process at once, in the middle of whatever it does. */
    async kill(): Promise<void> {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const spawn = (
  program: string,
  given: string[],
  options: ForkOptions,
  onLog: (line: LogLine) => void,
): ChildProcess => {
  const child = fork(program, given, { execArgv: [], ...options, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  if (child.stdout !== null) followLog(child.stdout, 'INFO', onLog);
  if (child.stderr !== null) followLog(child.stderr, 'WARNING', onLog);
  return child;
};

/** What the process says first, or how it ended before that. Node types messages as anything; only our own code sends here. */
const firstMessage = <Message>(child: ChildProcess): Promise<Message | string> =>
  new Promise((resolve) => {
    child.once('message', (message) => resolve(message as Message));
    describeEnd(child).then(resolve);
  });

const describeEnd = async (child: ChildProcess): Promise<string> => {
  const [code, signal] = await once(child, 'exit');
  return typeof signal === 'string' ? signal : `exit code ${code}`;
};
