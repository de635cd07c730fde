import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The program of `functions-framework`, beside the part of the package that tests may import. */
const FRAMEWORK = fileURLToPath(
  new URL('main.js', import.meta.resolve('@google-cloud/functions-framework/testing')),
);
const FUNCTIONS = fileURLToPath(new URL('../../..', import.meta.url));

export interface StartOptions {
  readonly target: string;
  readonly signature?: 'http' | 'cloudevent';
  readonly env: Readonly<Record<string, string>>;
}

export interface RunningFunction {
  readonly port: number;
  readonly url: string;
  /** Everything that the process has printed, on both streams. */
  readonly output: () => string;
  /** The most memory that it ever held, in MiB. */
  readonly peakMemory: () => Promise<number>;
  /** Null while it runs. */
  readonly exitCode: () => number | null;
  readonly stop: () => Promise<void>;
}

/** A deployed function as the platform starts it: the built module in Google's own program, in a process of its own. */
export const startFunction = async ({
  target,
  signature = 'http',
  env,
}: StartOptions): Promise<RunningFunction> => {
  const port = await freePort();
  const child = spawn(process.execPath, [FRAMEWORK], {
    cwd: FUNCTIONS,
    env: {
      PATH: process.env['PATH'],
      PORT: String(port),
      FUNCTION_TARGET: target,
      FUNCTION_SIGNATURE_TYPE: signature,
      K_SERVICE: target.toLowerCase(),
      K_REVISION: `${target.toLowerCase()}-00001-abc`,
      // What marks a deployed function, which must refuse an emulator.
      ...(env['FUNCTIONS_EMULATOR'] === undefined && { K_CONFIGURATION: target.toLowerCase() }),
      NODE_ENV: 'production',
      LOG_EXECUTION_ID: 'true',
      GCLOUD_PROJECT: 'demo-ekklesia',
      GOOGLE_CLOUD_PROJECT: 'demo-ekklesia',
      FIREBASE_CONFIG: JSON.stringify({
        projectId: 'demo-ekklesia',
        storageBucket: 'demo-ekklesia.appspot.com',
      }),
      // No metadata server answers: as when it is out of reach at a cold start.
      METADATA_SERVER_DETECTION: 'none',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'exit');
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`${target} ended at its start:\n${output}`);
    await setTimeout(20);
  }
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    output: () => output,
    peakMemory: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
    },
    exitCode: () => child.exitCode,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await server[Symbol.asyncDispose]();
  return port;
};

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
