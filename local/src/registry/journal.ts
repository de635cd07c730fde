import { appendFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Generation } from './directory.ts';
import type { MemberPatch } from './wire-member.ts';

/** Why a change was refused, as the companion app names it. */
export type ApplyErrorCode =
  | 'malformed'
  | 'unknown_member'
  | 'unknown_path'
  | 'invalid_value'
  | 'address_unsupported'
  | 'action_not_allowed';

/** The answer to one change of `POST /api/sync/apply/`. Values are in the portal's spelling, by path. */
export interface ApplyResult {
  /** Ten digits, however the change spelled them. */
  readonly ssn: string;
  readonly status: 'success' | 'error' | 'conflict';
  readonly message?: string;
  readonly code?: ApplyErrorCode;
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
  /** Whether a webhook was owed for it. */
  readonly announce: boolean;
  /** The answer to remember under a change id, in the same line as the change, so that a crash cannot part them. */
  readonly applied?: { readonly changeId: string; readonly result: ApplyResult };
}

export type JournalEntry =
  | ChangeEntry
  | { readonly type: 'synced'; readonly ids: readonly number[] }
  | { readonly type: 'applied'; readonly changeId: string; readonly result: ApplyResult }
  /** The webhook of this change needs no further attempt: delivered, dropped on purpose, or given up. */
  | { readonly type: 'settled'; readonly id: number };

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
 * Opens the file of a registry, or starts it: a first line with the generation, then one line an entry. A last line
 * without an end is what a crash left of an unfinished write, and is cut off.
 *
 * @param wanted The parts of the generation that the caller insists on. An existing file that was generated
 *   otherwise throws, since its changes would land on other members.
 */
export const openJournal = (file: string, defaults: Generation, wanted: Partial<Generation>): Journal => {
  const lines = readLines(file);
  const header = lines[0];
  if (header === undefined) {
    mkdirSync(dirname(file), { recursive: true });
    const generation = { ...defaults, ...wanted };
    writeFileSync(file, `${JSON.stringify({ format: FORMAT, generation })}\n`);
    return { generation, entries: [], append: (entry) => appendLine(file, entry) };
  }
  const { format, generation } = JSON.parse(header) as { format: number; generation: Generation };
  if (format !== FORMAT)
    throw new Error(`${file} has format ${format}; this stand-in reads ${FORMAT}. Delete it.`);
  for (const [key, value] of Object.entries(wanted)) {
    const kept = generation[key as keyof Generation];
    if (kept !== value) {
      throw new Error(
        `${file} holds a registry with ${key} = ${kept}, but ${key} = ${value} was asked for. ` +
          'Delete the file, or start without that option.',
      );
    }
  }
  return {
    generation,
    entries: lines.slice(1).map((line) => JSON.parse(line) as JournalEntry),
    append: (entry) => appendLine(file, entry),
  };
};

const appendLine = (file: string, entry: JournalEntry): void =>
  appendFileSync(file, `${JSON.stringify(entry)}\n`);

const readLines = (file: string): string[] => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  if (complete.length < text.length) truncateSync(file, Buffer.byteLength(complete));
  return complete.split('\n').slice(0, -1);
};
