import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FunctionEndpoint } from './endpoint.ts';
import { FunctionsHostError } from './errors.ts';
import { followLog, type LogLine } from './log-lines.ts';
import type { ChildConfig, ChildMessage } from './messages.ts';

/** How long the functions may go on with what they are serving when the host closes. */
const CLOSE_GRACE_MS = 5_000;

export interface SpawnOptions {
  readonly config: ChildConfig;
  readonly env: Readonly<Record<string, string>>;
  /** V8's old-space limit, to imitate a function's memory; none by default. */
  readonly maxOldSpaceMb: number | undefined;
  readonly onLog: (line: LogLine) => void;
  readonly onEvent: (event: Extract<ChildMessage, { type: 'event' }>) => void;
}

export interface FunctionsProcess {
  readonly port: number;
  readonly endpoints: readonly FunctionEndpoint[];
  /** Fulfilled with a description, such as `exit code 16` or `SIGKILL`, when the process has ended. */
  readonly ended: Promise<string>;
  /** Lets running requests end, then ends the process. */
  stop(): Promise<void>;
  /** Ends the process at once, in the middle of whatever it does. */
  kill(): Promise<void>;
}

/**
 * Starts the functions in a process of their own and waits until they listen.
 * @throws FunctionsHostError `module_missing`, `load_failed`, `port_in_use` or `ended`.
 */
export async function spawnFunctions(options: SpawnOptions): Promise<FunctionsProcess> {
  const { config } = options;
  if (!existsSync(config.modulePath)) {
    const shown = relative(process.cwd(), config.modulePath);
    throw new FunctionsHostError('module_missing', `${shown} is missing: run npm run build`);
  }
  const child = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), [JSON.stringify(config)], {
    env: options.env,
    execArgv: options.maxOldSpaceMb === undefined ? [] : [`--max-old-space-size=${options.maxOldSpaceMb}`],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  if (child.stdout !== null) followLog(child.stdout, 'INFO', options.onLog);
  if (child.stderr !== null) followLog(child.stderr, 'WARNING', options.onLog);
  const ended = waitForEnd(child);

  const ready = await waitForReady(child, ended, options.onEvent).catch(async (error: unknown) => {
    child.kill('SIGKILL');
    await ended;
    throw error;
  });
  return {
    port: ready.port,
    endpoints: ready.endpoints,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const deadline = setTimeout(() => child.kill('SIGKILL'), CLOSE_GRACE_MS);
      await ended;
      clearTimeout(deadline);
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

type Ready = Extract<ChildMessage, { type: 'ready' }>;

function waitForReady(
  child: ChildProcess,
  ended: Promise<string>,
  onEvent: SpawnOptions['onEvent'],
): Promise<Ready> {
  return new Promise((resolve, reject) => {
    // Node types IPC messages as anything; only our own child writes here.
    child.on('message', (message: ChildMessage) => {
      if (message.type === 'ready') resolve(message);
      else if (message.type === 'failed') reject(new FunctionsHostError(message.code, message.message));
      else onEvent(message);
    });
    ended.then((how) =>
      reject(new FunctionsHostError('ended', `the functions' process ended at its start: ${how}`)),
    );
  });
}

async function waitForEnd(child: ChildProcess): Promise<string> {
  const [code, signal] = await once(child, 'exit');
  return typeof signal === 'string' ? signal : `exit code ${code}`;
}
