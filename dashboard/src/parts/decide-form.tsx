import { useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './use-action.ts';
import { parseTyped } from './value.ts';

export type Decision =
  | { readonly keep: 'portal' | 'registry' }
  | { readonly keep: 'value'; readonly value: ReturnType<typeof JSON.parse> };

const CHOICES = [
  ['portal', 'keepPortal'],
  ['registry', 'keepRegistry'],
  ['value', 'keepOther'],
] as const;

/** One field of a conflict: ours, theirs or another value. */
export const DecideForm = (props: {
  path: string;
  /** The values in dispute: another one is of their kind. */
  like: readonly unknown[];
  decide: (decision: Decision) => Promise<void>;
}) => {
  const { t, tCode } = useTexts();
  const [keep, setKeep] = useState<Decision['keep'] | null>(null);
  const [typed, setTyped] = useState('');
  const action = useAction();
  const submit = (event: Event) => {
    event.preventDefault();
    if (keep === null) return;
    return action.run(() =>
      props.decide(keep === 'value' ? { keep, value: parseTyped(typed, props.like) } : { keep }),
    );
  };
  return (
    <form onSubmit={submit}>
      <fieldset>
        <legend>
          {t('decide')}: {tCode('field', props.path)}
        </legend>
        {CHOICES.map(([choice, text]) => (
          <label key={choice} class="choice">
            <input
              type="radio"
              name={`keep-${props.path}`}
              required
              checked={keep === choice}
              onChange={() => setKeep(choice)}
            />
            {t(text)}
          </label>
        ))}
        {keep === 'value' && (
          <label>
            {t('wanted')}
            <input required value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
          </label>
        )}
      </fieldset>
      <button type="submit" class="primary" disabled={action.isWorking}>
        {action.isWorking ? t('planning') : t('decide')}
      </button>
      {action.failure !== null && <Problem cause={action.failure} />}
    </form>
  );
};
