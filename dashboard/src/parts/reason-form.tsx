import { useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './use-action.ts';

/** Asks for a reason in words, and only then does the thing. */
export const ReasonForm = (props: {
  label: string;
  title?: string;
  isDanger?: boolean;
  act: (reason: string) => Promise<void>;
}) => {
  const { t } = useTexts();
  const [reason, setReason] = useState('');
  const action = useAction();
  const submit = (event: Event) => {
    event.preventDefault();
    return action.run(async () => {
      await props.act(reason);
      setReason('');
    });
  };
  return (
    <form class="row" onSubmit={submit} aria-label={props.title ?? props.label}>
      <label>
        {t('reason')}
        <input required maxLength={500} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
      </label>
      <button type="submit" class={props.isDanger === true ? 'danger' : ''} disabled={action.isWorking}>
        {action.isWorking ? t('planning') : props.label}
      </button>
      {action.failure !== null && <Problem cause={action.failure} />}
    </form>
  );
};
