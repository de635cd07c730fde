import { useEffect, useMemo, useState } from 'preact/hooks';
import { makeApi } from './api/client.ts';
import { findSignIn, type Session, type SignIn } from './auth/session.ts';
import { SignInForm } from './auth/sign-in-form.tsx';
import { useTexts } from './i18n/language.tsx';
import { type Operator, OperatorContext } from './operator.ts';
import { PageOf } from './pages/page-of.tsx';
import { Header } from './parts/header.tsx';
import { useRoute } from './route.ts';

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
    <>
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>('h1')?.focus()}>
        {t('skip')}
      </button>
      <Header route={route} operator={operator} onSignOut={signOut} />
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
    </>
  );
};
