import { useState } from 'preact/hooks';
import type { StartedRun } from '../../../functions/src/ops/schemas.ts';
import { ApiProblem } from '../api/problem.ts';
import { useTexts } from '../i18n/language.tsx';
import { hrefOf } from '../route.ts';
import { type Approval, ApproveForm } from './approve-form.tsx';
import { PlanView } from './plan-view.tsx';
import { Problem } from './problem.tsx';
import { ReasonForm } from './reason-form.tsx';
import { useAction } from './use-action.ts';

type Start = (how: { dryRun?: true; reason?: string; approve?: Approval }) => Promise<StartedRun>;

/**
 * One change of a mirror, from its dry run to its end: first what it would do, then the button; when the guard refuses,
 * the approval of exactly that plan instead.
 */
export const Planned = (props: {
  start: Start;
  planLabel: string;
  doLabel: string;
  needsReason: boolean;
}) => {
  const { t, tCode } = useTexts();
  const planning = useAction();
  const doing = useAction();
  const [plan, setPlan] = useState<StartedRun | null>(null);
  const [done, setDone] = useState<StartedRun | null>(null);

  const makePlan = () =>
    planning.run(async () => {
      setDone(null);
      setPlan(null);
      setPlan(await planOrRefusal(props.start({ dryRun: true })));
    });
  const finish = async (how: { reason?: string; approve?: Approval }) => setDone(await props.start(how));
  const changes = plan?.run.changes;
  const isEqual = changes != null && changes.added + changes.removed + changes.updated === 0;

  return (
    <>
      <button type="button" class="primary" onClick={makePlan} disabled={planning.isWorking}>
        {planning.isWorking ? t('planning') : props.planLabel}
      </button>
      {planning.failure !== null && <Problem cause={planning.failure} />}
      {plan !== null && done === null && (
        <section aria-live="polite">
          <p>{t('plannedNothing')}</p>
          <PlanView run={plan.run} costUsd={plan.forecast?.costUsd} />
          {isEqual && <p>{t('noDifference')}</p>}
          {plan.run.guard?.tripped === true && plan.run.planId !== null ? (
            <ApproveForm planId={plan.run.planId} approve={(approve) => finish({ approve })} />
          ) : props.needsReason ? (
            <ReasonForm label={props.doLabel} isDanger act={(reason) => finish({ reason })} />
          ) : (
            <button type="button" disabled={doing.isWorking} onClick={() => doing.run(() => finish({}))}>
              {doing.isWorking ? t('planning') : props.doLabel}
            </button>
          )}
          {doing.failure !== null && <Problem cause={doing.failure} />}
        </section>
      )}
      {done !== null && (
        <p role="status" class="notice">
          {t('done', { outcome: tCode('outcome', done.run.outcome ?? done.run.status) })}{' '}
          <a href={hrefOf('runs', done.run.runId)}>{t('doneLink')}</a>
        </p>
      )}
    </>
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
