import { readFileSync } from 'node:fs';
import { PEOPLE } from './cases/people.ts';
import { afterOf, type RulesCase } from './cases/rules-case.ts';
import type { Ruleset } from './evaluator/ast.ts';
import { type Decision, decide } from './evaluator/decide.ts';
import type { Run } from './evaluator/evaluate.ts';

/** The rules that are deployed, read from the top of the repository. */
export const SOURCES: Readonly<Record<RulesCase['service'], string>> = {
  firestore: readFileSync(new URL('../../../firestore.rules', import.meta.url), 'utf8'),
  storage: readFileSync(new URL('../../../storage.rules', import.meta.url), 'utf8'),
};

const ROOTS: Readonly<Record<RulesCase['service'], string>> = {
  firestore: 'databases/(default)/documents',
  storage: 'b/demo-ekklesia.appspot.com/o',
};

/** Puts one case to the evaluator. A list names its collection; the rules match the documents in it. */
export function decideCase(ruleset: Ruleset, row: RulesCase, errors?: Run['errors']): Decision {
  const person = PEOPLE[row.who];
  const path = row.operation === 'list' && row.service === 'firestore' ? `${row.path}/any` : row.path;
  return decide(
    ruleset,
    {
      method: row.operation,
      path: `${ROOTS[row.service]}/${path}`,
      auth: person && { uid: person.uid, token: person.claims },
      before: row.service === 'firestore' ? row.before : null,
      after: row.service === 'firestore' ? afterOf(row) : null,
      time: new Date('2026-06-01T12:00:00Z'),
    },
    errors,
  );
}
