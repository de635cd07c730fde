import { ApiProblem } from '../api/problem.ts';
import { useTexts } from '../i18n/language.tsx';
import { RunbookSection } from './runbook-section.tsx';

/** What went wrong, in the reader's language and in the server's own words, with the reference by which the log knows it. */
export const Problem = ({ cause }: { cause: unknown }) => {
  const { t, tCode } = useTexts();
  const problem = cause instanceof ApiProblem ? cause : null;
  return (
    <div role="alert" class="problem">
      <strong>
        {t('failed')}
        {problem !== null && `: ${tCode('error', problem.code)}`}
      </strong>
      {problem !== null && (
        <>
          {problem.message !== '' && <p lang="en">{problem.message}</p>}
          <p class="small">
            {t('code')} <code>{problem.code}</code>
            {problem.requestId !== null && (
              <>
                {' · '}
                {t('reference')} <code>{problem.requestId}</code>
              </>
            )}
            <RunbookSection code={problem.code} />
          </p>
        </>
      )}
    </div>
  );
};
