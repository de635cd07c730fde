import { useState } from 'react';
import type { StartedRun, WireRunRecord } from '../../../functions/src/ops/schemas.ts';
import { ApiProblem, type MirrorName } from '../api.ts';
import { BeforeAfter } from '../decide/before-after.tsx';
import { People } from '../decide/people.tsx';
import { type Approval, TwoPaths } from '../decide/two-paths.tsx';
import { useOperator } from '../operator.ts';
import { ActionButton, ReasonDialog } from '../parts/forms.tsx';
import { useAction, useLoad } from '../parts/load.ts';
import { Problem } from '../parts/problem.tsx';
import { Card, Notice, Page } from '../parts/ui.tsx';
import { hrefOf } from '../route.ts';
import { useTexts } from '../texts/language.tsx';

export const PlanPage = ({ mirror }: { mirror: MirrorName }) => {
  const { t } = useTexts();
  const { api } = useOperator();
  return (
    <Page
      title={t('planOf', { mirror: t(mirror) })}
      lead={t('plannedNothing')}
      back={[hrefOf('runs'), t('runs')]}
    >
      <Planned
        mirror={mirror}
        planLabel={t('plan')}
        doLabel={t('runNow')}
        start={({ dryRun, approve }) =>
          api.startRun({ mirror, ...(dryRun && { dryRun }), ...(approve && { approve }) })
        }
      />
    </Page>
  );
};

/** For members whom the portal holds in a later version than the registry has: no ordinary run changes those. */
export const RegistryWordPage = () => {
  const { t } = useTexts();
  const { api } = useOperator();
  return (
    <Page title={t('registryWord')} lead={t('registryWordText')} back={[hrefOf(), t('overview')]}>
      <Planned
        mirror="portal"
        planLabel={t('plan')}
        doLabel={t('registryWord')}
        needsReason
        start={({ dryRun, reason, approve }) =>
          api.registryWord({
            ...(dryRun && { dryRun }),
            ...(reason !== undefined && { reason }),
            // Its plan is approved by its id alone, as the command line does it.
            ...(approve && {
              approve: { planId: approve.planId, operator: approve.operator, reason: approve.reason },
            }),
          })
        }
      />
    </Page>
  );
};

type Start = (how: { dryRun?: true; reason?: string; approve?: Approval }) => Promise<StartedRun>;

/**
 * One change of a mirror, from its dry run to its end: first what it would do and to whom, then the button; when the
 * guard refuses, the two paths instead.
 */
export const Planned = (props: {
  mirror: MirrorName;
  start: Start;
  planLabel: string;
  doLabel: string;
  needsReason?: boolean;
}) => {
  const { t, format } = useTexts();
  const { api } = useOperator();
  const { mirror } = props;
  const planning = useAction();
  const doing = useAction();
  const [plan, setPlan] = useState<StartedRun | null>(null);
  const [done, setDone] = useState<WireRunRecord | null>(null);
  const [hasLooked, setLooked] = useState(false);
  const status = useLoad(api.status);
  const paused = status.value?.mirrors.find((found) => found.mirror === mirror)?.paused ?? null;

  const makePlan = () =>
    planning.run(async () => {
      setDone(null);
      setPlan(null);
      setLooked(false);
      setPlan(await planOrRefusal(props.start({ dryRun: true })));
    });
  const finish = async (how: { reason?: string; approve?: Approval }) =>
    setDone((await props.start(how)).run);
  const changes = plan?.run.changes;
  const isEqual = changes != null && changes.added + changes.removed + changes.updated === 0;
  const isRefused = plan?.run.guard?.tripped === true;

  return (
    <>
      {paused !== null && (
        <Notice tone="warn" title={t('isPausedHere')}>
          <p>{t('pausedBy', { since: format.time(paused.since), by: paused.by, reason: paused.reason })}</p>
          <p>{t('isPausedText')}</p>
        </Notice>
      )}
      <ActionButton
        kind={plan === null ? 'primary' : 'plain'}
        isWorking={planning.isWorking}
        onPress={() => void makePlan()}
      >
        {props.planLabel}
      </ActionButton>
      {planning.failure !== null && <Problem cause={planning.failure} />}
      {plan !== null && done === null && (
        <section aria-live="polite" className="stack">
          <Card
            title={t(isEqual ? 'noDifference' : isRefused ? 'guardRefuses' : 'planReady')}
            tone={isRefused ? 'bad' : 'good'}
          >
            <BeforeAfter run={plan.run} />
            {isEqual && <p>{t('noDifferenceText')}</p>}
            {plan.forecast !== null && !isEqual && (
              <p className="small">{t('cost', { cost: format.roughly(plan.forecast.costUsd) })}</p>
            )}
          </Card>
          {!isEqual && <People runId={plan.run.runId} onLook={() => setLooked(true)} />}
          {isRefused && plan.run.planId !== null ? (
            <TwoPaths
              run={plan.run}
              planId={plan.run.planId}
              hasLooked={hasLooked}
              isPaused={paused !== null}
              onPause={status.reload}
              planAgain={() => void makePlan()}
              approve={(approve) => finish({ approve })}
            />
          ) : isEqual ? null : props.needsReason === true ? (
            <ReasonDialog label={props.doLabel} kind="danger" act={(reason) => finish({ reason })} />
          ) : (
            <ActionButton
              kind="primary"
              isWorking={doing.isWorking}
              disabled={paused !== null}
              onPress={() => void doing.run(() => finish({}))}
            >
              {props.doLabel}
            </ActionButton>
          )}
          {doing.failure !== null && <Problem cause={doing.failure} />}
        </section>
      )}
      {done !== null && <Done run={done} />}
    </>
  );
};

/** What came of it, and the way to its record. */
export const Done = ({ run }: { run: WireRunRecord }) => {
  const { t, tCode } = useTexts();
  return (
    <Notice tone="good" isNew title={t('done', { outcome: tCode('outcome', run.outcome ?? run.status) })}>
      <p>
        <a href={hrefOf('runs', run.runId)}>{t('doneLink')}</a>
      </p>
    </Notice>
  );
};

/** A guard's refusal is an answer about the plan, not a failure of planning. */
const planOrRefusal = async (starting: Promise<StartedRun>): Promise<StartedRun> => {
  try {
    return await starting;
  } catch (cause) {
    if (cause instanceof ApiProblem && cause.run?.guard?.tripped === true)
      return { run: cause.run, forecast: null };
    throw cause;
  }
};
