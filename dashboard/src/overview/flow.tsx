import { Menu } from '@base-ui/react/menu';
import { Database, FileText, Globe, MoreHorizontal, Users } from 'lucide-react';
import type { MirrorStatus, StatusAnswer } from '../../../functions/src/ops/schemas.ts';
import { useOperator } from '../operator.ts';
import { ReasonDialog } from '../parts/forms.tsx';
import { Card } from '../parts/ui.tsx';
import { hrefOf } from '../route.ts';
import { useTexts } from '../texts/language.tsx';

const ICONS = { roster: FileText, portal: Globe, register: Database } as const;
const IS = { roster: 'rosterIs', portal: 'portalIs', register: 'registerIs' } as const;

/** The registry, its three mirrors and the way back: the one picture of how all of it stands. */
export const Flow = ({ status, onChange }: { status: StatusAnswer; onChange: () => void }) => {
  const { t, tCode, format } = useTexts();
  const { registry, twoWay } = status;
  return (
    <Card title={t('picture')}>
      <div className="flow">
        <div className="flow-source">
          <Users size={20} aria-hidden="true" />
          <h3>{t('registry')}</h3>
          <span className="figure">{format.number(registry?.count)}</span>
          <span className="small">
            {registry === null
              ? t('notCounted')
              : t('countedAt', { time: format.time(registry.at), mirror: t(registry.mirror) })}
          </span>
        </div>
        <ul className="flow-mirrors">
          {status.mirrors.map((mirror) => (
            <Mirror
              key={mirror.mirror}
              status={mirror}
              waiting={mirror.mirror === 'portal' ? status.portal : null}
              onChange={onChange}
            />
          ))}
        </ul>
        <a className={`flow-back ${twoWay.healthy ? 'good' : 'bad'}`} href={hrefOf('queue')}>
          <span className="dot" aria-hidden="true" />
          <strong>{t('twoWay')}</strong>
          <span className="small">
            {t('wayBackIs', {
              pending: format.number(twoWay.pending),
              deadLetters: format.number(twoWay.deadLetters),
              conflicts: format.number(twoWay.openConflicts),
              sweep:
                twoWay.lastSweep === null
                  ? t('never')
                  : `${format.time(twoWay.lastSweep.at)} (${tCode('sweep', twoWay.lastSweep.status)})`,
            })}
          </span>
        </a>
      </div>
    </Card>
  );
};

const toneOf = ({ healthy, agreement, paused, running }: MirrorStatus): string => {
  if (healthy === null) return 'off';
  if (running !== null) return 'busy';
  if (paused !== null) return 'warn';
  if (!healthy || agreement.state === 'differs') return 'bad';
  return agreement.state === 'explained' ? 'warn' : 'good';
};

const Mirror = (props: {
  status: MirrorStatus;
  /** What real time left for somebody to see: of the portal alone. */
  waiting: StatusAnswer['portal'] | null;
  onChange: () => void;
}) => {
  const { t, format } = useTexts();
  const { status, waiting, onChange } = props;
  const { mirror, healthy, paused, running, lastRun, ageSeconds } = status;
  const Icon = ICONS[mirror];
  return (
    <li className={`flow-mirror ${toneOf(status)}`}>
      <span className="dot" aria-hidden="true" />
      <Icon size={18} aria-hidden="true" className="flow-icon" />
      <div className="flow-name">
        <h3>{t(mirror)}</h3>
        <span className="small">{t(IS[mirror])}</span>
      </div>
      {healthy === null ? (
        <span className="small flow-wide">{t('notConfigured')}</span>
      ) : (
        <>
          <div className="flow-figure">
            <span className="figure">{format.number(status.members)}</span>
            <Agreement of={status.agreement} />
          </div>
          <span className="small flow-age">
            {lastRun === null ? (
              t('neverRun')
            ) : (
              <a href={hrefOf('runs', lastRun.runId)}>
                {ageSeconds === null ? t('never') : t('freshAgo', { ago: format.ago(ageSeconds) })}
              </a>
            )}
          </span>
          <MirrorMenu status={status} onChange={onChange} />
          {waiting !== null && waiting.unconfirmedHints > 0 && (
            <p className="small flow-note">
              {t('hintsUnconfirmed', { count: format.number(waiting.unconfirmedHints) })}
            </p>
          )}
          {waiting !== null && waiting.aheadOfRegistry > 0 && (
            <p className="small flow-note">
              {t('aheadOfRegistry', { count: format.number(waiting.aheadOfRegistry) })}
            </p>
          )}
          {running !== null && <Steps step={running.step} />}
          {paused !== null && (
            <p className="small flow-note">
              {t('pausedBy', { since: format.time(paused.since), by: paused.by, reason: paused.reason })}
            </p>
          )}
        </>
      )}
    </li>
  );
};

const Agreement = ({ of: { state, difference, because } }: { of: MirrorStatus['agreement'] }) => {
  const { t, tCode, format } = useTexts();
  if (state === 'unknown' || difference === null) return null;
  if (difference === 0) return <span className="chip good">{t('equal')}</span>;
  const count = format.number(Math.abs(difference));
  return (
    <span className={`chip ${state === 'explained' ? 'warn' : 'bad'}`}>
      {t(difference < 0 ? 'fewer' : 'moreThan', { count })}
      {because !== null && `: ${tCode('difference', because)}`}
    </span>
  );
};

const STEPS = ['lease', 'fetch', 'validate', 'planStep', 'guard', 'apply', 'record'] as const;

/** Where a run is. What the store knows of one: it reads and plans, or it writes. */
const Steps = ({ step }: { step: 'reading' | 'writing' }) => {
  const { t } = useTexts();
  const [from, to] = step === 'reading' ? [1, 4] : [5, 5];
  return (
    <ol className="steps" aria-label={t('runningNow')}>
      {STEPS.map((name, index) => (
        <li
          key={name}
          className={index < from ? 'done' : index <= to ? 'now' : ''}
          aria-current={index === from ? 'step' : undefined}
        >
          {t(name)}
        </li>
      ))}
    </ol>
  );
};

const MirrorMenu = ({ status, onChange }: { status: MirrorStatus; onChange: () => void }) => {
  const { t } = useTexts();
  const { api } = useOperator();
  const { mirror, paused } = status;
  const name = t(mirror);
  return (
    <div className="flow-actions">
      {paused === null ? (
        <ReasonDialog
          label={t('pause')}
          title={t('pauseOf', { mirror: name })}
          text={t('pauseText')}
          act={async (reason) => {
            await api.pause(mirror, reason);
            onChange();
          }}
        />
      ) : (
        <ReasonDialog
          label={t('resume')}
          title={t('resumeOf', { mirror: name })}
          act={async (reason) => {
            await api.resume(mirror, reason);
            onChange();
          }}
        />
      )}
      <Menu.Root modal={false}>
        <Menu.Trigger className="button quiet" aria-label={t('moreOf', { mirror: name })}>
          <MoreHorizontal size={18} aria-hidden="true" />
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner className="popup-place" sideOffset={4} align="end">
            <Menu.Popup className="popup">
              <Menu.LinkItem className="option" href={hrefOf('plan', mirror)} closeOnClick>
                {t('planOf', { mirror: name })}
              </Menu.LinkItem>
              <Menu.LinkItem className="option" href={hrefOf('runs')} closeOnClick>
                {t('runs')}
              </Menu.LinkItem>
              {mirror === 'portal' && (
                <Menu.LinkItem className="option" href={hrefOf('registry-word')} closeOnClick>
                  {t('registryWord')}
                </Menu.LinkItem>
              )}
              {mirror === 'roster' && (
                <Menu.LinkItem className="option" href={hrefOf('rollback')} closeOnClick>
                  {t('rollbackTitle')}
                </Menu.LinkItem>
              )}
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </div>
  );
};
