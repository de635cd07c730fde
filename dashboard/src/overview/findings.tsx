import type { StatusAnswer, StatusFinding } from '../../../functions/src/ops/schemas.ts';
import { useOperator } from '../operator.ts';
import { ReasonDialog } from '../parts/forms.tsx';
import { Card, Notice, ToneIcon } from '../parts/ui.tsx';
import { hrefOf } from '../route.ts';
import { type Texts, useTexts } from '../texts/language.tsx';

/** What needs a person, the gravest first, each with its age and one thing to do; or that nothing does, and why so. */
export const Findings = ({ status, onChange }: { status: StatusAnswer; onChange: () => void }) => {
  const texts = useTexts();
  const { t, format } = texts;
  const { findings, registry, mirrors, at } = status;
  const explained = mirrors.filter(({ agreement }) => agreement.state === 'explained');
  if (findings.length === 0) {
    return (
      <Notice tone="good" title={t('allWell')}>
        <p>
          {explained.length > 0 || registry === null
            ? t('allExplained')
            : t('allAgree', { count: format.number(registry.count) })}
        </p>
      </Notice>
    );
  }
  return (
    <Card title={t('needsPerson')} aside={<span className="count">{format.number(findings.length)}</span>}>
      <ul className="findings">
        {findings.map((finding) => (
          <li key={`${finding.mirror} ${finding.code}`}>
            <ToneIcon tone={finding.severity === 'error' ? 'bad' : 'warn'} />
            <div className="finding-text">
              <strong>{titleOf(finding, texts)}</strong>
              <span className="small">
                {[
                  numbersOf(finding, texts),
                  finding.since === null ? '' : format.ago(ageOf(finding.since, at)),
                ]
                  .filter((text) => text !== '')
                  .join(' · ')}
              </span>
            </div>
            <FindingAction finding={finding} onChange={onChange} />
          </li>
        ))}
      </ul>
    </Card>
  );
};

const FindingAction = ({ finding, onChange }: { finding: StatusFinding; onChange: () => void }) => {
  const { t } = useTexts();
  const { api } = useOperator();
  const { code, mirror, runId } = finding;
  if (mirror !== null && (code === 'paused' || code === 'paused_too_long')) {
    return (
      <ReasonDialog
        label={t('resume')}
        title={t('resumeOf', { mirror: t(mirror) })}
        act={async (reason) => {
          await api.resume(mirror, reason);
          onChange();
        }}
      />
    );
  }
  const [href, text] =
    code === 'conflicts_waiting'
      ? [hrefOf('conflicts'), t('decide')]
      : code === 'chain_broken'
        ? [hrefOf('record'), t('show')]
        : code === 'ahead_of_registry'
          ? [hrefOf('registry-word'), t('registryWord')]
          : mirror === null
            ? [hrefOf('queue'), t('show')]
            : runId !== null
              ? [hrefOf('runs', runId), t(code === 'last_run_blocked' ? 'lookAndDecide' : 'seeWhy')]
              : [hrefOf('plan', mirror), t('planShort')];
  const name = mirror === null ? t(code === 'chain_broken' ? 'recordTitle' : 'twoWay') : t(mirror);
  return (
    <a className="button plain" href={href}>
      {text}
      <span className="visually-hidden">: {name}</span>
    </a>
  );
};

const titleOf = ({ code, mirror }: StatusFinding, { t, tCode }: Texts): string =>
  mirror === null ? tCode('finding', code) : `${t(mirror)}: ${tCode('finding', code)}`;

const numbersOf = ({ code, numbers, errorCode }: StatusFinding, { t, tCode, format }: Texts): string => {
  if (code === 'counts_differ') {
    return t('countsAre', {
      members: format.number(numbers['members']),
      registry: format.number(numbers['registry']),
    });
  }
  if (code === 'last_run_blocked' && numbers['removed'] !== undefined) {
    return t('wouldRemoveOf', {
      removed: format.number(numbers['removed']),
      before: format.number(numbers['before']),
    });
  }
  if (errorCode !== null) return tCode('error', errorCode);
  return numbers['count'] === undefined ? '' : format.number(numbers['count']);
};

const ageOf = (since: string, at: string): number =>
  Math.max(0, Math.round((Date.parse(at) - Date.parse(since)) / 1_000));
