import { describe, expect, it } from 'vitest';
import type { StatusAnswer } from '../../functions/src/ops/schemas.ts';
import { makeWords, proofSentence, recordSentence } from '../src/texts/words.ts';

const AT = '2026-11-23T08:00:00.000Z';
const equal = { state: 'equal', differences: 0, errorCode: null } as const;
const PROOF: NonNullable<StatusAnswer['proof']> = {
  at: AT,
  outcome: 'equal',
  because: null,
  provedAt: '2026-11-23T07:57:00.000Z',
  unprovedSince: null,
  members: 2_216,
  unreadable: 0,
  stores: { roster: equal, portal: equal, register: equal },
  errorCode: null,
};
const WALK = { at: '2026-11-23T07:40:00.000Z', whole: true, findings: 0, records: 1_912, versions: 34 };

describe('what is known for certain, in one sentence', () => {
  it.each<['is' | 'en', Partial<typeof PROOF> | null, string]>([
    ['en', null, 'No proof has been made yet.'],
    ['is', null, 'Ekkert hefur verið sannað enn.'],
    ['en', {}, 'Registry = Roster = Portal = Register: 2,216 members, proved 3 minutes ago.'],
    [
      'is',
      {},
      'Félagaskrá = Kennitölulisti = Félagavefur = Kosningagrunnur: 2.216 félagar, sannað fyrir 3 mínútum.',
    ],
    [
      'en',
      {
        outcome: 'differs',
        because: 'blocked',
        stores: { ...PROOF.stores, portal: { state: 'differs', differences: 3, errorCode: null } },
      },
      'Proof: not equal. The guard refused the last run. Portal differs by 3. Last proved 3 minutes ago.',
    ],
    [
      'en',
      { outcome: 'unknown', errorCode: 'registry_timeout', provedAt: null },
      'Proof: not known. Registry: registry_timeout. Never proved.',
    ],
  ])('of the proof, in %s: %o', (language, facts, sentence) => {
    const proof = facts === null ? null : { ...PROOF, ...facts };
    expect(proofSentence(proof, AT, makeWords(language))).toBe(sentence);
  });

  it.each<['is' | 'en', Partial<typeof WALK> | null, string]>([
    ['en', null, 'The record has not been verified yet: that happens every night.'],
    ['en', {}, 'Record verified 20 minutes ago, unbroken: 1,912 records, 34 lists.'],
    ['is', {}, 'Skráning sannreynd fyrir 20 mínútum, órofin: 1.912 færslur, 34 listar.'],
    ['en', { whole: false, findings: 3 }, 'Record verified 20 minutes ago, broken: 3 findings.'],
    ['is', { whole: false, findings: 3 }, 'Skráning sannreynd fyrir 20 mínútum, rofin: 3 niðurstöður.'],
  ])('of the record, in %s: %o', (language, facts, sentence) => {
    const verified = facts === null ? null : { ...WALK, ...facts };
    expect(recordSentence(verified, AT, makeWords(language))).toBe(sentence);
  });
});
