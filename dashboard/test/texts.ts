import { en, type TextKey } from '../src/i18n/en.ts';
import { is } from '../src/i18n/is.ts';
import type { Language } from '../src/i18n/language.tsx';

/** The page's own texts, by which a test finds things as a person does. */
export const textsOf =
  (language: Language) =>
  (key: TextKey, fill: Readonly<Record<string, string>> = {}): string => {
    const text: string = (language === 'is' ? is : en)[key];
    return text.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => fill[name] ?? '');
  };
