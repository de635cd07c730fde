import type { StatusAnswer } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';
import { useOperator } from '../operator.ts';
import { MirrorCard } from '../overview/mirror-card.tsx';
import { Needs } from '../overview/needs.tsx';
import { Picture } from '../overview/picture.tsx';
import { SeriesCharts } from '../overview/series-charts.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Page } from '../parts/page.tsx';
import { useLoad } from '../parts/use-load.ts';

export const OverviewPage = () => {
  const { t, tCode, format } = useTexts();
  const { api } = useOperator();
  const status = useLoad(api.status);
  const series = useLoad(() => api.series(90));
  const wayBack = ({ twoWay: { pending, deadLetters, openConflicts, lastSweep } }: StatusAnswer) =>
    t('wayBackIs', {
      pending: format.number(pending),
      deadLetters: format.number(deadLetters),
      conflicts: format.number(openConflicts),
      sweep:
        lastSweep === null
          ? t('never')
          : `${format.time(lastSweep.at)} (${tCode('sweep', lastSweep.status)})`,
    });
  return (
    <Page title={t('overview')}>
      <Loaded of={status}>
        {(now) => (
          <>
            <Needs status={now} />
            <Picture status={now} />
            <div class="cards">
              {now.mirrors.map((mirror) => (
                <MirrorCard key={mirror.mirror} mirror={mirror} onChange={status.reload} />
              ))}
            </div>
            <p class="small">
              {t('twoWay')}: {wayBack(now)}
              <br />
              {t('missed30', {
                week: format.number(sumOf(now.missedEvents.last7Days)),
                month: format.number(sumOf(now.missedEvents.last30Days)),
              })}
              <br />
              {t('icelandicTime')}
            </p>
          </>
        )}
      </Loaded>
      <Loaded of={series}>{(found) => <SeriesCharts series={found} />}</Loaded>
    </Page>
  );
};

const sumOf = (events: { created: number; updated: number; deleted: number }): number =>
  events.created + events.updated + events.deleted;
