import { ApiProblem } from '../api/problem.ts';
import { useTexts } from '../i18n/language.tsx';

/** What went wrong, with the reference by which the log knows it. */
export const Problem = ({ cause }: { cause: unknown }) => {
  const { t } = useTexts();
  const problem = cause instanceof ApiProblem ? cause : null;
  const known = { gave_up: 'gaveUp', no_answer: 'noAnswer', forbidden: 'forbidden' } as const;
  const code = problem?.code ?? '';
  const text = code in known ? t(known[code as keyof typeof known]) : problem?.message;
  return (
    <div role="alert" class="problem">
      <strong>{t('failed')}</strong>
      {text !== undefined && text !== '' && <p>{text}</p>}
      {problem !== null && (
        <p class="small">
          {t('code')} <code>{problem.code}</code>
          {problem.requestId !== null && (
            <>
              {' · '}
              {t('reference')} <code>{problem.requestId}</code>
            </>
          )}
        </p>
      )}
    </div>
  );
};
