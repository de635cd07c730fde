import type { StatusAnswer } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';
import { hrefOf } from '../route.ts';

/** What needs a person, each with the page where it is dealt with. */
export const Needs = ({ status }: { status: StatusAnswer }) => {
  const { t, tCode, format } = useTexts();
  const { deadLetters, openConflicts, why } = status.twoWay;
  const ofMirrors = status.mirrors.flatMap(({ mirror, why: reasons, lastRun }) =>
    reasons.map((reason) => ({
      key: `${mirror}.${reason}`,
      text: `${t(mirror)}: ${tCode('why', reason)}`,
      href:
        reason.startsWith('last_run') && lastRun !== null
          ? hrefOf('runs', lastRun.runId)
          : hrefOf('plan', mirror),
    })),
  );
  const ofTwoWay = why.map((reason) => ({
    key: reason,
    text: tCode('why', reason, {
      count: format.number(reason === 'conflicts_waiting' ? openConflicts : deadLetters),
    }),
    href: hrefOf(reason === 'conflicts_waiting' ? 'conflicts' : 'queue'),
  }));
  const needs = [...ofMirrors, ...ofTwoWay];
  return (
    <section class="card" aria-labelledby="needs">
      <h2 id="needs">{t('needsPerson')}</h2>
      {needs.length === 0 ? (
        <p>{t('nothingNeeded')}</p>
      ) : (
        <ul class="needs">
          {needs.map(({ key, text, href }) => (
            <li key={key}>
              <a href={href}>{text}</a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
};
