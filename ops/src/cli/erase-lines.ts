import type { EraseAnswer, ErasedStore, SoftDeletedCopies } from '../../../functions/src/ops/schemas.ts';
import { pairLines, tableLines } from './table.ts';
import type { Paint } from './terminal.ts';
import { shownNumber, shownTime } from './text.ts';

/** What a look found, before anything is erased. */
export const heldLines = ({ member, stores }: EraseAnswer): string[] => [
  `Held of ${member}:`,
  ...tableLines(
    [
      { head: 'place', width: 28 },
      { head: 'entries', width: 9, align: 'right' },
      { head: 'not known because', width: 37 },
    ],
    stores.map(({ store, found, code }) => [store, shownNumber(found), code ?? '']),
  ),
];

/** The proof, or what is missing for it; what stays; and what this cannot reach. */
export const eraseLines = (answer: EraseAnswer, paint: Paint): string[] => [
  `${answer.member} at ${shownTime(answer.at)}`,
  answer.absent
    ? paint('green', 'Absent: every place was read, and nothing is left.')
    : paint('red', 'Absence is not proved: something is left, or could not be read.'),
  '',
  ...tableLines(
    [
      { head: 'place', width: 28 },
      { head: 'found', width: 7, align: 'right' },
      { head: 'erased', width: 7, align: 'right' },
      { head: 'left', width: 7, align: 'right' },
      { head: 'why', width: 23 },
    ],
    answer.stores.map((row) => storeRow(row, paint)),
  ),
  ...(answer.hasRegister ? [] : ['There is no register here.']),
  '',
  ...listLines([softDeletedText(answer.softDeleted)]),
  '',
  paint('bold', 'Stays on purpose'),
  ...listLines(answer.stays),
  '',
  paint('bold', 'Out of reach of this command'),
  ...listLines(answer.outOfReach),
];

const storeRow = ({ store, found, erased, left, code }: ErasedStore, paint: Paint): string[] => [
  store,
  shownNumber(found),
  shownNumber(erased),
  left === 0 ? '0' : paint('red', left === null ? 'unknown' : shownNumber(left)),
  code ?? '',
];

const softDeletedText = (copies: SoftDeletedCopies): string => {
  if (copies.state === 'unknown') {
    return `Whether soft-deleted copies of the list are kept, and until when, is not known: ${copies.code}.`;
  }
  const { copies: kept, lastExpiresAt, retentionDays } = copies;
  if (lastExpiresAt === null) return 'The bucket keeps no soft-deleted copy of the list.';
  return (
    `The bucket still keeps ${shownNumber(kept)} soft-deleted ${kept === 1 ? 'copy' : 'copies'} of the list, with the ` +
    `number or without (${retentionDays} days each; nobody can read one without restoring it, and nobody can delete ` +
    `it). The last is gone for good on ${shownTime(lastExpiresAt)}.`
  );
};

const listLines = (texts: readonly string[]): string[] =>
  pairLines(
    texts.map((text) => ['-', text]),
    2,
  );
