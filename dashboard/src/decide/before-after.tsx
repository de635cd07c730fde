import type { WireRunRecord } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../texts/language.tsx';

/** Rules about how many members a list may lose; the tightest is drawn. */
const REMOVAL_RULES: readonly string[] = ['removed_share', 'removed_total'];

/** What a plan would do, beside what is there today: two bars from zero, and where the guard draws its line. */
export const BeforeAfter = ({ run }: { run: WireRunRecord }) => {
  const { t, tCode, format } = useTexts();
  const { changes, guard } = run;
  if (changes === null) return null;
  const kept = changes.unchanged + changes.updated;
  const [before, after] = [kept + changes.removed, kept + changes.added];
  const removals = guard?.findings.filter(({ rule }) => REMOVAL_RULES.includes(rule)) ?? [];
  const limit = removals.length === 0 ? null : before - Math.min(...removals.map(({ allowed }) => allowed));
  const most = Math.max(before, after, 1);
  const isRefused = guard?.tripped === true;
  const label = t('fromTo', { before: format.number(before), after: format.number(after) });
  return (
    <figure className="before-after">
      <figcaption>
        <strong className="figure">{label}</strong>
        <ul className="changes">
          <li className="added">+{format.number(changes.added)}</li>
          <li className="removed">−{format.number(changes.removed)}</li>
          {changes.updated > 0 && <li>{t('updatedCount', { count: format.number(changes.updated) })}</li>}
          {changes.quarantined > 0 && (
            <li>{t('quarantinedCount', { count: format.number(changes.quarantined) })}</li>
          )}
        </ul>
      </figcaption>
      <div className="bars" role="img" aria-label={label}>
        <Bar name={t('today')} share={before / most} kind="before" />
        <Bar name={t('afterwards')} share={after / most} kind={isRefused ? 'refused' : 'after'} />
        {limit !== null && (
          <div className="limit-track">
            <div className="limit" style={{ left: `${Math.max(0, limit / most) * 100}%` }} />
          </div>
        )}
      </div>
      {limit !== null && (
        <p className="limit-name small">{t('guardLimit', { count: format.number(limit) })}</p>
      )}
      {isRefused && (
        <ul className="guard-lines">
          {guard?.findings.map(({ rule, field, count, allowed }) => (
            <li key={`${rule}.${field}`}>
              {t('guardFinding', {
                what: tCode('guard', rule, { field: tCode('field', field ?? '') }),
                count: format.number(count),
                allowed: format.number(allowed),
              })}
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
};

const Bar = ({ name, share, kind }: { name: string; share: number; kind: string }) => (
  <div className="bar">
    <span className="bar-name">{name}</span>
    <span className="bar-track">
      <span className={`bar-fill ${kind}`} style={{ width: `${share * 100}%` }} />
    </span>
  </div>
);
