import type { WireRunRecord } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';
import { Table } from './table.tsx';

/** What a plan would do, beside what is there today; both are counted from the plan's own differences. */
export const PlanView = ({ run, costUsd }: { run: WireRunRecord; costUsd?: number | undefined }) => {
  const { t, format } = useTexts();
  const { changes } = run;
  if (changes === null) return null;
  const kept = changes.unchanged + changes.updated;
  const row = (name: string, today: number | null, after: number) => ({
    key: name,
    cells: [name, format.number(today), format.number(after)],
  });
  return (
    <>
      <Table
        caption={t('comparison')}
        columns={[t('count'), t('today'), t('afterwards')]}
        rows={[
          row(t('members'), kept + changes.removed, kept + changes.added),
          row(t('added'), null, changes.added),
          row(t('removed'), null, changes.removed),
          row(t('updated'), null, changes.updated),
          row(t('quarantined'), null, changes.quarantined),
        ]}
      />
      {costUsd !== undefined && <p class="small">{t('cost', { cost: format.roughly(costUsd) })}</p>}
      <GuardView run={run} />
    </>
  );
};

export const GuardView = ({ run }: { run: WireRunRecord }) => {
  const { t, tCode, format } = useTexts();
  if (run.guard?.tripped !== true) return null;
  return (
    <div class="problem">
      <strong>{t('guardRefused')}</strong>
      <ul>
        {run.guard.findings.map(({ rule, field, count, allowed }) => (
          <li key={`${rule}.${field}`}>
            {t('guardFinding', {
              what: tCode('guard', rule, { field: tCode('field', field ?? '') }),
              count: format.number(count),
              allowed: format.number(allowed),
            })}
          </li>
        ))}
      </ul>
    </div>
  );
};
