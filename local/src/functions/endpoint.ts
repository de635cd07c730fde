import { z } from 'zod';

/** Where a function runs when it names no region. */
const DEFAULT_REGION = 'us-central1';
/** Cloud Run functions' timeout when a function names none. */
const DEFAULT_TIMEOUT_SECONDS = 60;

/** An option may be a parameter (`defineString(…)`), which has its value from the environment. */
const resolved = (option: unknown): unknown =>
  typeof option === 'object' && option !== null && 'value' in option && typeof option.value === 'function'
    ? option.value()
    : option;
const text = z.preprocess(resolved, z.string().nullish().catch(null)).optional();
const texts = z
  .record(z.string(), text)
  .default({})
  .transform((given) =>
    Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] != null)),
  );

/** The part of the manifest that the Firebase CLI would deploy, as firebase-functions hangs it on each export. */
const manifest = z.object({
  region: z.preprocess((option) => [resolved(option)].flat(), z.array(text)).optional(),
  timeoutSeconds: z.preprocess(resolved, z.number().catch(DEFAULT_TIMEOUT_SECONDS)).optional(),
  httpsTrigger: z.unknown().optional(),
  callableTrigger: z.unknown().optional(),
  scheduleTrigger: z.object({ schedule: text, timeZone: text }).optional(),
  eventTrigger: z
    .object({
      eventType: text,
      eventFilters: texts,
      eventFilterPathPatterns: texts,
      retry: z.preprocess(resolved, z.unknown()).optional(),
    })
    .optional(),
});

export interface EventTrigger {
  /** For example `google.cloud.firestore.document.v1.written`. */
  readonly eventType: string;
  /** Attributes that must be equal, such as `database`. */
  readonly filters: Readonly<Record<string, string>>;
  /** Attributes that must match an Eventarc path pattern, such as `document`. */
  readonly pathPatterns: Readonly<Record<string, string>>;
  /** Whether production delivers a failed event again. */
  readonly retry: boolean;
}

/** What the host knows of an exported function. A schedule is in App Engine's or unix-cron's spelling, as written. */
export type FunctionEndpoint = {
  readonly name: string;
  /** The first one, where it names several. */
  readonly region: string;
  readonly timeoutSeconds: number;
} & (
  | { readonly kind: 'https' }
  | {
      readonly kind: 'schedule';
      readonly schedule: { readonly expression: string; readonly timeZone: string | null };
    }
  | { readonly kind: 'event'; readonly event: EventTrigger }
);

/**
 * Reads one `__endpoint`. Returns null for a kind of trigger that the local stack does not serve
 * (task queues, blocking functions), so that the caller can name it instead of serving it wrongly.
 */
const tryReadEndpoint = (name: string, given: object): FunctionEndpoint | null => {
  const { region, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, ...read } = manifest.parse(given);
  const common = { name, region: region?.[0] ?? DEFAULT_REGION, timeoutSeconds };
  if (read.httpsTrigger !== undefined || read.callableTrigger !== undefined) {
    return { ...common, kind: 'https' };
  }
  if (read.scheduleTrigger) {
    const { schedule, timeZone = null } = read.scheduleTrigger;
    return { ...common, kind: 'schedule', schedule: { expression: schedule ?? '', timeZone } };
  }
  if (!read.eventTrigger) return null;
  const {
    eventType,
    eventFilters: filters,
    eventFilterPathPatterns: pathPatterns,
    retry,
  } = read.eventTrigger;
  const event = { eventType: eventType ?? '', filters, pathPatterns, retry: retry === true };
  return { ...common, kind: 'event', event };
};

interface Discovered {
  readonly name: string;
  /** Null for a trigger that the local stack does not serve. */
  readonly endpoint: FunctionEndpoint | null;
  /** As firebase-functions exports it. */
  readonly handler: object;
}

/**
 * Finds the deployed functions among a module's exports by the rule of firebase-functions' own loader:
 * a function with an `__endpoint` is one; a plain object is a group, whose members are named `group-member`.
 */
export const discoverFunctions = (exports: object, prefix = ''): Discovered[] =>
  Object.entries(exports).flatMap(([key, value]: [string, unknown]) => {
    const name = prefix + key;
    if (typeof value === 'object' && value !== null) return discoverFunctions(value, `${name}-`);
    const given = typeof value === 'function' && '__endpoint' in value ? value.__endpoint : null;
    if (typeof value !== 'function' || typeof given !== 'object' || given === null) return [];
    return [{ name, endpoint: tryReadEndpoint(name, given), handler: value }];
  });
