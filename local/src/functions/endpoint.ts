/**
 * What the host knows of an exported function: the part of the manifest that the Firebase CLI would deploy,
 * read from the `__endpoint` that firebase-functions hangs on each export.
 */

/** Where a function runs when it names no region. */
export const DEFAULT_REGION = 'us-central1';

/** Cloud Run functions' timeout when a function names none. */
export const DEFAULT_TIMEOUT_SECONDS = 60;

export interface ScheduleTrigger {
  /** App Engine or unix-cron spelling, as written in the source. */
  readonly expression: string;
  readonly timeZone: string | null;
}

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

interface Common {
  readonly name: string;
  readonly regions: readonly [string, ...string[]];
  readonly timeoutSeconds: number;
}

export type FunctionEndpoint =
  | (Common & { readonly kind: 'https' })
  | (Common & { readonly kind: 'schedule'; readonly schedule: ScheduleTrigger })
  | (Common & { readonly kind: 'event'; readonly event: EventTrigger });

/**
 * Reads one `__endpoint`. Returns null for a kind of trigger that the local stack does not serve
 * (task queues, blocking functions), so that the caller can name it instead of serving it wrongly.
 */
export function tryReadEndpoint(name: string, manifest: unknown): FunctionEndpoint | null {
  const endpoint = asRecord(manifest);
  const common: Common = {
    name,
    regions: regionsOf(endpoint['region']),
    timeoutSeconds: numberOf(endpoint['timeoutSeconds']) ?? DEFAULT_TIMEOUT_SECONDS,
  };
  if ('httpsTrigger' in endpoint || 'callableTrigger' in endpoint) return { ...common, kind: 'https' };
  if ('scheduleTrigger' in endpoint) {
    const trigger = asRecord(endpoint['scheduleTrigger']);
    const schedule = { expression: textOf(trigger['schedule']) ?? '', timeZone: textOf(trigger['timeZone']) };
    return { ...common, kind: 'schedule', schedule };
  }
  if ('eventTrigger' in endpoint) {
    const trigger = asRecord(endpoint['eventTrigger']);
    const event = {
      eventType: textOf(trigger['eventType']) ?? '',
      filters: textsOf(trigger['eventFilters']),
      pathPatterns: textsOf(trigger['eventFilterPathPatterns']),
      retry: resolveOption(trigger['retry']) === true,
    };
    return { ...common, kind: 'event', event };
  }
  return null;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** An option may be a parameter (`defineString(…)`), which has its value from the environment. */
function resolveOption(option: unknown): unknown {
  if (
    typeof option === 'object' &&
    option !== null &&
    'value' in option &&
    typeof option.value === 'function'
  )
    return option.value();
  return option;
}

function textOf(option: unknown): string | null {
  const value = resolveOption(option);
  return typeof value === 'string' ? value : null;
}

function numberOf(option: unknown): number | null {
  const value = resolveOption(option);
  return typeof value === 'number' ? value : null;
}

function textsOf(options: unknown): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [key, option] of Object.entries(asRecord(options))) {
    const text = textOf(option);
    if (text !== null) texts[key] = text;
  }
  return texts;
}

function regionsOf(option: unknown): readonly [string, ...string[]] {
  const value = resolveOption(option);
  const listed = (Array.isArray(value) ? value : [value]).map(textOf).filter((region) => region !== null);
  const [first = DEFAULT_REGION, ...others] = listed;
  return [first, ...others];
}
