import { appendJsonLine, readJsonLines } from '../json-lines.ts';
import type { Generation } from './directory.ts';
import type { MemberPatch } from './wire-member.ts';

/** The answer to one change of `POST /api/sync/apply/`. Values are in the portal's spelling, by path. */
export interface ApplyResult {
  /** Ten digits, however the change spelled them. */
  readonly ssn: string;
  readonly status: 'success' | 'error' | 'conflict';
  readonly message?: string;
  /** Why a change was refused, as the companion app names it. */
  readonly code?: string;
  readonly updated_fields?: readonly string[];
  readonly version?: number;
  readonly current?: Readonly<Record<string, unknown>>;
  /** When the registry's own value was last changed, for whoever decides a conflict; null when it never was. */
  readonly changed_at?: string | null;
}

export type ChangeAction = 'create' | 'update' | 'delete';

/** One committed change of one row. `id` is the outbox id and becomes the member's version. */
export interface ChangeEntry {
  readonly type: 'change';
  readonly id: number;
  readonly index: number;
  readonly action: ChangeAction;
  readonly patch: MemberPatch;
  readonly at: string;
  /** `portal` when the apply call made it: such a change is not offered back as a new edit. */
  readonly origin: 'registry' | 'portal';
  /** The answer to remember under a change id, in the same line as the change, so that a crash cannot part them. */
  readonly applied?: { readonly changeId: string; readonly result: ApplyResult };
}

export type JournalEntry =
  | ChangeEntry
  | { readonly type: 'synced'; readonly ids: readonly number[] }
  | { readonly type: 'applied'; readonly changeId: string; readonly result: ApplyResult };

export interface Journal {
  readonly generation: Generation;
  /** What was written before this opening, oldest first. */
  readonly entries: readonly JournalEntry[];
  append(entry: JournalEntry): void;
}

const FORMAT = 1;

/** A journal that forgets, for a registry without a data file. */
export const makeMemoryJournal = (generation: Generation): Journal => ({
  generation,
  entries: [],
  append: () => {},
});

/**
 * Opens the file of a registry, or starts it: a first line with the generation, then one line an entry.
 *
 * @param wanted The parts of the generation that the caller insists on. An existing file that was generated
 *   otherwise throws, since its changes would land on other members.
 */
export const openJournal = (file: string, defaults: Generation, wanted: Partial<Generation>): Journal => {
  const [header, ...entries] = readJsonLines(file);
  const fresh = { format: FORMAT, generation: { ...defaults, ...wanted } };
  if (header === undefined) appendJsonLine(file, fresh);
  const { format, generation } = (header ?? fresh) as typeof fresh;
  if (format !== FORMAT)
    throw new Error(`${file} has format ${format}; this stand-in reads ${FORMAT}. Delete it.`);
  for (const [key, value] of Object.entries(wanted)) {
    const kept = generation[key as keyof Generation];
    if (kept === value) continue;
    throw new Error(
      `${file} holds a registry with ${key} = ${kept}, but ${key} = ${value} was asked for. ` +
        'Delete the file, or start without that option.',
    );
  }
  return {
    generation,
    entries: entries as JournalEntry[],
    append: (entry) => appendJsonLine(file, entry),
  };
};
