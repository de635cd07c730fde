import { describe, expect, it } from 'vitest';
import { holdsKennitala, type Kennitala, namesKennitala, spellingsOf } from '../../src/domain/kennitala.ts';
import { operatorText } from '../../src/domain/storable.ts';
import { runRequestBody } from '../../src/mirror/run-answer.ts';
import * as schemas from '../../src/ops/schemas.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

const [KENNITALA, OTHER] = makeKennitalas(2) as [Kennitala, Kennitala];
const spelled = (between: string) => `${KENNITALA.slice(0, 6)}${between}${KENNITALA.slice(6)}`;

const NAMING: [what: string, text: string][] = [
  ['bare', KENNITALA],
  ['with a hyphen', spelled('-')],
  ['with a dash', spelled(' – ')],
  ['with a space', spelled(' ')],
  ['with a space that does not break', spelled('\u00a0')],
  ['in pairs', KENNITALA.replace(/(..)/g, '$1 ')],
  ['with a mark of no width', spelled('\u200b')],
  ['in wide digits', KENNITALA.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)))],
  ['between letters', `kt${KENNITALA}x`],
  ['among other digits', `12${KENNITALA}34`],
];
const INNOCENT = [
  'erasure requested 2026-11-20',
  'run of 2026-11-20 03:00:00, agreed by phone 555 1234',
  'plan 3f2a, 2,216 members, 12 removed',
  'call +354 555 1234',
  'registry was moved; ticket 20261120',
  '',
];

describe('what an operator types', () => {
  it.each(NAMING)('is found to hold a number that is spelled %s', (_what, text) => {
    expect(holdsKennitala(`asked by ${text}, today`)).toBe(true);
    expect(namesKennitala(`asked by ${text}, today`, KENNITALA)).toBe(true);
    expect(namesKennitala(`asked by ${text}, today`, OTHER)).toBe(false);
  });

  it('is found to hold a number that is all of it', () => {
    expect(holdsKennitala(KENNITALA)).toBe(true);
  });

  it.each(INNOCENT)('%j holds none', (text) => {
    expect(holdsKennitala(text)).toBe(false);
  });

  it('is refused with a line break, a control or an end that is hidden', () => {
    const schema = operatorText('a reason', 20);
    for (const text of ['', '  ', 'a\nb', 'a\u001b[2Jb', 'a\u202eb', 'x'.repeat(21)]) {
      expect(schema.safeParse(text).success).toBe(false);
    }
    expect(schema.parse(' moved ')).toBe('moved');
  });
});

describe('every body with a free text', () => {
  const planId = 'a'.repeat(64);
  const bodies: [
    name: string,
    schema: { safeParse(value: unknown): { success: boolean } },
    withText: (text: string) => object,
  ][] = [
    ['approval, reason', runRequestBody, (reason) => ({ approve: { planId, operator: 'Jóna', reason } })],
    ['approval, name', runRequestBody, (operator) => ({ approve: { planId, operator, reason: 'agreed' } })],
    [
      'a run of opsApi',
      schemas.startRunBody,
      (reason) => ({ mirror: 'roster', approve: { planId, operator: 'Jóna', reason } }),
    ],
    ['rollback', schemas.rollbackBody, (reason) => ({ generation: '1', dryRun: true, reason })],
    ['pause and resume', schemas.reasonBody, (reason) => ({ reason })],
    ['retry and fail', schemas.queueActionBody, (reason) => ({ reason })],
    ['erasure', schemas.eraseBody, (reason) => ({ kennitala: OTHER, reason })],
  ];
  it.each(bodies)('%s: refuses anybody’s number', (_name, schema, withText) => {
    expect(schema.safeParse(withText('agreed by phone')).success).toBe(true);
    for (const [, text] of NAMING) expect(schema.safeParse(withText(`for ${text}`)).success).toBe(false);
  });
});

it('a person may be keyed by either spelling', () => {
  expect(spellingsOf(KENNITALA)).toEqual([KENNITALA, spelled('-'), spelled(' ')]);
});
