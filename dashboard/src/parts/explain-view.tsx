import type { ExplainAnswer, TimelineEntry } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';
import { hrefOf } from '../route.ts';
import { Facts } from './facts.tsx';
import { toText } from './value.ts';

const PLACES = ['registry', 'roster', 'portal', 'register'] as const;

/** What every store says now, why, and what led to it. */
export const ExplainView = ({ answer }: { answer: ExplainAnswer }) => {
  const { t, tCode } = useTexts();
  return (
    <>
      {answer.incomplete.length > 0 && (
        <p class="problem" role="alert">
          {t('incomplete', { sources: answer.incomplete.map(({ source }) => source).join(', ') })}
        </p>
      )}
      <section class="card" aria-labelledby="now">
        <h2 id="now">{t('now')}</h2>
        <Facts of={PLACES.map((place) => [t(place), <code key={place}>{answer.now[place].state}</code>])} />
      </section>
      <section class="card" aria-labelledby="because">
        <h2 id="because">{t('because')}</h2>
        <Facts of={answer.because.map(({ mirror, code }) => [t(mirror), tCode('because', code)])} />
      </section>
      <section class="card" aria-labelledby="timeline">
        <h2 id="timeline">{t('timeline')}</h2>
        {answer.timeline.length === 0 && <p>{t('none')}</p>}
        <ol class="timeline">
          {answer.timeline.map((entry) => (
            <Entry key={`${entry.at} ${entry.source} ${entry.what} ${entry.runId}`} entry={entry} />
          ))}
        </ol>
      </section>
    </>
  );
};

const Entry = ({ entry }: { entry: TimelineEntry }) => {
  const { t, format } = useTexts();
  const detail = Object.entries(entry.detail).filter(([, value]) => value !== null);
  return (
    <li class={entry.isPersonal ? '' : 'general'}>
      <time dateTime={entry.at}>{format.time(entry.at)}</time>{' '}
      <strong>
        {entry.source} {entry.what}
      </strong>{' '}
      {entry.mirror !== null && t(entry.mirror)} {!entry.isPersonal && `(${t('wholeMirror')})`}{' '}
      {entry.runId !== null && <a href={hrefOf('runs', entry.runId)}>{t('run')}</a>}
      {detail.length > 0 && (
        <p class="small">{detail.map(([name, value]) => `${name}: ${toText(value)}`).join(' · ')}</p>
      )}
    </li>
  );
};
