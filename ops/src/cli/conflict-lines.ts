import type { Conflict, ConflictDetail } from '../../../functions/src/ops/schemas.ts';
import { pairLines, tableLines } from './table.ts';
import { asWords, shownTime } from './text.ts';

/** Conflicts by member's reference and fields; no value. */
export const conflictsLines = (found: readonly Conflict[]): string[] =>
  tableLines(
    [
      { head: 'state', width: 8 },
      { head: 'found', width: 16 },
      { head: 'member', width: 18 },
      { head: 'fields, and who stands', width: 32 },
    ],
    found.flatMap((conflict) => [
      [
        conflict.state,
        shownTime(conflict.detectedAt),
        conflict.member,
        Object.entries(conflict.paths)
          .map(([path, { winner, decided }]) => `${path} ${decided ?? winner}`)
          .join(', '),
      ],
      { line: conflict.id },
    ]),
  );

/** One conflict with its values, which are personal. */
export const conflictLines = (conflict: ConflictDetail): string[] =>
  pairLines([
    ['conflict', conflict.id],
    ['member', `${conflict.kennitala} (${conflict.member})`],
    ['found', `${shownTime(conflict.detectedAt)}, ${conflict.state}`],
    ...Object.entries(conflict.paths).flatMap(([path, disputed]): [string, string][] => [
      ['field', `${path}: ${disputed.state}, the ${disputed.winner} stands (${asWords(disputed.reason)})`],
      ['  before', shownValue(disputed.expected)],
      ['  portal', `${shownValue(disputed.portal)}  ${shownTime(disputed.portalEditedAt)}`],
      ['  registry', `${shownValue(disputed.registry)}  ${shownTime(disputed.registryChangedAt)}`],
      ...(disputed.resolution === null
        ? []
        : ([
            [
              '  decided',
              `${disputed.resolution.keep}, by ${disputed.resolution.by}, ${shownTime(disputed.resolution.at)}`,
            ],
          ] as [string, string][])),
    ]),
  ]);

/** A field's value, so that a text and nothing at all look different. */
export const shownValue = (value: unknown): string => JSON.stringify(value) ?? '-';
