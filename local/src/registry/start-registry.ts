import { serveOnLoopback } from '../loopback.ts';
import { type Controls, makeControls, type Settings } from './controls.ts';
import { type Deliveries, makeDeliveries } from './deliveries.ts';
import type { Generation } from './directory.ts';
import { makeEvent } from './events.ts';
import { makeFaultPlan } from './faults.ts';
import { makeMemoryJournal, openJournal } from './journal.ts';
import { makeLegacyRegistry } from './legacy.ts';
import { makeRegistryApp } from './routes.ts';
import { openState } from './state.ts';
import { withoutAbsent } from './wire-member.ts';

export interface RegistryOptions {
  /** 0 takes a free one. */
  readonly port?: number;
  /** Distinct publishable members at the start. A data file keeps its own; another number throws. */
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
  readonly webhook?: {
    readonly url: string;
    readonly secrets: readonly string[];
    /** Said after `Bearer` while there is no companion app; without it webhooks are signed all the same. */
    readonly legacyKey?: string | undefined;
    readonly retryDelaysMs?: readonly number[];
  };
}

export interface LocalRegistry extends Controls {
  /** Without a trailing slash: a value for DJANGO_BASE_URL. */
  readonly url: string;
  readonly port: number;
  /** Ends open connections, bursts and deliveries; what was not delivered stays owed in the data file. */
  close(): Promise<void>;
}

const DEFAULT_GENERATION: Generation = {
  seed: 20_261_120,
  members: 2_216,
  placeholders: 0,
  hyphenated: 0.01,
};

/** Starts the stand-in for the Django registry. Throws for a port in use or a data file of another registry. */
export const startRegistry = async (options: RegistryOptions): Promise<LocalRegistry> => {
  const { port = 8000, webhook, dataFile } = options;
  const wanted = givenGeneration(options);
  const journal =
    dataFile === undefined
      ? makeMemoryJournal({ ...DEFAULT_GENERATION, ...wanted })
      : openJournal(dataFile, DEFAULT_GENERATION, wanted);
  const { generation } = journal;
  const plan = makeFaultPlan();
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

  const server = await serveOnLoopback(app.fetch, port).catch(async (error: unknown) => {
    await webhooks?.close();
    throw error;
  });
  webhooks?.resume();
  return {
    ...controls,
    ...server,
    close: async () => {
      closing.abort();
      await legacy.ended();
      await webhooks?.close();
      await server.close();
    },
  };
};

/** The parts of the generation that the caller named. */
const givenGeneration = ({ seed, members, placeholders, hyphenated }: RegistryOptions): Partial<Generation> =>
  withoutAbsent({ seed, members, placeholders, hyphenated });
