/** What a run that went on all the same may say. The runbook has a row for each, and the page a text. */
export const WARNING_CODES = [
  'quarantined_entries',
  'quarantined_members',
  'unidentified_entries',
  'adjusted_values',
  'repeated_members',
  'duplicate_members',
  'legal_entities',
  'impossible_dates',
  'more_than_announced',
  'published_list_missing',
  'published_list_edited',
  'abandoned_run_published',
  'portal_emptied',
  'register_emptied',
  'removals_withheld',
  'unknown_documents',
  'versions_went_back',
] as const;

export type WarningCode = (typeof WARNING_CODES)[number];
