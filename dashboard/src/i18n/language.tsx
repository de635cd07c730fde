import { type ComponentChildren, createContext } from 'preact';
import { useContext, useEffect, useMemo, useState } from 'preact/hooks';
import { en, type TextKey } from './en.ts';
import { type Format, makeFormat } from './format.ts';
import { is } from './is.ts';

export type Language = 'is' | 'en';
type Fill = Readonly<Record<string, string | number>>;

export interface Texts {
  readonly language: Language;
  readonly setLanguage: (language: Language) => void;
  readonly t: (key: TextKey, fill?: Fill) => string;
  /** A code's text, or the code itself: the API may know a code that this page does not know yet. */
  readonly tCode: (kind: string, code: string, fill?: Fill) => string;
  readonly format: Format;
}

const KEPT = 'language';
const TEXTS = { is, en };
const Context = createContext<Texts | null>(null);

export const useTexts = (): Texts => {
  const texts = useContext(Context);
  if (texts === null) throw new Error('useTexts outside of LanguageProvider');
  return texts;
};

export const LanguageProvider = ({ children }: { children: ComponentChildren }) => {
  const [language, setLanguage] = useState<Language>(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = TEXTS[language].title;
    localStorage.setItem(KEPT, language);
  }, [language]);
  const texts = useMemo<Texts>(() => {
    const known: Readonly<Record<string, string>> = TEXTS[language];
    return {
      language,
      setLanguage,
      t: (key, fill) => filled(known[key] ?? key, fill),
      tCode: (kind, code, fill) => filled(known[`${kind}.${code}`] ?? code, fill),
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
