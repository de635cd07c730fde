import { useState } from 'preact/hooks';
import type { ExplainAnswer } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';
import { useOperator } from '../operator.ts';
import { ExplainView } from '../parts/explain-view.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { useAction } from '../parts/use-action.ts';

/** Asks about one person. The kennitala goes in a request's body, never into an address or a history. */
export const ExplainPage = () => {
  const { t } = useTexts();
  const { api } = useOperator();
  const [kennitala, setKennitala] = useState('');
  const [answer, setAnswer] = useState<ExplainAnswer | null>(null);
  const action = useAction();
  const submit = (event: Event) => {
    event.preventDefault();
    return action.run(async () => {
      setAnswer(null);
      setAnswer(await api.explain(kennitala));
    });
  };
  return (
    <Page title={t('explain')}>
      <p>{t('explainText')}</p>
      <form class="row" onSubmit={submit}>
        <label>
          {t('kennitala')}
          <input
            required
            inputMode="numeric"
            autocomplete="off"
            pattern="[0-9]{6}-?[0-9]{4}"
            value={kennitala}
            onInput={(event) => setKennitala(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={action.isWorking}>
          {action.isWorking ? t('planning') : t('explainDo')}
        </button>
      </form>
      {action.failure !== null && <Problem cause={action.failure} />}
      <div aria-live="polite">{answer !== null && <ExplainView answer={answer} />}</div>
    </Page>
  );
};
