import type { TimelineEntry } from '../../../functions/src/ops/schemas.ts';
import { type Texts, useTexts } from '../i18n/language.tsx';
import { hrefOf } from '../route.ts';

type Detail = TimelineEntry['detail'];

/** One thing that happened, in words, with a link to what there is about it. */
export const TimelineItem = ({ entry }: { entry: TimelineEntry }) => {
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
    <li class={entry.isPersonal ? '' : 'general'}>
      <time dateTime={entry.at}>{format.time(entry.at)}</time>{' '}
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
      {details.length > 0 && <p class="small">{details.join(' · ')}</p>}
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
