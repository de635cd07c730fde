import { hyphenate, makePlaceholderNumber, spellKennitala } from '../members/make-kennitala.ts';
import type { Fault } from './fault.ts';

type Json = Record<string, unknown>;

/** What a tired hand types. None of them can be read as a kennitala, not even after cleaning. */
const UNREADABLE = ['óþekkt', '12345', '123456789', '010190-29', 'x'.repeat(10)] as const;
/** Above what `--placeholders` makes, so that these never repeat the registry's own. */
const FIRST_PLACEHOLDER = 900_000;
const LIST_KEYS = ['kennitalas', 'results', 'changes'] as const;

/** Whether a fault changes the content of a JSON answer, so that the answer has to be taken apart. */
export const spoilsJson = (fault: Fault): boolean =>
  Boolean(
    fault.wrong_types ||
      fault.missing_keys ||
      fault.count ||
      fault.empty ||
      fault.duplicates ||
      fault.hyphens ||
      fault.placeholders ||
      fault.unreadable,
  );

/** The answer with the fault in it. The answer's list, under whichever key it stands, and `count` change together. */
export const spoilJson = (answer: Json, fault: Fault): Json => {
  const spoiled = { ...answer };
  const key = LIST_KEYS.find((name) => Array.isArray(answer[name]));
  if (key !== undefined) {
    const before = answer[key] as unknown[];
    const after = spoilList(before, fault);
    spoiled[key] = after;
    if (typeof answer['count'] === 'number') {
      spoiled['count'] = fault.empty ? 0 : answer['count'] + after.length - before.length;
    }
    if (fault.empty && 'next' in spoiled) spoiled['next'] = null;
  }
  if (typeof spoiled['count'] === 'number') spoiled['count'] += fault.count ?? 0;
  for (const name of fault.wrong_types ?? []) spoiled[name] = otherType(spoiled[name]);
  for (const name of fault.missing_keys ?? []) delete spoiled[name];
  return spoiled;
};

const spoilList = (list: readonly unknown[], fault: Fault): unknown[] => {
  if (fault.empty) return [];
  const spelled = list.map((entry, at) =>
    at < (fault.hyphens ?? 0) ? withNumber(entry, hyphenated) : entry,
  );
  const model = list[0] ?? '';
  return [
    ...spelled,
    ...spelled.slice(0, fault.duplicates ?? 0),
    ...times(fault.placeholders, (n) => spellKennitala(makePlaceholderNumber(FIRST_PLACEHOLDER + n))).map(
      (number) => withNumber(model, () => number),
    ),
    ...times(fault.unreadable, (n) => UNREADABLE[n % UNREADABLE.length] ?? '').map((number) =>
      withNumber(model, () => number),
    ),
  ];
};

const times = <T>(count = 0, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

const hyphenated = (number: string): string => (number.includes('-') ? number : hyphenate(number));

/** An entry is a number itself, or an object that holds one as `ssn`. */
const withNumber = (entry: unknown, change: (number: string) => string): unknown =>
  typeof entry === 'string'
    ? change(entry)
    : typeof entry === 'object' && entry !== null && 'ssn' in entry
      ? { ...entry, ssn: change(String(entry.ssn)) }
      : entry;

const otherType = (value: unknown): unknown => {
  if (typeof value === 'string') return 7;
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? {} : [{ unexpected: true }, ...value.slice(1)];
  return 'unexpected';
};
