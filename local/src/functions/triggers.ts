import type { HttpCloudEvent } from './deliveries.ts';
import type { EventTrigger } from './endpoint.ts';
import type { LocalFunctions } from './start-functions.ts';

const DOCUMENT_EVENT_PREFIX = 'google.cloud.firestore.document.v1.';

/** Anything that tells of each committed write to a document. The returned function ends the subscription. */
interface DocumentWriteSource<Write> {
  onDocumentWritten(listener: (write: Write) => void): () => void;
}

/** A write as an event: what triggers are matched against, and what their functions are sent. */
export interface DocumentEvent extends HttpCloudEvent {
  readonly project: string;
  /** `(default)`, unless the project has several. */
  readonly database: string;
  /** From the database's root, such as `members/…`. */
  readonly document: string;
  readonly kind: 'created' | 'updated' | 'deleted';
}

interface ConnectTriggersOptions<Write> {
  readonly firestore: DocumentWriteSource<Write>;
  readonly functions: Pick<LocalFunctions, 'projectId' | 'functions' | 'deliver'>;
  /** Makes the event in binary mode; its `ce-type` is set here, for each trigger its own. */
  readonly toEvent: (write: Write) => DocumentEvent;
}

/**
 * Delivers each write to every function with a Firestore trigger for it. Returns a function that stops.
 * Functions are matched at each write, so one that appears with a restart is served at once.
 */
export function connectTriggers<Write>(options: ConnectTriggersOptions<Write>): () => void {
  return options.firestore.onDocumentWritten((write) => {
    const event = options.toEvent(write);
    if (event.project !== options.functions.projectId) return;
    for (const target of options.functions.functions) {
      if (target.kind !== 'event' || !isTriggeredBy(target.event, event)) continue;
      const headers = { ...event.headers, 'ce-type': target.event.eventType };
      void options.functions.deliver({ function: target.name, headers, body: event.body });
    }
  });
}

/** Whether a function with this trigger is called for this write. */
export function isTriggeredBy(trigger: EventTrigger, event: DocumentEvent): boolean {
  if (!trigger.eventType.startsWith(DOCUMENT_EVENT_PREFIX)) return false;
  const kind = trigger.eventType.slice(DOCUMENT_EVENT_PREFIX.length);
  if (kind !== 'written' && kind !== event.kind) return false;
  if ((trigger.filters['database'] ?? '(default)') !== event.database) return false;
  const pattern = trigger.pathPatterns['document'];
  // A path without a wildcard is an ordinary filter in the manifest.
  return pattern === undefined
    ? trigger.filters['document'] === event.document
    : matchesDocumentPattern(pattern, event.document);
}

/**
 * Whether a document's path matches an Eventarc path pattern: `{name}` and `*` stand for one segment or a part of one,
 * `{name=**}` and `**` for any number of segments, none included.
 * @see https://cloud.google.com/eventarc/docs/path-patterns
 */
export function matchesDocumentPattern(pattern: string, path: string): boolean {
  const expression = segmentsOf(pattern)
    .map((segment) => {
      const text = withoutCapture(segment);
      if (text.includes('**')) return '(?:/[^/]+)*';
      return `/${text
        .split('*')
        .map(escapeForRegExp)
        .join(text === '*' ? '[^/]+' : '[^/]*')}`;
    })
    .join('');
  return new RegExp(`^${expression}$`).test(`/${segmentsOf(path).join('/')}`);
}

/** `{name}` captures one whole segment, `{name=pattern}` what its pattern matches. */
function withoutCapture(segment: string): string {
  const capture = /^\{[^={}]+(?:=(?<pattern>[^{}]+))?\}$/.exec(segment);
  return capture === null ? segment : (capture.groups?.['pattern'] ?? '*');
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
