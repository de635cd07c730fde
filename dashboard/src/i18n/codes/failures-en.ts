import { ERROR_CODES, type ErrorCode } from '../../../../functions/src/lib/errors.ts';
import type { CodeTexts } from './kinds.ts';

/** The errors' own table is in English. */
const meanings = Object.fromEntries(
  Object.entries(ERROR_CODES).map(([code, { meaning }]) => [code, meaning]),
) as Record<ErrorCode, string>;

export const failuresEn: Pick<CodeTexts, 'guard' | 'warning' | 'error'> = {
  guard: {
    removed_share: 'members would be removed (share of the list)',
    removed_total: 'members would be removed (in all)',
    added_share: 'members would be added',
    changed_share: 'members would be changed',
    blanked_share: 'members would lose {field}',
    quarantined_share: 'entries cannot be read',
  },
  warning: {
    quarantined_entries: 'entries cannot be read; they were left out',
    quarantined_members: 'members cannot be read; they were left as they are',
    unidentified_entries: 'unreadable entries without a number: they count as gone',
    adjusted_values: 'values that the register cannot hold as they are',
    repeated_members: 'a number came more than once; the newest entry counts',
    duplicate_members: 'two rows of the registry have one number; the first counts',
    legal_entities: 'members with the number of a company',
    impossible_dates: 'members whose number has no real date',
    more_than_announced: 'more entries came than the registry counts',
    published_list_missing: 'the published list had gone',
    published_list_edited: 'the published list had lines that are no kennitala',
    abandoned_run_published: 'a run that died had published before it died',
    portal_emptied: 'no active member was left in the portal',
    register_emptied: 'no active member was left in the register',
    removals_withheld: 'members who may be among the unreadable ones were kept',
    unknown_documents: 'documents with a name that is no member’s',
    versions_went_back: 'the portal has newer versions than the registry shows',
  },
  error: {
    ...meanings,
    no_answer: 'the server cannot be reached; nothing is known about what was asked for',
    gave_up: 'it takes longer than this page may wait, and goes on: look for it among the runs',
    forbidden: 'this account may not do this: it needs the role admin or superuser',
  },
};
