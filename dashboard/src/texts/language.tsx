import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import type { CodeKind } from './code-kinds.ts';
import { codesEn } from './codes-en.ts';
import { codesIs } from './codes-is.ts';
import { en, type TextKey } from './en.ts';
import { type Format, type Language, makeFormat } from './format.ts';
import { is } from './is.ts';

type Fill = Readonly<Record<string, string | number>>;

export interface Texts {
  readonly language: Language;
  readonly setLanguage: (language: Language) => void;
  readonly t: (key: TextKey, fill?: Fill) => string;
  /** A code's text, or the code itself: the API may know a code that this page does not know yet. */
  readonly tCode: (kind: CodeKind, code: string, fill?: Fill) => string;
  readonly format: Format;
}

const KEPT = 'language';
const TEXTS = { is, en };
const CODES = { is: codesIs, en: codesEn };
const Context = createContext<Texts | null>(null);

export const useTexts = (): Texts => {
  const texts = useContext(Context);
  if (texts === null) throw new Error('useTexts outside of LanguageProvider');
  return texts;
};

export const LanguageProvider = ({ children }: { children: ReactNode }) => {
  const [language, setLanguage] = useState<Language>(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = TEXTS[language].title;
    localStorage.setItem(KEPT, language);
  }, [language]);
  const texts = useMemo<Texts>(() => {
    const known: Readonly<Record<string, string>> = TEXTS[language];
    const codes: Readonly<Record<CodeKind, Readonly<Record<string, string>>>> = CODES[language];
    return {
      language,
      setLanguage,
      t: (key, fill) => filled(known[key] ?? key, fill),
      tCode: (kind, code, fill) => filled(codes[kind][code] ?? code, fill),
      format: makeFormat(language),
    };
  }, [language]);
  return <Context.Provider value={texts}>{children}</Context.Provider>;
};

const firstLanguage = (): Language => {
  const kept = localStorage.getItem(KEPT);
  if (kept === 'is' || kept === 'en') return kept;
  return navigator.language.startsWith('is') ? 'is' : 'en';
};

const filled = (text: string, fill: Fill = {}): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(fill[name] ?? whole));
