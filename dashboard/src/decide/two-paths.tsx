import { type FormEvent, useState } from 'react';
import type { WireRunRecord } from '../../../functions/src/ops/schemas.ts';
import { useOperator } from '../operator.ts';
import { ActionButton, isSendable, ReasonDialog, TextField, WordsField } from '../parts/forms.tsx';
import { useAction } from '../parts/load.ts';
import { Problem } from '../parts/problem.tsx';
import { Card } from '../parts/ui.tsx';
import { hrefOf } from '../route.ts';
import { useTexts } from '../texts/language.tsx';

export interface Approval {
  readonly planId: string;
  readonly operator: string;
  readonly reason: string;
  /** How many members the plan removes, as the operator typed it: the API holds it against the plan's own. */
  readonly removed: number;
}

/** A plan that the guard refuses: it is wrong, or it is right. Neither is the easier one. */
export const TwoPaths = (props: {
  run: WireRunRecord;
  planId: string;
  hasLooked: boolean;
  isPaused: boolean;
  onPause: () => void;
  /** Missing: another page makes the plan. */
  planAgain?: () => void;
  approve: (approval: Approval) => Promise<void>;
}) => {
  const { t } = useTexts();
  const { api } = useOperator();
  const { mirror, rollbackOf } = props.run;
  return (
    <div className="two paths">
      <Card title={t('itIsWrong')}>
        <ol className="path">
          <li className={props.isPaused ? 'done' : ''}>
            <strong>{t(props.isPaused ? 'isPausedNow' : 'wrongPause')}</strong>
            <p className="small">{t('wrongPauseText')}</p>
            {!props.isPaused && (
              <ReasonDialog
                label={t('pause')}
                title={t('pauseOf', { mirror: t(mirror) })}
                text={t('pauseText')}
                act={async (reason) => {
                  await api.pause(mirror, reason);
                  props.onPause();
                }}
              />
            )}
          </li>
          <li>
            <strong>{t('wrongMend')}</strong>
            <p className="small">{t('wrongMendText')}</p>
          </li>
          <li>
            <strong>{t('wrongPlan')}</strong>
            <p className="small">{t('wrongPlanText')}</p>
            {props.planAgain !== undefined ? (
              <ActionButton onPress={props.planAgain}>{t('planAgain')}</ActionButton>
            ) : (
              <a
                className="button plain"
                href={rollbackOf === null ? hrefOf('plan', mirror) : hrefOf('rollback')}
              >
                {t('planAgain')}
              </a>
            )}
          </li>
        </ol>
      </Card>
      <ApprovePath {...props} />
    </div>
  );
};

const ApprovePath = (props: {
  run: WireRunRecord;
  planId: string;
  hasLooked: boolean;
  approve: (approval: Approval) => Promise<void>;
}) => {
  const { t, format } = useTexts();
  const { name } = useOperator();
  const [operator, setOperator] = useState(name);
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const action = useAction();
  const removed = props.run.changes?.removed ?? 0;
  const isConfirmed = typed.replaceAll(/[.,\s]/g, '') === String(removed);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isConfirmed) return;
    void action.run(() => props.approve({ planId: props.planId, operator, reason, removed }));
  };
  return (
    <Card title={t('itIsRight')}>
      <ol className="path">
        <li className={props.hasLooked ? 'done' : ''}>
          <strong>{t('rightLook')}</strong>
          <p className="small">{t('rightLookText')}</p>
        </li>
        <li>
          <strong>{t('rightSay')}</strong>
          <form onSubmit={submit} className="stack" aria-label={t('approve')}>
            <WordsField
              label={t('operator')}
              value={operator}
              onChange={setOperator}
              maxLength={100}
              autoComplete="name"
            />
            <WordsField
              label={t('reason')}
              value={reason}
              onChange={setReason}
              hint={t('reasonHint')}
              maxLength={500}
            />
            <TextField
              label={t('typeRemoved')}
              value={typed}
              onChange={setTyped}
              hint={t('typeRemovedHint', { count: format.number(removed) })}
              error={typed === '' || isConfirmed ? null : t('typeRemovedWrong')}
              input={{ required: true, inputMode: 'numeric', autoComplete: 'off' }}
            />
            <ActionButton
              type="submit"
              kind="danger"
              isWorking={action.isWorking}
              disabled={!isConfirmed || !isSendable(reason) || !isSendable(operator)}
            >
              {t('approveRemoving', { count: format.number(removed) })}
            </ActionButton>
            {action.failure !== null && <Problem cause={action.failure} />}
            <p className="small">{t('approveText')}</p>
          </form>
        </li>
      </ol>
    </Card>
  );
};
