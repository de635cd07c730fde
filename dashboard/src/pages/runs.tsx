import { Menu } from '@base-ui/react/menu';
import { ChevronDown } from 'lucide-react';
import { useState } from 'react';
import type { WireRunRecord } from '../../../functions/src/ops/schemas.ts';
import { MIRRORS, type MirrorName } from '../api.ts';
import { useOperator } from '../operator.ts';
import { SelectField, TextField } from '../parts/forms.tsx';
import { Older, Table } from '../parts/table.tsx';
import { Badge, Card, Empty, Page } from '../parts/ui.tsx';
import { hrefOf } from '../route.ts';
import { type Texts, useTexts } from '../texts/language.tsx';

const OUTCOMES = ['published', 'unchanged', 'blocked', 'partial', 'failed', 'dry-run', 'skipped'];
const DAY_MS = 24 * 3_600_000;

export const RunsPage = () => {
  const texts = useTexts();
  const { t, tCode, format } = texts;
  const { api } = useOperator();
  const [mirror, setMirror] = useState('');
  const [outcome, setOutcome] = useState('');
  const [day, setDay] = useState('');
  const [search, setSearch] = useState('');
  const read = async (before: string | undefined) => {
    const from = day === '' ? undefined : new Date(`${day}T00:00:00Z`);
    const { runs, next } = await api.runs({
      mirror,
      outcome,
      before,
      limit: 25,
      from: from?.toISOString(),
      until: from === undefined ? undefined : new Date(from.getTime() + DAY_MS).toISOString(),
    });
    return { items: runs, next };
  };
  const rowOf = (run: WireRunRecord) => ({
    key: run.runId,
    isQuiet: !isDone(run),
    cells: [
      format.time(run.timestamp),
      <a key="run" href={hrefOf('runs', run.runId)}>
        {titleOf(run, texts)}
      </a>,
      <Badge key="outcome" kind="outcome" code={run.outcome ?? run.status} />,
      changesOf(run, texts),
      isDone(run) ? format.number(run.memberCount) : '–',
    ],
  });
  return (
    <Page
      title={t('runs')}
      actions={
        <>
          <Menu.Root modal={false}>
            <Menu.Trigger className="button primary">
              {t('planShort')} <ChevronDown size={14} aria-hidden="true" />
            </Menu.Trigger>
            <Menu.Portal>
              <Menu.Positioner className="popup-place" sideOffset={4} align="end">
                <Menu.Popup className="popup">
                  {MIRRORS.map((name) => (
                    <Menu.LinkItem key={name} className="option" href={hrefOf('plan', name)} closeOnClick>
                      {t(name)}
                    </Menu.LinkItem>
                  ))}
                </Menu.Popup>
              </Menu.Positioner>
            </Menu.Portal>
          </Menu.Root>
          <a className="button plain" href={hrefOf('record')}>
            {t('recordTitle')}
          </a>
          <a className="button plain" href={hrefOf('rollback')}>
            {t('rollbackTitle')}
          </a>
        </>
      }
    >
      <Card>
        <div className="filters">
          <TextField label={t('search')} value={search} onChange={setSearch} />
          <SelectField
            label={t('mirror')}
            value={mirror}
            onChange={setMirror}
            options={MIRRORS.map((name) => [name, t(name)])}
          />
          <SelectField
            label={t('outcome')}
            value={outcome}
            onChange={setOutcome}
            options={OUTCOMES.map((code) => [code, tCode('outcome', code)])}
          />
          <TextField label={t('day')} value={day} onChange={setDay} input={{ type: 'date' }} />
        </div>
        <Older
          read={read}
          key={`${mirror} ${outcome} ${day}`}
          empty={<Empty title={t('noRuns')}>{t('noRunsText')}</Empty>}
        >
          {(runs) => {
            const found = runs.filter((run) => isLike(run, search, texts));
            return found.length === 0 ? (
              <Empty title={t('nothingFound')}>{t('nothingFoundText')}</Empty>
            ) : (
              <Table
                caption={t('runs')}
                columns={[
                  { head: t('time') },
                  { head: t('run'), isTitle: true },
                  { head: t('outcome') },
                  { head: t('changes'), isNumber: true },
                  { head: t('members'), isNumber: true },
                ]}
                rows={found.map(rowOf)}
              />
            );
          }}
        </Older>
      </Card>
    </Page>
  );
};

const isDone = ({ outcome }: WireRunRecord): boolean =>
  outcome === 'published' || outcome === 'unchanged' || outcome === 'partial';

/** What a person would call it: whose run it was, and how it came about. */
export const titleOf = (run: WireRunRecord, { t }: Pick<Texts, 't'>): string => {
  const name = nameOf(run, t);
  return run.outcome === 'blocked' ? t('titleRefused', { name }) : name;
};

const nameOf = (run: WireRunRecord, t: Texts['t']): string => {
  const mirror = t(run.mirror);
  if (run.rollbackOf !== null) return t(run.outcome === 'dry-run' ? 'titleRollbackPlan' : 'titleRollback');
  if (run.outcome === 'dry-run') return t('titlePlan', { mirror });
  if (run.approvedBy !== null) return t('titleApproved', { mirror });
  if (run.trigger === 'event') return t('titleEvent');
  if (run.trigger !== 'schedule') return t('titleAsked', { mirror });
  return t(SCHEDULED[run.mirror]);
};

const SCHEDULED = {
  roster: 'titleWeekly',
  portal: 'titleNightly',
  register: 'titleHourly',
} as const satisfies Readonly<Record<MirrorName, string>>;

const changesOf = (run: WireRunRecord, { t, format }: Texts): string => {
  const { changes, outcome } = run;
  if (changes === null || outcome === 'skipped') return '–';
  const [added, removed] = [format.number(changes.added), format.number(changes.removed)];
  if (isDone(run)) return `+${added}  −${removed}`;
  const parts = [
    ...(changes.removed > 0 ? [t('wouldRemove', { count: removed })] : []),
    ...(changes.added > 0 ? [t('wouldAdd', { count: added })] : []),
  ];
  return parts.length === 0 ? t('noChange') : parts.join(', ');
};

const isLike = (run: WireRunRecord, search: string, texts: Texts): boolean => {
  const wanted = search.trim().toLowerCase();
  const facts = [
    titleOf(run, texts),
    texts.tCode('outcome', run.outcome ?? run.status),
    run.runId,
    run.approvedBy,
    run.requestedBy,
    run.reason,
    run.errorCode,
  ];
  return wanted === '' || facts.some((text) => text?.toLowerCase().includes(wanted));
};
