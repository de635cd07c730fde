import { useState } from 'preact/hooks';
import type { WireRunRecord } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';
import { useOperator } from '../operator.ts';
import { Badge } from '../parts/badge.tsx';
import { Older } from '../parts/older.tsx';
import { Page } from '../parts/page.tsx';
import { Select } from '../parts/select.tsx';
import { Table } from '../parts/table.tsx';
import { hrefOf } from '../route.ts';

const MIRRORS = ['roster', 'portal', 'register'] as const;
const OUTCOMES = ['published', 'unchanged', 'blocked', 'partial', 'failed', 'dry-run', 'skipped'];

export const RunsPage = () => {
  const { t, tCode, format } = useTexts();
  const { api } = useOperator();
  const [mirror, setMirror] = useState('');
  const [outcome, setOutcome] = useState('');
  const read = async (before: string | undefined) => {
    const { runs, next } = await api.runs({ mirror, outcome, limit: 25, before });
    return { items: runs, next };
  };
  const rowOf = (run: WireRunRecord) => ({
    key: run.runId,
    cells: [
      <a key="run" href={hrefOf('runs', run.runId)}>
        {format.time(run.timestamp)}
      </a>,
      t(run.mirror),
      <Badge key="outcome" kind="outcome" code={run.outcome ?? run.status} />,
      tCode('trigger', run.trigger),
      format.number(run.memberCount),
      format.number(run.changes?.added),
      format.number(run.changes?.removed),
      format.number(run.changes?.updated),
    ],
  });
  return (
    <Page title={t('runs')}>
      <ul class="links">
        {MIRRORS.map((name) => (
          <li key={name}>
            <a href={hrefOf('plan', name)}>{t('planOf', { mirror: t(name) })}</a>
          </li>
        ))}
        <li>
          <a href={hrefOf('rollback')}>{t('rollbackTitle')}</a>
        </li>
      </ul>
      <div class="row">
        <Select
          label={t('mirror')}
          value={mirror}
          onChange={setMirror}
          options={MIRRORS.map((name) => [name, t(name)])}
        />
        <Select
          label={t('outcome')}
          value={outcome}
          onChange={setOutcome}
          options={OUTCOMES.map((code) => [code, tCode('outcome', code)])}
        />
      </div>
      <Older read={read} key={`${mirror} ${outcome}`}>
        {(runs) => (
          <Table
            caption={t('runs')}
            columns={[
              t('time'),
              t('mirror'),
              t('outcome'),
              t('trigger'),
              t('members'),
              t('added'),
              t('removed'),
              t('updated'),
            ]}
            rows={runs.map(rowOf)}
          />
        )}
      </Older>
    </Page>
  );
};
