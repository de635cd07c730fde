import { RefreshCw } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { StatusAnswer } from '../../../functions/src/ops/schemas.ts';
import { useOperator } from '../operator.ts';
import { RosterTimeline, SeriesCharts } from '../overview/charts.tsx';
import { Findings } from '../overview/findings.tsx';
import { Flow } from '../overview/flow.tsx';
import { Proof } from '../overview/proof.tsx';
import { type Loading, useEvery, useLoad } from '../parts/load.ts';
import { Loaded } from '../parts/table.tsx';
import { Page } from '../parts/ui.tsx';
import { useTexts } from '../texts/language.tsx';

const REFRESH_MS = 10_000;
/** While a run works, its steps are followed. */
const FOLLOW_MS = 2_000;

export const OverviewPage = () => {
  const { t, format } = useTexts();
  const { api } = useOperator();
  const status = useLoad(api.status);
  const isRunning = status.value?.mirrors.some(({ running }) => running !== null) === true;
  const isOnceMore = useEdge(isRunning);
  const series = useLoad(() => api.series(90), String(isOnceMore));
  const runs = useLoad(() => api.runs({ mirror: 'roster', limit: 100 }), String(isOnceMore));
  const pauses = useLoad(() => api.pauses('roster'), status.value?.mirrors[0]?.paused?.since ?? '');
  useEvery(isRunning ? FOLLOW_MS : REFRESH_MS, status.reload);
  return (
    <Page title={t('overview')} actions={<Updated of={status} />}>
      <Loaded of={status}>
        {(now) => (
          <>
            <Findings status={now} onChange={status.reload} />
            <Flow status={now} onChange={status.reload} />
            <Proof status={now} />
            <p className="small footnote">
              {t('missed30', {
                week: format.number(sumOf(now.missedEvents.last7Days)),
                month: format.number(sumOf(now.missedEvents.last30Days)),
              })}{' '}
              {t('icelandicTime')}
            </p>
          </>
        )}
      </Loaded>
      <Loaded of={runs}>
        {({ runs: found }) => <RosterTimeline runs={found} pauses={pauses.value?.pauses ?? []} />}
      </Loaded>
      <Loaded of={series}>{(found) => <SeriesCharts series={found} />}</Loaded>
    </Page>
  );
};

/** Counts how often something that lasted has ended. */
const useEdge = (is: boolean): number => {
  const [ended, setEnded] = useState({ was: is, times: 0 });
  if (ended.was !== is) setEnded({ was: is, times: ended.times + (is ? 0 : 1) });
  return ended.times;
};

const Updated = ({ of: { at, isLoading, reload } }: { of: Loading<StatusAnswer> }) => {
  const { t, format } = useTexts();
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <button type="button" className="button quiet updated" onClick={reload}>
      <RefreshCw size={14} aria-hidden="true" className={isLoading ? 'turning' : ''} />
      {at === null
        ? t('loading')
        : t('updatedAgo', { ago: format.ago(Math.max(0, Math.floor((now - at) / 1_000))) })}
    </button>
  );
};

const sumOf = (events: { created: number; updated: number; deleted: number }): number =>
  events.created + events.updated + events.deleted;
