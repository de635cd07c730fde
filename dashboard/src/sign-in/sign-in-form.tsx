import { type FormEvent, useState } from 'react';
import { ActionButton, TextField } from '../parts/forms.tsx';
import { Card, Notice, Page } from '../parts/ui.tsx';
import { useTexts } from '../texts/language.tsx';
import type { Session, SignIn } from './session.ts';

const DEVELOPMENT_EMAIL = 'operator@example.is';

export const SignInForm = (props: { signIn: SignIn; onSession: (session: Session) => void }) => {
  const { t } = useTexts();
  const isDevelopment = props.signIn.kind === 'development';
  const [email, setEmail] = useState(isDevelopment ? DEVELOPMENT_EMAIL : '');
  const [password, setPassword] = useState('');
  const [state, setState] = useState<'open' | 'working' | 'failed'>('open');

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setState('working');
    try {
      props.onSession(await props.signIn.signIn(email, password));
    } catch {
      setState('failed');
    }
  };

  return (
    <div className="sign-in">
      <Page title={t(isDevelopment ? 'developmentSignIn' : 'signIn')}>
        <Card>
          <form onSubmit={submit} className="stack">
            {isDevelopment && <Notice tone="warn">{t('developmentNotice')}</Notice>}
            <TextField
              label={t('email')}
              value={email}
              onChange={setEmail}
              input={{ type: 'email', required: true, autoComplete: 'username' }}
            />
            {!isDevelopment && (
              <TextField
                label={t('password')}
                value={password}
                onChange={setPassword}
                input={{ type: 'password', required: true, autoComplete: 'current-password' }}
              />
            )}
            <ActionButton type="submit" kind="primary" isWorking={state === 'working'}>
              {t('signIn')}
            </ActionButton>
            {state === 'failed' && <p role="alert">{t('signInFailed')}</p>}
          </form>
        </Card>
      </Page>
    </div>
  );
};
