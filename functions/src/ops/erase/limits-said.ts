/** What an erasure leaves on purpose. The opaque reference is a keyed hash: it names nobody without the number. */
export const STAYS = [
  'operator_actions: who asked for this, when and why, by the opaque reference; 12 months.',
  'sync_audit: counts of runs, and warnings that may have the opaque reference; 12 months.',
  'webhook_receipts: that an event came, without the reference, so that its repetition is not taken for a new one; 7 days.',
  'Cloud Logging: entries with the opaque reference; as long as its bucket keeps them, usually 30 days.',
  'What operators typed of somebody by name: only numbers can be found in prose. Look at reasons in operator_actions and sync_audit.',
] as const;

/** Where copies may be that no call from here reaches. */
export const OUT_OF_REACH = [
  'Firestore: point-in-time recovery (up to 7 days) and backups, until they expire by their own schedule.',
  'Cloud SQL: backups and point-in-time recovery, until they expire by their own schedule.',
  'The registry: its change queue (manage.py erase_member), its own data, logs and backups.',
  'Firebase Authentication: a user account of the person, if there is one.',
  'Services and people who read the register or downloaded the list: what they keep themselves.',
] as const;
