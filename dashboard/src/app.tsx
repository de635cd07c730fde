import {
  Activity,
  ArrowLeftRight,
  GitCompareArrows,
  LayoutDashboard,
  LogOut,
  UserSearch,
} from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { makeApi } from './api.ts';
import { type Operator, OperatorContext } from './operator.ts';
import { PageOf } from './pages/page-of.tsx';
import { hrefOf, useRoute } from './route.ts';
import { findSignIn } from './sign-in/find-sign-in.ts';
import type { Session, SignIn } from './sign-in/session.ts';
import { SignInForm } from './sign-in/sign-in-form.tsx';
import { useTexts } from './texts/language.tsx';

/** The frame around the pages, and the sign-in before them. */
export const App = () => {
  const { t } = useTexts();
  const route = useRoute();
  const [signIn, setSignIn] = useState<SignIn | 'failed' | null>(null);
  const [session, setSession] = useState<Session | null>(null);

  useEffect(() => {
    const open = async () => {
      const found = await findSignIn();
      setSession(await found.restore());
      setSignIn(found);
    };
    open().catch(() => setSignIn('failed'));
  }, []);

  const operator = useMemo<Operator | null>(() => {
    if (session === null || signIn === null || signIn === 'failed') return null;
    return {
      api: makeApi(() => session.idToken()),
      name: session.name,
      projectId: signIn.projectId,
      isLocal: signIn.kind === 'development',
    };
  }, [session, signIn]);

  const signOut = async () => {
    await session?.signOut();
    setSession(null);
  };

  return (
    <div className={operator === null ? 'frame' : 'frame signed-in'}>
      <button
        type="button"
        className="skip button primary"
        onClick={() => document.querySelector<HTMLElement>('h1')?.focus()}
      >
        {t('skip')}
      </button>
      <Top operator={operator} onSignOut={signOut} />
      {operator !== null && <Pages here={route[0] ?? 'overview'} />}
      <main>
        {operator !== null ? (
          <OperatorContext.Provider value={operator}>
            <PageOf route={route} key={route.join('/')} />
          </OperatorContext.Provider>
        ) : signIn === 'failed' ? (
          <p role="alert">{t('noSignIn')}</p>
        ) : signIn === null ? (
          <p role="status">{t('loading')}</p>
        ) : (
          <SignInForm signIn={signIn} onSession={setSession} />
        )}
      </main>
    </div>
  );
};

const Top = ({ operator, onSignOut }: { operator: Operator | null; onSignOut: () => void }) => {
  const { t, language, setLanguage } = useTexts();
  const other = language === 'is' ? 'en' : 'is';
  return (
    <header className="top">
      <a className="brand" href={hrefOf()}>
        <span className="brand-mark" aria-hidden="true" />
        {t('title')}
      </a>
      {operator?.isLocal === true && <span className="badge warn">{t('localStack')}</span>}
      <div className="top-end">
        {operator !== null && <span className="who">{operator.name}</span>}
        <button type="button" className="button quiet" lang={other} onClick={() => setLanguage(other)}>
          <span className="wide">{t('language')}</span>
          <span className="narrow" aria-hidden="true">
            {other.toUpperCase()}
          </span>
        </button>
        {operator !== null && (
          <button type="button" className="button quiet" aria-label={t('signOut')} onClick={onSignOut}>
            <LogOut size={16} aria-hidden="true" />
          </button>
        )}
      </div>
    </header>
  );
};

const PAGES = [
  ['overview', LayoutDashboard],
  ['runs', Activity],
  ['queue', ArrowLeftRight],
  ['conflicts', GitCompareArrows],
  ['explain', UserSearch],
] as const;

const Pages = ({ here }: { here: string }) => {
  const { t } = useTexts();
  return (
    <nav aria-label={t('nav')}>
      <ul>
        {PAGES.map(([page, Icon]) => (
          <li key={page}>
            <a
              href={hrefOf(...(page === 'overview' ? [] : [page]))}
              aria-current={page === here ? 'page' : undefined}
            >
              <Icon size={18} aria-hidden="true" />
              {t(page)}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
};
