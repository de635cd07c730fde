import { LIST_FIELDS, type ListField } from './change-lists.ts';

/** How documents of a collection are found that are about one person. */
export type AboutPerson =
  /** The document's name is the kennitala; what stands below it is the person's too. */
  | { readonly by: 'name' }
  /** The kennitala stands in a field, and the document is about nobody else. */
  | { readonly by: 'field'; readonly field: string }
  /** Lists have the kennitalas of many: one is taken out. */
  | { readonly by: 'lists'; readonly fields: readonly ListField[] }
  /** The opaque reference stands in a field: it is overwritten. */
  | { readonly by: 'reference'; readonly field: string };

export interface Collection {
  /** Null: no document has a kennitala. */
  readonly person: AboutPerson | null;
  /** Fields with what an operator typed, which is prose: it is searched for the number. */
  readonly texts?: readonly string[];
  /** The field of its TTL policy; null: documents stay until they are erased. */
  readonly expires: 'expireAt' | null;
  /** For a collection below another one's documents. */
  readonly below?: string;
}

/**
 * Every collection that this project writes, and what each holds of people. Erasure is made of this table, and tests hold the
 * rules, the TTL policies and the code to it: a collection that is not here is one from which nobody would be erased.
 */
export const COLLECTIONS = {
  // First: whoever follows a hint writes the member only while it stands.
  webhook_hints: { person: { by: 'name' }, expires: 'expireAt' },
  members: { person: { by: 'name' }, expires: null },
  sync_queue: { person: { by: 'field', field: 'kennitala' }, expires: null },
  sync_conflicts: { person: { by: 'field', field: 'kennitala' }, expires: 'expireAt' },
  changes: {
    person: { by: 'lists', fields: LIST_FIELDS },
    expires: 'expireAt',
    below: 'sync_audit',
  },
  webhook_receipts: { person: { by: 'reference', field: 'member' }, expires: 'expireAt' },
  sync_audit: { person: null, texts: ['reason', 'approvedBy'], expires: 'expireAt' },
  sync_state: { person: null, texts: ['pause.reason'], expires: null },
  operator_actions: { person: null, texts: ['reason'], expires: 'expireAt' },
  sync_logs: { person: null, expires: 'expireAt' },
  roster_refreshes: { person: null, expires: 'expireAt' },
} as const satisfies Readonly<Record<string, Collection>>;

export type CollectionName = keyof typeof COLLECTIONS;
