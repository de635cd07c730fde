import { useState } from 'preact/hooks';
import type { WireRunRecord } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';
import { useOperator } from '../operator.ts';
import { type Approval, ApproveForm } from '../parts/approve-form.tsx';
import { Badge } from '../parts/badge.tsx';
import { Facts } from '../parts/facts.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Page } from '../parts/page.tsx';
import { PlanView } from '../parts/plan-view.tsx';
import { RunChangesView } from '../parts/run-changes-view.tsx';
import { RunbookSection } from '../parts/runbook-section.tsx';
import { useLoad } from '../parts/use-load.ts';
import { hrefOf } from '../route.ts';

export const RunPage = ({ runId }: { runId: string }) => {
  const { t } = useTexts();
  const { api } = useOperator();
  const found = useLoad(() => api.run(runId));
  return (
    <Page title={`${t('run')} ${runId}`}>
      <Loaded of={found}>{({ run }) => <RunView run={run} />}</Loaded>
    </Page>
  );
};

const RunView = ({ run }: { run: WireRunRecord }) => {
  const { t, tCode, format } = useTexts();
  const { api, projectId, isLocal } = useOperator();
  const [approvedRun, setApprovedRun] = useState<WireRunRecord | null>(null);
  const { planId, mirror, rollbackOf } = run;
  const approve = async (approval: Approval) => {
    const started =
      rollbackOf === null
        ? await api.startRun({ mirror, approve: approval })
        : await api.rollback({ generation: rollbackOf, approve: approval });
    setApprovedRun(started.run);
  };
  return (
    <>
      <div class="card">
        <Facts
          of={[
            [t('outcome'), <Badge key="outcome" kind="outcome" code={run.outcome ?? run.status} />],
            [t('mirror'), t(mirror)],
            [t('time'), format.time(run.timestamp)],
            [t('duration'), format.duration(run.durationMs)],
            [t('members'), format.number(run.memberCount)],
            [t('trigger'), tCode('trigger', run.trigger)],
            [t('requestedBy'), run.requestedBy],
            [t('approvedBy'), run.approvedBy],
            [t('reason'), run.reason],
            [t('rollbackOf'), rollbackOf],
            [t('version'), run.objectGeneration],
            [t('error'), run.errorCode === null ? null : tCode('error', run.errorCode)],
            [
              t('code'),
              run.errorCode === null ? null : <RunErrorCode code={run.errorCode} text={run.error} />,
            ],
            [t('warnings'), run.warnings.length === 0 ? null : <Warnings of={run.warnings} />],
          ]}
        />
        {!isLocal && (
          <a href={logUrl(projectId, run)} target="_blank" rel="noopener noreferrer">
            {t('log')}
          </a>
        )}
      </div>
      <PlanView run={run} />
      {run.outcome === 'blocked' && planId !== null && approvedRun === null && (
        <ApproveForm planId={planId} approve={approve} />
      )}
      {approvedRun !== null && (
        <p role="status" class="notice">
          {t('done', { outcome: tCode('outcome', approvedRun.outcome ?? approvedRun.status) })}{' '}
          <a href={hrefOf('runs', approvedRun.runId)}>{t('doneLink')}</a>
        </p>
      )}
      {run.outcome === 'published' && <RunChangesView runId={run.runId} />}
    </>
  );
};

const RunErrorCode = ({ code, text }: { code: string; text: string | null }) => (
  <>
    <code>{code}</code>
    <RunbookSection code={code} />
    {text !== null && (
      <p class="small" lang="en">
        {text}
      </p>
    )}
  </>
);

const Warnings = ({ of: warnings }: { of: WireRunRecord['warnings'] }) => {
  const { tCode } = useTexts();
  return (
    <ul>
      {warnings.map(({ code, message }) => (
        <li key={code}>
          {tCode('warning', code)}
          <p class="small" lang="en">
            {message}
          </p>
        </li>
      ))}
    </ul>
  );
};

/** The run's lines in Cloud Logging; every one of them carries the run's id. */
const logUrl = (projectId: string, { runId, timestamp }: WireRunRecord): string => {
  const query = encodeURIComponent(`jsonPayload.runId="${runId}"`);
  return `https://console.cloud.google.com/logs/query;query=${query};cursorTimestamp=${timestamp}?project=${encodeURIComponent(projectId)}`;
};
