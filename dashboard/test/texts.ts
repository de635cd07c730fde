import type { CodeKind } from '../src/texts/code-kinds.ts';
import { codesEn } from '../src/texts/codes-en.ts';
import { codesIs } from '../src/texts/codes-is.ts';
import { en, type TextKey } from '../src/texts/en.ts';
import type { Language } from '../src/texts/format.ts';
import { is } from '../src/texts/is.ts';

/** The page's own texts, by which a test finds things as a person does. */
export const textsOf =
  (language: Language) =>
  (key: TextKey, fill: Readonly<Record<string, string>> = {}): string => {
    const text: string = (language === 'is' ? is : en)[key];
    return text.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => fill[name] ?? '');
  };

export const codesOf =
  (language: Language) =>
  (kind: CodeKind, code: string): string => {
    const texts: Readonly<Record<string, string>> = (language === 'is' ? codesIs : codesEn)[kind];
    const text = texts[code];
    if (text === undefined) throw new Error(`${kind} ${code} has no text in ${language}`);
    return text;
  };
