import { useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.tsx';
import { useOperator } from '../operator.ts';
import { Problem } from './problem.tsx';
import { useAction } from './use-action.ts';

export interface Approval {
  readonly planId: string;
  readonly operator: string;
  readonly reason: string;
}

/** Approving one refused plan, by name and with a reason. */
export const ApproveForm = (props: { planId: string; approve: (approval: Approval) => Promise<void> }) => {
  const { t } = useTexts();
  const { name } = useOperator();
  const [operator, setOperator] = useState(name);
  const [reason, setReason] = useState('');
  const action = useAction();
  const submit = (event: Event) => {
    event.preventDefault();
    return action.run(() => props.approve({ planId: props.planId, operator, reason }));
  };
  return (
    <form class="card" onSubmit={submit} aria-label={t('approve')}>
      <p>{t('approveText')}</p>
      <p class="small">
        {t('planId')} <code class="wrap">{props.planId}</code>
      </p>
      <label>
        {t('operator')}
        <input
          required
          maxLength={100}
          value={operator}
          onInput={(e) => setOperator(e.currentTarget.value)}
        />
      </label>
      <label>
        {t('reason')}
        <input required maxLength={500} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
      </label>
      <button type="submit" class="danger" disabled={action.isWorking}>
        {action.isWorking ? t('planning') : t('approve')}
      </button>
      {action.failure !== null && <Problem cause={action.failure} />}
    </form>
  );
};
