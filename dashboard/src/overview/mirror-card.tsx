import type { MirrorStatus } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';
import { useOperator } from '../operator.ts';
import { Badge } from '../parts/badge.tsx';
import { Facts } from '../parts/facts.tsx';
import { ReasonForm } from '../parts/reason-form.tsx';
import { hrefOf } from '../route.ts';

export const MirrorCard = ({ mirror: status, onChange }: { mirror: MirrorStatus; onChange: () => void }) => {
  const { t, tCode, format } = useTexts();
  const { api } = useOperator();
  const { mirror, healthy, why, lastRun, lastSuccess, paused } = status;
  const isPaused = paused !== null;
  const act = async (reason: string) => {
    await (isPaused ? api.resume(mirror, reason) : api.pause(mirror, reason));
    onChange();
  };
  return (
    <section class={`card ${healthy === false ? 'bad' : ''}`} aria-labelledby={`mirror-${mirror}`}>
      <h2 id={`mirror-${mirror}`}>{t(mirror)}</h2>
      {healthy === null ? (
        <p>{t('notConfigured')}</p>
      ) : (
        <>
          <Facts
            of={[
              [t('state'), healthy ? t('healthy') : why.map((reason) => tCode('why', reason)).join(', ')],
              [t('members'), format.number(status.members)],
              [t('lastSuccess'), lastSuccess === null ? t('never') : format.time(lastSuccess.at)],
              [
                t('lastRun'),
                lastRun === null ? (
                  t('never')
                ) : (
                  <>
                    <a href={hrefOf('runs', lastRun.runId)}>{format.time(lastRun.at)}</a>{' '}
                    <Badge kind="outcome" code={lastRun.outcome} />
                  </>
                ),
              ],
              [t('run'), status.running === null ? null : t('runningNow')],
            ]}
          />
          {paused !== null && (
            <p class="notice">
              {t('pausedBy', { since: format.time(paused.since), by: paused.by, reason: paused.reason })}
            </p>
          )}
          <p>
            <a href={hrefOf('plan', mirror)}>{t('planOf', { mirror: t(mirror) })}</a>
          </p>
          <details key={String(isPaused)}>
            <summary>{t(isPaused ? 'resumeOf' : 'pauseOf', { mirror: t(mirror) })}</summary>
            <ReasonForm
              label={t(isPaused ? 'resume' : 'pause')}
              title={t(isPaused ? 'resumeOf' : 'pauseOf', { mirror: t(mirror) })}
              act={act}
            />
          </details>
        </>
      )}
    </section>
  );
};
