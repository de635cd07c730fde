import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type DeliveryOutcome, type HttpEvent, makeDeliverer, postOnce } from '../deliverer.ts';
import { listenOnLoopback } from '../loopback.ts';
import type { FunctionEndpoint } from './endpoint.ts';
import { makeFrontServer } from './front-server.ts';
import {
  describeModule,
  type FunctionProcess,
  makeEnvironment,
  startFunctionProcess,
} from './function-process.ts';
import type { LogLine } from './log-lines.ts';

/** The official Functions emulator's port. */
const DEFAULT_PORT = 5001;
/** How long the functions may go on with what they are serving when the host closes. */
const CLOSE_GRACE_MS = 5_000;
const IDLE_CHECK_MS = 50;
/** Production's default concurrency of one instance. */
const MAX_IN_FLIGHT = 80;

/**
 * How failed events are tried again. Production waits 10 to 600 seconds between tries, and gives up after 24 hours;
 * the shorter waits here let a person watch it.
 */
const DEFAULT_RETRY = { minDelayMs: 200, maxDelayMs: 5_000, maxAgeMs: 24 * 3_600_000 };
type RetryPolicy = Readonly<typeof DEFAULT_RETRY>;

export interface StartFunctionsOptions {
  /** The built module, such as `functions/lib/index.js`. */
  readonly modulePath: string;
  readonly projectId: string;
  /** 0 takes a free one, which is then kept over restarts. */
  readonly port?: number;
  readonly storageBucket?: string;
  /** The functions' settings and the other services' addresses (`FIRESTORE_EMULATOR_HOST`, …). */
  readonly env?: Readonly<Record<string, string>>;
  readonly retry?: Partial<RetryPolicy>;
  readonly onLog?: (line: LogLine) => void;
}

/** A function and its address. */
export type ServedFunction = FunctionEndpoint & { readonly url: string };

export interface FunctionEvent extends HttpEvent {
  /** The event function's name. */
  readonly function: string;
}

export type LocalFunctions = Awaited<ReturnType<typeof startFunctions>>;

/**
 * Serves every function that a module exports, at the official emulator's own addresses.
 * @throws Error that says what to do, when they cannot be served.
 */
export async function startFunctions(options: StartFunctionsOptions) {
  const { projectId, storageBucket = `${projectId}.firebasestorage.app` } = options;
  const onLog = options.onLog ?? (() => {});
  const retry = { ...DEFAULT_RETRY, ...options.retry };
  const deliverer = makeDeliverer(MAX_IN_FLIGHT);

  let port = options.port ?? DEFAULT_PORT;
  let functions: readonly ServedFunction[] = [];
  const baseUrl = () => `http://127.0.0.1:${port}`;
  const module = {
    modulePath: options.modulePath,
    env: makeEnvironment(projectId, storageBucket, options.env),
    onLog,
  };
  /** One process a function, from its first request on. */
  const processes = new Map<string, Promise<FunctionProcess>>();

  function processOf(endpoint: FunctionEndpoint): Promise<FunctionProcess> {
    const { name } = endpoint;
    const running = processes.get(name);
    if (running !== undefined) return running;
    const started = startFunctionProcess(endpoint, module);
    processes.set(name, started);
    const report = (message: string): void => {
      // Whoever ends it on purpose takes it out first.
      if (processes.get(name) !== started) return;
      processes.delete(name);
      onLog({ severity: 'ERROR', message, function: name });
    };
    const again = 'the next request starts it again';
    started
      .then(({ ended }) => ended)
      .then((how) => report(`the process of ${name} ended by itself (${how}): ${again}`))
      .catch((failure) => report(String(failure)));
    return started;
  }

  const server = makeFrontServer({
    projectId,
    endpoints: () => functions,
    portOf: async (endpoint) => (await processOf(endpoint)).port,
  });

  /** Starts and ends take turns, in the order in which they were asked for. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = turn.then(work);
    turn = done.catch(() => {});
    return done;
  };

  const start = () =>
    inTurn(async () => {
      if (server.listening) return;
      const endpoints = await describeModule(module);
      await listenOnLoopback(server, port);
      port = (server.address() as AddressInfo).port;
      functions = endpoints.map((endpoint) => ({
        ...endpoint,
        url: `${baseUrl()}/${projectId}/${endpoint.region}/${endpoint.name}`,
      }));
    });

  const killProcesses = async (): Promise<void> => {
    const ending = [...processes.values()];
    processes.clear();
    await Promise.all(ending.map((started) => started.then(({ kill }) => kill()).catch(() => {})));
  };

  const end = (graceMs: number) =>
    inTurn(async () => {
      const closed = server.listening ? once(server, 'close') : null;
      server.close();
      if (graceMs === 0) await killProcesses();
      // A connection that is kept alive becomes idle only once its last request is answered.
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
      const grace = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(grace);
      clearInterval(idle);
      await killProcesses();
    });

  /**
   * Delivers an event as Eventarc does, also while the functions are down: at least once, in no order, and again after a
   * failure only where the function asks for it.
   * @throws TypeError for a name that is no event function
   */
  async function deliver(event: FunctionEvent): Promise<DeliveryOutcome> {
    const target = functions.find((one) => one.name === event.function);
    if (target?.kind !== 'event') throw new TypeError(`${event.function} is no event function`);
    const { url, timeoutSeconds } = target;
    const giveUpAt = Date.now() + retry.maxAgeMs;
    let status: number | null = null;
    return deliverer.deliver({
      post: async (signal) => {
        const answer = await postOnce(url, event, { signal, milliseconds: timeoutSeconds * 1_000 });
        status = answer?.status ?? null;
        return answer?.ok === true;
      },
      delayAfter: (attempt) => {
        const delayMs = delayAfter(attempt, retry);
        // Nothing of the event: a document's path holds a kennitala.
        const facts = { function: target.name, attempt, status };
        if (target.event.retry && Date.now() + delayMs < giveUpAt) {
          const message = 'event not handled: it is delivered again';
          onLog({ severity: 'WARNING', message, ...facts, nextDelayMs: delayMs });
          return delayMs;
        }
        onLog({ severity: 'ERROR', message: 'event not handled: dropped', ...facts });
        return null;
      },
    });
  }

  await start();
  return {
    /** `http://127.0.0.1:5001`. */
    url: baseUrl(),
    projectId,
    get functions(): readonly ServedFunction[] {
      return functions;
    },
    get running(): boolean {
      return server.listening;
    },
    deliver,
    deliveries: deliverer.counts,
    /** Fulfilled when no event waits for delivery. */
    drain: deliverer.drain,
    /** Serves the functions again, on the same port; does nothing when they run. Reads a module that was rebuilt. */
    start,
    /** Ends the functions at once (SIGKILL). Their port then refuses connections until `start()`. */
    kill: () => end(0),
    /** Lets running requests end, abandons events that wait, and ends the functions. */
    close: async (): Promise<void> => {
      await end(CLOSE_GRACE_MS);
      const { pending } = deliverer.counts();
      if (pending > 0) onLog({ severity: 'WARNING', message: 'closed with events not delivered', pending });
      await deliverer.close();
    },
  };
}

/** Doubles from the minimum to the maximum, less up to a half at random, so that events do not come back in a wave. */
function delayAfter(tries: number, { minDelayMs, maxDelayMs }: RetryPolicy): number {
  const full = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(tries - 1, 30));
  return Math.round(full * (1 - Math.random() / 2));
}
