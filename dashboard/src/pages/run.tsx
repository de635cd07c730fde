import { useState } from 'react';
import type { RunAnswer, WireRunRecord } from '../../../functions/src/ops/schemas.ts';
import { BeforeAfter } from '../decide/before-after.tsx';
import { People } from '../decide/people.tsx';
import { type Approval, TwoPaths } from '../decide/two-paths.tsx';
import { useOperator } from '../operator.ts';
import { useLoad } from '../parts/load.ts';
import { Remedy } from '../parts/problem.tsx';
import { Loaded } from '../parts/table.tsx';
import { Badge, Card, Facts, Notice, Page, type Tone } from '../parts/ui.tsx';
import { hrefOf } from '../route.ts';
import { type Texts, useTexts } from '../texts/language.tsx';
import { Done } from './plan.tsx';
import { titleOf } from './runs.tsx';

export const RunPage = ({ runId }: { runId: string }) => {
  const texts = useTexts();
  const { t, format } = texts;
  const { api } = useOperator();
  const found = useLoad(() => api.run(runId));
  const run = found.value?.run;
  return (
    <Page
      title={run === undefined ? t('run') : titleOf(run, texts)}
      lead={run === undefined ? undefined : format.time(run.timestamp)}
      back={[hrefOf('runs'), t('runs')]}
    >
      <Loaded of={found}>{(answer) => <RunView {...answer} onChange={found.reload} />}</Loaded>
    </Page>
  );
};

/** Whoever comes now has nothing to decide any more. */
const ENDS: readonly string[] = ['approved', 'done', 'superseded'];

const RunView = ({ run, related, onChange }: RunAnswer & { onChange: () => void }) => {
  const { t } = useTexts();
  const { api } = useOperator();
  const [approvedRun, setApprovedRun] = useState<WireRunRecord | null>(null);
  const [hasLooked, setLooked] = useState(false);
  const status = useLoad(api.status);
  const { planId, mirror, rollbackOf } = run;
  const isPaused = status.value?.mirrors.find((found) => found.mirror === mirror)?.paused != null;
  const approve = async (approval: Approval) => {
    const started =
      rollbackOf === null
        ? await api.startRun({ mirror, approve: approval })
        : await api.rollback({ generation: rollbackOf, approve: approval });
    setApprovedRun(started.run);
    onChange();
  };
  const hasChanges = run.changes !== null && run.changes.added + run.changes.removed > 0;
  const isOpen =
    run.outcome === 'blocked' && planId !== null && !related.some(({ relation }) => ENDS.includes(relation));
  return (
    <div className="stack">
      {approvedRun !== null && <Done run={approvedRun} />}
      <Verdict run={run} />
      <Related of={related} />
      {run.changes !== null && (
        <Card title={t(isPlanOnly(run) ? 'wouldHappen' : 'happened')}>
          <BeforeAfter run={run} />
          {run.outcome === 'published' && mirror === 'roster' && (
            <p>
              <a className="button plain" href={hrefOf('rollback')}>
                {t('undo')}
              </a>
            </p>
          )}
        </Card>
      )}
      {hasChanges && run.outcome !== 'skipped' && <People runId={run.runId} onLook={() => setLooked(true)} />}
      {isOpen && planId !== null && (
        <TwoPaths
          run={run}
          planId={planId}
          hasLooked={hasLooked}
          isPaused={isPaused}
          onPause={status.reload}
          approve={approve}
        />
      )}
      <RunFacts run={run} />
    </div>
  );
};

/** The proved identity decides who it was; the name is what they typed. */
const whoOf = (t: Texts['t'], identity: string | null, name: string | null): string => {
  const who = identity ?? t('unknownPerson');
  return name === null ? who : t('whoTyped', { who, name });
};

const isPlanOnly = ({ outcome }: WireRunRecord): boolean => outcome === 'blocked' || outcome === 'dry-run';

const RESULT_TONES: Readonly<Record<string, Tone>> = {
  published: 'good',
  unchanged: 'good',
  'dry-run': 'quiet',
  skipped: 'quiet',
  blocked: 'bad',
  failed: 'bad',
  partial: 'warn',
};

/** How the run ended, in one sentence, with what to do where it ended badly. */
const Verdict = ({ run }: { run: WireRunRecord }) => {
  const { t, tCode, format } = useTexts();
  const { outcome, changes, requestedBy, approvedBy, reason, guard, errorCode } = run;
  const numbers = {
    added: format.number(changes?.added),
    removed: format.number(changes?.removed),
    before: format.number(changes === null ? null : changes.unchanged + changes.updated + changes.removed),
  };
  if (outcome === 'published' && guard?.tripped === true && approvedBy !== null) {
    return (
      <Notice
        tone="good"
        title={t('verdictApproved', { by: whoOf(t, requestedBy, approvedBy), reason: reason ?? '' })}
      >
        <p>{t('hadRefused', numbers)}</p>
      </Notice>
    );
  }
  const title =
    outcome === 'published'
      ? t('verdictPublished', numbers)
      : outcome === 'blocked'
        ? t('verdictBlocked', numbers)
        : outcome === 'dry-run'
          ? t(guard?.tripped === true ? 'verdictPlanRefused' : 'verdictPlan', numbers)
          : outcome === 'unchanged'
            ? t('verdictUnchanged')
            : outcome === null
              ? t('runningNow')
              : tCode('outcome', outcome);
  return (
    <Notice tone={RESULT_TONES[outcome ?? ''] ?? 'warn'} title={title}>
      {errorCode !== null && (
        <>
          {errorCode !== 'guard_tripped' && <p>{tCode('error', errorCode)}</p>}
          <Remedy code={errorCode} isOpen />
        </>
      )}
    </Notice>
  );
};

const Related = ({ of: related }: { of: RunAnswer['related'] }) => {
  const { t, tCode, format } = useTexts();
  if (related.length === 0) return null;
  return (
    <Card title={t('related')}>
      <ul className="related">
        {related.map(({ runId, relation, at, by, typedName, reason }) => (
          <li key={runId}>
            <a href={hrefOf('runs', runId)}>{tCode('relation', relation)}</a>
            <span className="small">
              {[
                format.time(at),
                by === null && typedName === null ? '' : t('byWhom', { by: whoOf(t, by, typedName) }),
                reason ?? '',
              ]
                .filter((text) => text !== '')
                .join(' · ')}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
};

const RunFacts = ({ run }: { run: WireRunRecord }) => {
  const { t, tCode, format } = useTexts();
  const { projectId, isLocal } = useOperator();
  return (
    <Card title={t('details')}>
      <Facts
        of={[
          [t('outcome'), <Badge key="outcome" kind="outcome" code={run.outcome ?? run.status} />],
          [t('mirror'), t(run.mirror)],
          [t('trigger'), tCode('trigger', run.trigger)],
          [t('requestedBy'), run.requestedBy],
          [t('approvedBy'), run.approvedBy === null ? null : whoOf(t, run.requestedBy, run.approvedBy)],
          [t('reason'), run.reason],
          [t('duration'), format.duration(run.durationMs)],
          [t('members'), format.number(run.memberCount)],
          [t('rollbackOf'), run.rollbackOf],
          [t('version'), run.objectGeneration],
          [t('code'), run.errorCode === null ? null : <code key="code">{run.errorCode}</code>],
          [
            t('warnings'),
            run.warnings.length === 0 ? null : (
              <ul key="warnings">
                {run.warnings.map(({ code }) => (
                  <li key={code}>{tCode('warning', code)}</li>
                ))}
              </ul>
            ),
          ],
          [t('planId'), run.planId === null ? null : <code key="plan">{run.planId.slice(0, 12)}</code>],
          [t('run'), <code key="run">{run.runId}</code>],
        ]}
      />
      {!isLocal && (
        <a href={logUrl(projectId, run)} target="_blank" rel="noopener noreferrer">
          {t('log')}
        </a>
      )}
    </Card>
  );
};

/** The run's lines in Cloud Logging; every one of them carries the run's id. */
const logUrl = (projectId: string, { runId, timestamp }: WireRunRecord): string => {
  const query = encodeURIComponent(`jsonPayload.runId="${runId}"`);
  return `https://console.cloud.google.com/logs/query;query=${query};cursorTimestamp=${timestamp}?project=${encodeURIComponent(projectId)}`;
};
