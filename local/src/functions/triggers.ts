import { type DocumentChange, kindOf, toDocumentEvent } from '../firestore/events.ts';
import type { LocalFirestore } from '../firestore/server.ts';
import type { EventTrigger } from './endpoint.ts';
import type { LocalFunctions } from './start-functions.ts';

const DOCUMENT_EVENT_PREFIX = 'google.cloud.firestore.document.v1.';

interface ConnectTriggersOptions {
  readonly firestore: Pick<LocalFirestore, 'onDocumentWritten'>;
  readonly functions: Pick<LocalFunctions, 'functions' | 'deliver'>;
  /** The database's, such as `europe-west2`. */
  readonly location: string;
  /** Functions that no event wakes. */
  readonly idle?: readonly string[];
}

/**
 * Delivers each write to every function with a Firestore trigger for it. Returns a function that stops.
 * Functions are matched at each write, so one that appears with a restart is served at once.
 * @throws Error for a trigger's pattern that is not served here
 */
export function connectTriggers(options: ConnectTriggersOptions): () => void {
  const { firestore, functions, location, idle = [] } = options;
  for (const target of functions.functions) {
    if (target.kind === 'event') assertServed(target.event.pathPatterns['document'] ?? '');
  }
  return firestore.onDocumentWritten((change) => {
    for (const target of functions.functions) {
      if (target.kind !== 'event' || idle.includes(target.name)) continue;
      if (!isTriggeredBy(target.event, change)) continue;
      const event = toDocumentEvent(change, location, target.event.eventType);
      void functions.deliver({ function: target.name, ...event });
    }
  });
}

/** Whether a function with this trigger is called for this write. */
export function isTriggeredBy(
  { eventType, pathPatterns, filters }: EventTrigger,
  change: DocumentChange,
): boolean {
  if (!eventType.startsWith(DOCUMENT_EVENT_PREFIX)) return false;
  const kind = eventType.slice(DOCUMENT_EVENT_PREFIX.length);
  if (kind !== 'written' && kind !== kindOf(change)) return false;
  if (!change.database.endsWith(`/${filters['database'] ?? '(default)'}`)) return false;
  const pattern = pathPatterns['document'];
  // A path without a wildcard is an ordinary filter in the manifest.
  return pattern === undefined
    ? filters['document'] === change.path
    : matchesDocumentPattern(pattern, change.path);
}

/**
 * Whether a document's path matches an Eventarc path pattern whose wildcards are `{name}` or `*`, for one whole segment each.
 * @see https://cloud.google.com/eventarc/docs/path-patterns
 */
export function matchesDocumentPattern(pattern: string, path: string): boolean {
  const wanted = segmentsOf(pattern);
  const given = segmentsOf(path);
  return (
    wanted.length === given.length &&
    wanted.every((segment, place) => /^[*{]/.test(segment) || segment === given[place])
  );
}

/** Parts of a segment, and `**`, are wildcards too, and no function here has one. */
export function assertServed(pattern: string): void {
  if (segmentsOf(pattern).every((segment) => /^(?:\*|\{[^={}*]+\}|[^*{}]+)$/.test(segment))) return;
  throw new Error(`The pattern ${pattern} of a trigger is not served locally.`);
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}
