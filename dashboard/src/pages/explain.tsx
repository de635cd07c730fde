import { type FormEvent, useState } from 'react';
import { kennitalaFault, tryKennitala } from '../../../functions/src/domain/kennitala.ts';
import type { ExplainAnswer, TimelineEntry } from '../../../functions/src/ops/schemas.ts';
import { MIRRORS } from '../api.ts';
import { OneMember } from '../decide/one-member.tsx';
import { useOperator } from '../operator.ts';
import { ActionButton, TextField } from '../parts/forms.tsx';
import { useAction } from '../parts/load.ts';
import { Problem, Remedy } from '../parts/problem.tsx';
import { Card, Empty, Notice, Page } from '../parts/ui.tsx';
import { hrefOf } from '../route.ts';
import { type Texts, useTexts } from '../texts/language.tsx';

const PLACES = ['registry', ...MIRRORS] as const;

/** Asks about one person. The kennitala goes in a request's body, never into an address or a history. */
export const ExplainPage = () => {
  const { t, tCode } = useTexts();
  const { api } = useOperator();
  const [kennitala, setKennitala] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const [answer, setAnswer] = useState<{ about: string; found: ExplainAnswer } | null>(null);
  const action = useAction();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAnswer(null);
    if (tryKennitala(kennitala) === null) {
      setFault(tCode('fault', kennitalaFault(kennitala)));
      return;
    }
    setFault(null);
    void action.run(async () => setAnswer({ about: kennitala, found: await api.explain(kennitala) }));
  };
  return (
    <Page title={t('explain')} lead={t('explainText')}>
      <Card>
        <form className="filters" onSubmit={submit}>
          <TextField
            label={t('kennitala')}
            value={kennitala}
            onChange={setKennitala}
            error={fault}
            input={{ required: true, inputMode: 'numeric', autoComplete: 'off' }}
          />
          <ActionButton type="submit" kind="primary" isWorking={action.isWorking}>
            {t('explainDo')}
          </ActionButton>
        </form>
        <p className="small">{t('willBeRecorded')}</p>
      </Card>
      {action.failure !== null && <Problem cause={action.failure} />}
      <div aria-live="polite">{answer !== null && <Explanation answer={answer.found} />}</div>
      {answer !== null && <OneMember key={answer.about} kennitala={answer.about} />}
    </Page>
  );
};

/** What every store says now, why, and what led to it. */
const Explanation = ({ answer }: { answer: ExplainAnswer }) => {
  const { t, tCode } = useTexts();
  return (
    <div className="stack">
      {answer.incomplete.length > 0 && (
        <Notice
          tone="bad"
          isNew
          title={t('incomplete', {
            sources: answer.incomplete.map(({ source }) => tCode('place', source)).join(', '),
          })}
        >
          {answer.incomplete.map(({ source, code }) => (
            <div key={source}>
              <p>
                {tCode('place', source)}: {tCode('error', code)}
              </p>
              <Remedy code={code} />
            </div>
          ))}
        </Notice>
      )}
      <Card title={t('now')}>
        <ul className="places">
          {PLACES.map((place) => {
            const because = answer.because.find(({ mirror }) => mirror === place);
            return (
              <li key={place} className={because?.code === 'equal_to_registry' ? 'good' : ''}>
                <span className="value-name">{t(place)}</span>
                <strong>{tCode('now', answer.now[place].state)}</strong>
                {because !== undefined && <span className="small">{tCode('because', because.code)}</span>}
              </li>
            );
          })}
        </ul>
      </Card>
      <Card title={t('timeline')}>
        {answer.timeline.length === 0 ? (
          <Empty title={t('noTrace')}>{t('noTraceText')}</Empty>
        ) : (
          <ol className="timeline">
            {answer.timeline.map((entry, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: two entries of one moment may say the same, and none ever moves.
              <TimelineItem key={`${entry.at} ${entry.source} ${entry.what} ${index}`} entry={entry} />
            ))}
          </ol>
        )}
      </Card>
    </div>
  );
};

type Detail = TimelineEntry['detail'];

/** One thing that happened, in words, with a link to what there is about it. */
const TimelineItem = ({ entry }: { entry: TimelineEntry }) => {
  const texts = useTexts();
  const { t, tCode, format } = texts;
  const { id, ...facts } = entry.detail;
  const details = Object.entries(facts).flatMap(([name, value]) => {
    // A run that is about everybody says its outcome already.
    if (name === 'outcome' && value === entry.what) return [];
    const text = detailText(name as keyof Detail, value, texts);
    return text === '' ? [] : [`${tCode('detail', name)}: ${text}`];
  });
  return (
    <li className={entry.isPersonal ? '' : 'general'}>
      <time dateTime={entry.at}>{format.time(entry.at)}</time>
      <div>
        <strong>
          {tCode('source', entry.source)}: {tCode('what', entry.what)}
        </strong>{' '}
        {entry.mirror !== null && entry.mirror !== entry.source && t(entry.mirror)}{' '}
        {!entry.isPersonal && `(${t('wholeMirror')})`}{' '}
        {entry.runId !== null && <a href={hrefOf('runs', entry.runId)}>{t('run')}</a>}
        {id !== undefined && entry.source === 'queue' && <a href={hrefOf('queue', id)}>{t('edit')}</a>}
        {id !== undefined && entry.source === 'conflict' && (
          <a href={hrefOf('conflicts', id)}>{t('conflict')}</a>
        )}
        {details.length > 0 && <p className="small">{details.join(' · ')}</p>}
      </div>
    </li>
  );
};

const CODED = {
  trigger: 'trigger',
  outcome: 'outcome',
  errorCode: 'error',
  rules: 'guard',
  origin: 'origin',
  action: 'action',
  status: 'now',
  paths: 'field',
  keep: 'keep',
} as const;

const detailText = (name: keyof Detail, value: unknown, { tCode, format }: Texts): string => {
  if (value === null || value === undefined) return '';
  if (name === 'nextAttemptAt') return format.time(String(value));
  if (name === 'winners') {
    return Object.entries(value)
      .map(([path, winner]) => `${tCode('field', path)}: ${tCode('keep', String(winner))}`)
      .join(', ');
  }
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  const kind = Object.hasOwn(CODED, name) ? CODED[name as keyof typeof CODED] : null;
  return all
    .map((one) => (kind === null ? String(one) : tCode(kind, String(one), { field: '…' })))
    .join(', ');
};
