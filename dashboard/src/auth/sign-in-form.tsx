import { useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.tsx';
import { Page } from '../parts/page.tsx';
import type { Session, SignIn } from './session.ts';

const DEVELOPMENT_EMAIL = 'operator@example.is';

export const SignInForm = (props: { signIn: SignIn; onSession: (session: Session) => void }) => {
  const { t } = useTexts();
  const isDevelopment = props.signIn.kind === 'development';
  const [email, setEmail] = useState(isDevelopment ? DEVELOPMENT_EMAIL : '');
  const [password, setPassword] = useState('');
  const [state, setState] = useState<'open' | 'working' | 'failed'>('open');

  const submit = async (event: Event) => {
    event.preventDefault();
    setState('working');
    try {
      props.onSession(await props.signIn.signIn(email, password));
    } catch {
      setState('failed');
    }
  };

  return (
    <Page title={t(isDevelopment ? 'developmentSignIn' : 'signIn')}>
      <form class="card narrow" onSubmit={submit}>
        {isDevelopment && <p class="notice">{t('developmentNotice')}</p>}
        <label>
          {t('email')}
          <input
            type="email"
            required
            autocomplete="username"
            value={email}
            onInput={(event) => setEmail(event.currentTarget.value)}
          />
        </label>
        {!isDevelopment && (
          <label>
            {t('password')}
            <input
              type="password"
              required
              autocomplete="current-password"
              value={password}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          </label>
        )}
        <button type="submit" class="primary" disabled={state === 'working'}>
          {t('signIn')}
        </button>
        {state === 'failed' && <p role="alert">{t('signInFailed')}</p>}
      </form>
    </Page>
  );
};
