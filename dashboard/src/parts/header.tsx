import { useTexts } from '../i18n/language.tsx';
import type { Operator } from '../operator.ts';
import { hrefOf } from '../route.ts';

const PAGES = ['overview', 'runs', 'queue', 'conflicts', 'explain'] as const;

export const Header = (props: {
  route: readonly string[];
  operator: Operator | null;
  onSignOut: () => void;
}) => {
  const { t, language, setLanguage } = useTexts();
  const here = props.route[0] ?? 'overview';
  const other = language === 'is' ? 'en' : 'is';
  return (
    <header>
      <div class="bar">
        <strong class="name">{t('title')}</strong>
        {props.operator?.isLocal === true && <span class="badge warn">{t('developmentSignIn')}</span>}
        <span class="who">{props.operator?.name}</span>
        <button type="button" lang={other} onClick={() => setLanguage(other)}>
          {t('language')}
        </button>
        {props.operator !== null && (
          <button type="button" onClick={props.onSignOut}>
            {t('signOut')}
          </button>
        )}
      </div>
      {props.operator !== null && (
        <nav aria-label={t('nav')}>
          <ul>
            {PAGES.map((page) => (
              <li key={page}>
                <a
                  href={hrefOf(...(page === 'overview' ? [] : [page]))}
                  aria-current={page === here ? 'page' : undefined}
                >
                  {t(page)}
                </a>
              </li>
            ))}
          </ul>
        </nav>
      )}
    </header>
  );
};
