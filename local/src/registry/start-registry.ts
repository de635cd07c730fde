import { serveOnLoopback } from '../loopback.ts';
import { makeControls, type Settings } from './controls.ts';
import { type DeliveryOptions, makeDeliveries } from './deliveries.ts';
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
  /** The key is said after `Bearer` while there is no companion app; without it webhooks are signed all the same. */
  readonly webhook?: Omit<DeliveryOptions, 'seed'> & { readonly legacyKey?: string | undefined };
}

export type LocalRegistry = Awaited<ReturnType<typeof startRegistry>>;

const DEFAULT_GENERATION: Generation = {
  seed: 20_261_120,
  members: 2_216,
  placeholders: 0,
  hyphenated: 0.01,
};

/** Starts the stand-in for the Django registry. Throws for a port in use or a data file of another registry. */
export const startRegistry = async (options: RegistryOptions) => {
  const { port = 8000, webhook, dataFile } = options;
  const { seed, members, placeholders, hyphenated } = options;
  const wanted: Partial<Generation> = withoutAbsent({ seed, members, placeholders, hyphenated });
  const journal =
    dataFile === undefined
      ? makeMemoryJournal({ ...DEFAULT_GENERATION, ...wanted })
      : openJournal(dataFile, DEFAULT_GENERATION, wanted);
  const { generation } = journal;
  const plan = makeFaultPlan();
  const closing = new AbortController();

  const settings: Settings = { token: options.token, companion: options.companion ?? true };
  const legacy = makeLegacyRegistry({ url: webhook?.url, key: webhook?.legacyKey, settings });
  const webhooks = webhook ? makeDeliveries({ ...webhook, seed: generation.seed }) : null;
  const state = openState({
    journal,
    onChange: (change, directory, before) => {
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

  /** `url`, without a trailing slash, is a value for DJANGO_BASE_URL. */
  const server = await serveOnLoopback(app.fetch, port);
  return {
    ...controls,
    ...server,
    /** Ends open connections, bursts and deliveries. */
    close: async (): Promise<void> => {
      closing.abort();
      await legacy.close();
      await webhooks?.close();
      await server.close();
    },
  };
};
