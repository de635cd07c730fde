import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FIELD_TABLE } from '../../functions/src/domain/member/field-table.ts';
import { ERROR_CODES } from '../../functions/src/lib/errors.ts';
import { WARNING_CODES } from '../../functions/src/mirror/mirror.ts';
import { mirrorName } from '../../functions/src/ops/schemas/common.ts';
import * as schemas from '../../functions/src/ops/schemas.ts';
import { STREAMS } from '../../functions/src/proof/signed.ts';
import type { CodeKind } from '../src/texts/code-kinds.ts';
import { codesEn } from '../src/texts/codes-en.ts';
import { codesIs } from '../src/texts/codes-is.ts';
import { en } from '../src/texts/en.ts';
import { is } from '../src/texts/is.ts';
import { enumsIn } from './schema-enums.ts';

const statesOf = (union: { readonly options: readonly z.ZodObject[] }): string[] =>
  union.options.flatMap(({ shape }) => enumsIn(shape['state']).flat());

/** What the API can answer, as its schemas and its tables say. */
const CAN_BE: Record<CodeKind, readonly string[]> = {
  outcome: schemas.endedOutcome.options,
  trigger: schemas.runTrigger.options,
  guard: schemas.guardRule.options,
  finding: schemas.findingCode.options,
  difference: schemas.differenceReason.options,
  chain: schemas.chainFinding.shape.kind.options,
  proof: schemas.proofOutcome.options,
  proofReason: schemas.proofReason.options,
  relation: schemas.relation.options,
  fault: ['digits', 'date', 'century', 'other'],
  queue: schemas.queueStatus.options,
  fieldOutcome: schemas.fieldOutcome.options,
  retry: schemas.retryOutcome.options,
  conflict: schemas.conflictState.options,
  keep: schemas.conflictKeep.options,
  reason: schemas.conflictReason.options,
  because: schemas.becauseCode.options,
  now: [
    ...statesOf(schemas.registryNow),
    ...statesOf(schemas.rosterNow),
    ...statesOf(schemas.portalNow),
    ...statesOf(schemas.registerNow),
  ],
  source: schemas.timelineSource.options,
  what: schemas.timelineWhat.options,
  detail: Object.keys(schemas.timelineDetail.shape),
  place: schemas.explainSource.options,
  sweep: schemas.sweepStatus.options,
  decision: schemas.syncDecision.options,
  origin: schemas.memberOrigin.options,
  action: schemas.changeAction.options,
  field: [...Object.keys(FIELD_TABLE), 'name', 'email', 'phone'],
  warning: WARNING_CODES,
  error: [...Object.keys(ERROR_CODES), 'no_answer', 'gave_up'],
};
/** Erasing one person is for the command line alone. */
const NOT_ON_THE_PAGE = ['eraseStoreName', 'erasedStore', 'softDeletedCopies', 'eraseAnswer'];
/** Choices that the page draws, or names by a text of its own. */
const DRAWN: readonly (readonly string[])[] = [
  schemas.agreementState.options,
  schemas.runStep.options,
  schemas.severity.options,
  ['pause', 'resume'],
  STREAMS,
  ['membership-roll/1'],
  ['equal', 'differs', 'unknown', 'absent'],
  ['added', 'removed'],
];
const KINDS = Object.keys(CAN_BE) as CodeKind[];

describe.each([
  ['Icelandic', codesIs],
  ['English', codesEn],
] as const)('the page in %s', (_language, texts) => {
  it.each(KINDS)('has a text for every code of %s that the API can answer, and for no other', (kind) => {
    const known: Readonly<Record<string, string>> = texts[kind];
    expect(Object.keys(known).toSorted()).toEqual([...new Set(CAN_BE[kind])].toSorted());
    expect(Object.values(known).filter((text) => text.trim() === '')).toEqual([]);
  });
});

it('knows the kind of every choice that stands in an answer of the API', () => {
  const answers = Object.entries(schemas).filter(
    ([name, schema]) => schema instanceof z.ZodType && !NOT_ON_THE_PAGE.includes(name),
  );
  const choicesOf = (name: string) => enumsIn((schemas as Readonly<Record<string, unknown>>)[name]);
  expect(choicesOf('explainAnswer')).toContainEqual(schemas.explainSource.options);
  expect(choicesOf('explainAnswer')).toContainEqual(['not-configured']);
  const kinds = [...Object.values(CAN_BE), mirrorName.options, ...DRAWN];
  for (const [name, schema] of answers) {
    for (const choice of enumsIn(schema)) {
      const isKnown = kinds.some((kind) => choice.every((code) => kind.includes(code)));
      expect(isKnown, `${name}: ${choice.join(', ')}`).toBe(true);
    }
  }
});

it('calls the fields, the states and the errors differently in the two languages', () => {
  for (const kind of ['finding', 'what', 'error', 'because'] as const) {
    for (const [code, text] of Object.entries(codesIs[kind])) {
      expect((codesEn[kind] as Readonly<Record<string, string>>)[code], `${kind} ${code}`).not.toBe(text);
    }
  }
});

it('fills in the same in both languages', () => {
  const filled = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).toSorted();
  for (const [key, text] of Object.entries(en)) {
    expect(filled((is as Readonly<Record<string, string>>)[key] ?? ''), key).toEqual(filled(text));
  }
  for (const kind of KINDS) {
    for (const [code, text] of Object.entries(codesEn[kind])) {
      expect(filled((codesIs[kind] as Readonly<Record<string, string>>)[code] ?? ''), code).toEqual(
        filled(text),
      );
    }
  }
});

it('has every label that the page for operators prints in bold', async () => {
  const text = await readFile(new URL('../../docs/rekstur.md', import.meta.url), 'utf8');
  const labels = [...text.matchAll(/\*\*([^*]+)\*\*/g)].map(([, label = '']) => label);
  expect(labels.length).toBeGreaterThan(20);
  // An answer to the question in its table.
  const answers = ['Nei', 'Já'];
  const shown: readonly string[] = Object.values(is);
  expect(labels.filter((label) => !shown.includes(label) && !answers.includes(label))).toEqual([]);
});
