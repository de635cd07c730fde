import { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { type Controls, makeControls, type Settings } from './control/controls.ts';
import type { StandingFaultInput } from './faults/fault.ts';
import { makeFaultPlan } from './faults/fault-plan.ts';
import { makeRegistryApp } from './http/registry-app.ts';
import { makeMemoryJournal, openJournal } from './journal.ts';
import { makeLegacyRegistry } from './legacy/legacy-registry.ts';
import type { Generation } from './members/directory.ts';
import { openState } from './state/registry-state.ts';
import { type Deliveries, makeDeliveries } from './webhooks/deliveries.ts';
import { makeEvent } from './webhooks/make-event.ts';

export interface RegistryOptions {
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port?: number;
  /** Distinct publishable members at the start, up to 2,000,000. A data file keeps its own; another number throws. */
  readonly members?: number;
  readonly seed?: number;
  /** 9999… rows besides the members. */
  readonly placeholders?: number;
  /** Share of the rows spelled with a hyphen, 0 to 1. */
  readonly hyphenated?: number;
  readonly token: string;
  readonly authScheme?: 'Token' | 'Bearer';
  /** Whether the companion app is installed. */
  readonly companion?: boolean;
  /** Where changes are kept, so that the next start sees the same registry. */
  readonly dataFile?: string;
  /** Misbehaviour from the first request on. */
  readonly faults?: readonly StandingFaultInput[];
  readonly webhook?: {
    readonly url: string;
    readonly secrets: readonly string[];
    /** Said after `Bearer` while there is no companion app; without it webhooks are signed all the same. */
    readonly legacyKey?: string | undefined;
    readonly retryDelaysMs?: readonly number[];
    readonly timeoutMs?: number;
    readonly parallel?: number;
  };
}

export interface LocalRegistry extends Controls {
  /** Without a trailing slash: a value for DJANGO_BASE_URL. */
  readonly url: string;
  readonly port: number;
  readonly generation: Generation;
  /** Ends open connections, bursts and deliveries; what was not delivered stays owed in the data file. */
  close(): Promise<void>;
}

const DEFAULT_GENERATION: Generation = {
  seed: 20_261_120,
  members: 2_216,
  placeholders: 0,
  hyphenated: 0.01,
};
const MAX_MEMBERS = 2_000_000;

/** Starts the stand-in for the Django registry. Throws for a port in use or a data file of another registry. */
export const startRegistry = async (options: RegistryOptions): Promise<LocalRegistry> => {
  const { host = '127.0.0.1', port = 8000, webhook, dataFile } = options;
  const wanted = givenGeneration(options);
  const journal =
    dataFile === undefined
      ? makeMemoryJournal({ ...DEFAULT_GENERATION, ...wanted })
      : openJournal(dataFile, DEFAULT_GENERATION, wanted);
  const { generation } = journal;
  const plan = makeFaultPlan();
  for (const fault of options.faults ?? []) plan.add(fault);
  const closing = new AbortController();

  const settings: Settings = { token: options.token, companion: options.companion ?? true };
  const legacyKey = webhook?.legacyKey;
  const legacy = makeLegacyRegistry({
    isOn: () => legacyKey !== undefined && !settings.companion,
    target: () =>
      webhook === undefined || legacyKey === undefined ? null : { url: webhook.url, key: legacyKey },
    closing: closing.signal,
  });
  const webhooks: Deliveries | null = webhook
    ? makeDeliveries({
        target: { url: webhook.url, secrets: webhook.secrets },
        seed: generation.seed,
        onSettled: (id) => journal.append({ type: 'settled', id }),
        ...(webhook.retryDelaysMs && { retryDelaysMs: webhook.retryDelaysMs }),
        ...(webhook.timeoutMs !== undefined && { timeoutMs: webhook.timeoutMs }),
        ...(webhook.parallel !== undefined && { parallel: webhook.parallel }),
      })
    : null;
  // Webhooks owed from an earlier run wait until the port is taken: a receiver may call back at once, and a second
  // stand-in on the same data file must fail before it sends anything.
  webhooks?.pause();
  const state = openState({
    journal,
    announce: webhooks !== null,
    onAnnounce: (change, directory, before) => {
      if (legacy.isOn()) legacy.announce(change, directory, before);
      else webhooks?.enqueue(makeEvent(change, directory));
    },
  });
  const controls = makeControls({
    state,
    plan,
    settings,
    webhooks,
    seed: generation.seed,
    closing: closing.signal,
  });
  const app = makeRegistryApp({
    state,
    plan,
    settings,
    controls,
    legacy,
    authScheme: options.authScheme ?? 'Token',
  });

  // The global Request and Response stay Node's own: other parts of the same process count on them.
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false });
  const close = async (): Promise<void> => {
    closing.abort();
    await legacy.ended();
    await webhooks?.close();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      if (server instanceof Server) server.closeAllConnections();
    });
  };
  try {
    await listen(server, host, port);
  } catch (error) {
    await webhooks?.close();
    throw error;
  }
  webhooks?.resume();
  const bound = (server.address() as AddressInfo).port;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return { ...controls, url: `http://${shownHost}:${bound}`, port: bound, generation, close };
};

const listen = (server: ReturnType<typeof createAdaptorServer>, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`Port ${port} is in use, so the stand-in registry cannot start. Choose another port.`)
          : error,
      );
    });
    server.listen(port, host, resolve);
  });

/** The parts of the generation that the caller named, checked. */
const givenGeneration = ({
  seed,
  members,
  placeholders,
  hyphenated,
}: RegistryOptions): Partial<Generation> => {
  assertWhole('members', members, MAX_MEMBERS);
  assertWhole('placeholders', placeholders, 100_000);
  assertWhole('seed', seed, 0xffff_ffff);
  if (hyphenated !== undefined && !(hyphenated >= 0 && hyphenated <= 1)) {
    throw new RangeError('hyphenated is a share from 0 to 1.');
  }
  return {
    ...(seed !== undefined && { seed }),
    ...(members !== undefined && { members }),
    ...(placeholders !== undefined && { placeholders }),
    ...(hyphenated !== undefined && { hyphenated }),
  };
};

const assertWhole = (name: string, value: number | undefined, max: number): void => {
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= max)) return;
  throw new RangeError(`${name} is a whole number from 0 to ${max}.`);
};
