import { spawnFunctions } from './child-process.ts';
import {
  DEFAULT_RETRY,
  type DeliveryCounts,
  type DeliveryFailure,
  type DeliveryOutcome,
  makeDeliveries,
  type RetryPolicy,
} from './deliveries.ts';
import type { FunctionEndpoint } from './endpoint.ts';
import { makeEnvironment } from './environment.ts';
import type { LogLine } from './log-lines.ts';
import { type HttpCloudEvent, postEvent } from './post-event.ts';
import { makeSupervisor } from './supervisor.ts';

/** The official Functions emulator's port. */
const DEFAULT_PORT = 5001;

export interface StartFunctionsOptions {
  /** The built module, such as `functions/lib/index.js`. */
  readonly modulePath: string;
  readonly projectId: string;
  /** Loopback by default. Nothing here checks a caller's identity. */
  readonly host?: string;
  /** 0 takes a free one, which is then kept over restarts. */
  readonly port?: number;
  readonly storageBucket?: string;
  /** The functions' settings and the other services' addresses (`FIRESTORE_EMULATOR_HOST`, …). */
  readonly env?: Readonly<Record<string, string>>;
  readonly maxOldSpaceMb?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly onLog?: (line: LogLine) => void;
}

/** A function and its address: in its first region, where it has several. */
export type ServedFunction = FunctionEndpoint & { readonly url: string };

export interface FunctionEvent extends HttpCloudEvent {
  /** The event function's name. */
  readonly function: string;
}

export interface LocalFunctions {
  readonly projectId: string;
  /** `http://127.0.0.1:5001`. */
  readonly url: string;
  readonly port: number;
  readonly functions: readonly ServedFunction[];
  readonly running: boolean;
  /**
   * Delivers an event with production's promises (see `makeDeliveries`), also while the functions are down.
   * Never rejects for a failing function; throws a TypeError for a name that is no event function.
   */
  deliver(event: FunctionEvent): Promise<DeliveryOutcome>;
  deliveries(): DeliveryCounts;
  /** Fulfilled when no event waits for delivery. */
  drain(): Promise<void>;
  /** Ends the functions at once (SIGKILL). Their port then refuses connections until `start()`. */
  kill(): Promise<void>;
  /** Starts the functions again, on the same port; does nothing when they run. Reads a module that was rebuilt. */
  start(): Promise<void>;
  /** Lets running requests end, abandons events that wait, and ends the functions. */
  close(): Promise<void>;
}

/**
 * Serves every function that a module exports, at the official emulator's own addresses.
 * @throws FunctionsHostError when they cannot be served; its code says why.
 */
export async function startFunctions(options: StartFunctionsOptions): Promise<LocalFunctions> {
  const { projectId, host = '127.0.0.1', storageBucket = `${projectId}.firebasestorage.app` } = options;
  const onLog = options.onLog ?? (() => {});
  const retry = { ...DEFAULT_RETRY, ...options.retry };
  const deliveries = makeDeliveries(retry, (failure) => onLog(describeFailure(failure)));

  let port = options.port ?? DEFAULT_PORT;
  let functions: readonly ServedFunction[] = [];
  const baseUrl = () => `http://${host}:${port}`;

  const supervisor = makeSupervisor(async () => {
    const started = await spawnFunctions({
      config: { modulePath: options.modulePath, projectId, host, port },
      env: makeEnvironment({ projectId, storageBucket, env: options.env ?? {} }),
      maxOldSpaceMb: options.maxOldSpaceMb,
      onLog,
      onEvent: ({ name, headers, body }) => {
        deliver({ function: name, headers, body }).catch((error) =>
          onLog({ severity: 'ERROR', message: String(error) }),
        );
      },
    });
    port = started.port;
    functions = started.endpoints.map((endpoint) => ({
      ...endpoint,
      url: `${baseUrl()}/${projectId}/${endpoint.regions[0]}/${endpoint.name}`,
    }));
    return started;
  }, onLog);

  async function deliver(event: FunctionEvent): Promise<DeliveryOutcome> {
    const target = functions.find((one) => one.name === event.function);
    if (target?.kind !== 'event') throw new TypeError(`${event.function} is no event function`);
    const { url, timeoutSeconds } = target;
    return deliveries.deliver({
      functionName: target.name,
      retry: target.event.retry,
      post: (signal) => postEvent(url, event, { timeoutSeconds, signal }),
    });
  }

  await supervisor.start();
  return {
    projectId,
    url: baseUrl(),
    port,
    get functions() {
      return functions;
    },
    get running() {
      return supervisor.running;
    },
    deliver,
    deliveries: deliveries.counts,
    drain: deliveries.drain,
    start: supervisor.start,
    kill: supervisor.kill,
    async close() {
      await supervisor.stop();
      const { pending } = deliveries.counts();
      if (pending > 0) onLog({ severity: 'WARNING', message: 'closed with events not delivered', pending });
      deliveries.close();
    },
  };
}

/** Says nothing of the event: a document's path holds a kennitala. */
function describeFailure({ functionName, attempt, status, nextDelayMs }: DeliveryFailure): LogLine {
  const facts = { function: functionName, attempt, status };
  return nextDelayMs === null
    ? { severity: 'ERROR', message: 'event not handled: dropped', ...facts }
    : { severity: 'WARNING', message: 'event not handled: it is delivered again', ...facts, nextDelayMs };
}
