import type { ExplainAnswer } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';
import { Facts } from './facts.tsx';
import { TimelineItem } from './timeline-item.tsx';

const PLACES = ['registry', 'roster', 'portal', 'register'] as const;

/** What every store says now, why, and what led to it. */
export const ExplainView = ({ answer }: { answer: ExplainAnswer }) => {
  const { t, tCode } = useTexts();
  return (
    <>
      {answer.incomplete.length > 0 && (
        <div class="problem" role="alert">
          <p>
            {t('incomplete', {
              sources: answer.incomplete.map(({ source }) => tCode('place', source)).join(', '),
            })}
          </p>
          <ul>
            {answer.incomplete.map(({ source, code }) => (
              <li key={source}>
                {tCode('place', source)}: {tCode('error', code)} <code>{code}</code>
              </li>
            ))}
          </ul>
        </div>
      )}
      <section class="card" aria-labelledby="now">
        <h2 id="now">{t('now')}</h2>
        <Facts of={PLACES.map((place) => [t(place), tCode('now', answer.now[place].state)])} />
      </section>
      <section class="card" aria-labelledby="because">
        <h2 id="because">{t('because')}</h2>
        <Facts of={answer.because.map(({ mirror, code }) => [t(mirror), tCode('because', code)])} />
      </section>
      <section class="card" aria-labelledby="timeline">
        <h2 id="timeline">{t('timeline')}</h2>
        {answer.timeline.length === 0 && <p>{t('none')}</p>}
        <ol class="timeline">
          {answer.timeline.map((entry, index) => (
            <TimelineItem key={`${entry.at} ${entry.source} ${entry.what} ${index}`} entry={entry} />
          ))}
        </ol>
      </section>
    </>
  );
};
