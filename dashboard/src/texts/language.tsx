import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import type { Language } from './format.ts';
import { makeWords, type Words } from './words.ts';

export interface Texts extends Words {
  readonly setLanguage: (language: Language) => void;
}

const KEPT = 'language';
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
    document.title = makeWords(language).t('title');
    localStorage.setItem(KEPT, language);
  }, [language]);
  const texts = useMemo<Texts>(() => ({ ...makeWords(language), setLanguage }), [language]);
  return <Context.Provider value={texts}>{children}</Context.Provider>;
};

const firstLanguage = (): Language => {
  const kept = localStorage.getItem(KEPT);
  if (kept === 'is' || kept === 'en') return kept;
  return navigator.language.startsWith('is') ? 'is' : 'en';
};
