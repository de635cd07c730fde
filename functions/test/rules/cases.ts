import { MEMBER_ACCESS_CASES } from './cases/member-access.ts';
import { MEMBER_ADDRESS_CASES } from './cases/member-addresses.ts';
import { MEMBER_FIELD_CASES } from './cases/member-fields.ts';
import { MEMBER_FORBIDDEN_CASES } from './cases/member-forbidden.ts';
import { RECORD_CASES } from './cases/records.ts';
import type { RulesCase } from './cases/rules-case.ts';
import { STORAGE_CASES } from './cases/storage.ts';

/** Every question that is put to the rules. The same table runs on the evaluator and on the official emulator. */
export const CASES: readonly RulesCase[] = [
  ...RECORD_CASES,
  ...MEMBER_ACCESS_CASES,
  ...MEMBER_FIELD_CASES,
  ...MEMBER_FORBIDDEN_CASES,
  ...MEMBER_ADDRESS_CASES,
  ...STORAGE_CASES,
];
