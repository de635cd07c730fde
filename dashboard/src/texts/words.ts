import { MIRRORS } from '../../../functions/src/mirror/mirror.ts';
import type { StatusAnswer } from '../../../functions/src/ops/schemas.ts';
import type { CodeKind } from './code-kinds.ts';
import { codesEn } from './codes-en.ts';
import { codesIs } from './codes-is.ts';
import { en, type TextKey } from './en.ts';
import { type Format, type Language, makeFormat } from './format.ts';
import { is } from './is.ts';

type Fill = Readonly<Record<string, string | number>>;

/** All that is said in one language. The command line says in English what the page says. */
export interface Words {
  readonly language: Language;
  readonly t: (key: TextKey, fill?: Fill) => string;
  /** A code's text, or the code itself: the API may know a code that this page does not know yet. */
  readonly tCode: (kind: CodeKind, code: string, fill?: Fill) => string;
  readonly format: Format;
}

const TEXTS = { is, en };
const CODES = { is: codesIs, en: codesEn };

export const makeWords = (language: Language): Words => {
  const known: Readonly<Record<string, string>> = TEXTS[language];
  const codes: Readonly<Record<CodeKind, Readonly<Record<string, string>>>> = CODES[language];
  return {
    language,
    t: (key, fill) => filled(known[key] ?? key, fill),
    tCode: (kind, code, fill) => filled(codes[kind][code] ?? code, fill),
    format: makeFormat(language),
  };
};

const filled = (text: string, fill: Fill = {}): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(fill[name] ?? whole));

/** One sentence: registry = roster = portal = register, and since when that is known; or which differs, and by how many. */
export const proofSentence = (
  proof: StatusAnswer['proof'],
  at: string,
  { t, tCode, format }: Words,
): string => {
  if (proof === null) return t('noProof');
  const { outcome, because, stores, members, unreadable, provedAt, errorCode: ofRegistry } = proof;
  const ago = provedAt === null ? null : format.ago(secondsBetween(provedAt, at));
  const held = MIRRORS.filter((store) => stores[store].state !== 'absent');
  const unread = unreadable === 0 ? '' : ` ${t('butUnreadable', { count: format.number(unreadable) })}`;
  if (outcome === 'equal' && ago !== null) {
    const names = [t('registry'), ...held.map((store) => t(store))].join(' = ');
    return t('provedEqual', { stores: names, members: format.number(members), ago }) + unread;
  }
  const parts = held.flatMap((store) => {
    const { state, differences, errorCode } = stores[store];
    if (state === 'unknown') return errorCode === null ? [] : [`${t(store)}: ${errorCode}.`];
    if (state !== 'differs') return [];
    return differences === null
      ? [t('differsUncounted', { store: t(store) })]
      : [t('differsBy', { store: t(store), count: format.number(differences) })];
  });
  return [
    t('notProvedNow', { outcome: tCode('proof', outcome) }),
    ...(because === null ? [] : [`${capital(tCode('proofReason', because))}.`]),
    ...(ofRegistry === null ? [] : [`${t('registry')}: ${ofRegistry}.`]),
    ...parts,
    ago === null ? t('neverProved') : t('lastProved', { ago }),
  ].join(' ');
};

/** One sentence: when the record was last walked over, and what was found. */
export const recordSentence = (
  verified: StatusAnswer['verified'],
  at: string,
  { t, format }: Words,
): string => {
  if (verified === null) return t('neverVerified');
  const { whole, findings, records, versions } = verified;
  return t(whole ? 'verifiedWhole' : 'verifiedBroken', {
    ago: format.ago(secondsBetween(verified.at, at)),
    records: format.number(records),
    versions: format.number(versions),
    findings: format.number(findings),
  });
};

/** Codes' texts stand in the middle of sentences elsewhere. */
const capital = (text: string): string => text.charAt(0).toLocaleUpperCase('is') + text.slice(1);

const secondsBetween = (from: string, to: string): number =>
  Math.max(0, (Date.parse(to) - Date.parse(from)) / 1_000);
