import { Tabs } from '@base-ui/react/tabs';
import { useMemo } from 'react';
import type {
  PausesAnswer,
  SeriesAnswer,
  SeriesDay,
  WireRunRecord,
} from '../../../functions/src/ops/schemas.ts';
import { MIRRORS, type MirrorName } from '../api.ts';
import { Chart, type Marker } from '../parts/chart.tsx';
import { Card, Notice } from '../parts/ui.tsx';
import { hrefOf } from '../route.ts';
import { useTexts } from '../texts/language.tsx';

const seconds = (iso: string): number => Date.parse(iso) / 1_000;

/** How the size of the list went, run by run, with what was decided about it. */
export const RosterTimeline = (props: { runs: readonly WireRunRecord[]; pauses: PausesAnswer['pauses'] }) => {
  const { t, format } = useTexts();
  const { runs, pauses } = props;
  const { points, events } = useMemo(() => {
    const inOrder = runs.toReversed();
    const held = inOrder.filter(
      ({ outcome, memberCount }) =>
        (outcome === 'published' || outcome === 'unchanged') && memberCount !== null,
    );
    const first = held[0] === undefined ? Number.POSITIVE_INFINITY : seconds(held[0].timestamp);
    const decided = inOrder.flatMap((run): (Marker & { runId: string | null })[] => {
      const { outcome, rollbackOf, requestedBy, approvedBy, memberCount, timestamp, runId } = run;
      const at = seconds(timestamp);
      const [label, tone] =
        outcome === 'blocked'
          ? ([t('markBlocked'), 'bad'] as const)
          : outcome === 'published' && rollbackOf !== null
            ? ([t('markRolledBack'), 'warn'] as const)
            : outcome === 'published' && approvedBy !== null
              ? ([t('markApproved', { by: requestedBy ?? t('unknownPerson') }), 'good'] as const)
              : ([null, 'good'] as const);
      return label === null || at < first ? [] : [{ at, label, tone, value: memberCount, runId }];
    });
    const stopped = pauses
      .filter(({ action, at }) => action === 'pause' && seconds(at) >= first)
      .map(({ at, by, reason }) => ({
        at: seconds(at),
        label: t('markPaused', { by, reason: reason ?? '' }),
        tone: 'warn' as const,
        value: null,
        runId: null,
      }));
    const events = [...decided, ...stopped].sort((one, other) => other.at - one.at);
    return { points: withMarks(held, events), events };
  }, [runs, pauses, t]);
  const times = useMemo(() => points.map(({ at }) => at), [points]);
  const lines = useMemo(
    () => [
      {
        label: t('members'),
        color: '--chart-1' as const,
        values: points.map(({ members }) => members),
      },
    ],
    [points, t],
  );
  return (
    <Card title={t('rosterOverTime')}>
      <Chart
        title={t('rosterOverTime')}
        times={times}
        lines={lines}
        markers={events}
        isStepped
        empty={t('noTimeline')}
      />
      {events.length > 0 && (
        <ol className="marks">
          {events.slice(0, 5).map(({ at, label, tone, runId }) => (
            <li key={`${at} ${label}`}>
              <span className={`dot ${tone}`} aria-hidden="true" />
              <time>{format.time(new Date(at * 1_000).toISOString())}</time>
              {runId === null ? <span>{label}</span> : <a href={hrefOf('runs', runId)}>{label}</a>}
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
};

/** What was decided between runs lies on the line as well: the list had as many members then as before. */
const withMarks = (runs: readonly WireRunRecord[], events: readonly Marker[]) => {
  const held = runs.map(({ timestamp, memberCount }) => ({ at: seconds(timestamp), members: memberCount }));
  const between = events
    .filter(({ at }) => held.every((point) => point.at !== at))
    .map(({ at }) => ({ at, members: held.findLast((point) => point.at < at)?.members ?? null }));
  return [...held, ...between].sort((one, other) => one.at - other.at);
};

/** Counts a day, one mirror at a time: three mirrors of the same people make no sum. */
export const SeriesCharts = ({ series }: { series: SeriesAnswer }) => {
  const { t } = useTexts();
  return (
    <div className="two">
      {series.truncated && <Notice tone="warn">{t('truncated')}</Notice>}
      <Card title={t('differences')}>
        <Tabs.Root defaultValue="register">
          <Tabs.List className="tabs" aria-label={t('mirror')}>
            {MIRRORS.map((mirror) => (
              <Tabs.Tab key={mirror} value={mirror} className="tab">
                {t(mirror)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {MIRRORS.map((mirror) => (
            <Tabs.Panel key={mirror} value={mirror}>
              <Differences days={series.days} mirror={mirror} />
            </Tabs.Panel>
          ))}
        </Tabs.Root>
      </Card>
      <Card title={t('missed')}>
        <Missed days={series.days} />
      </Card>
    </div>
  );
};

/** The days from the first on which anything ran. */
const startingWith = (days: readonly SeriesDay[], has: (day: SeriesDay) => boolean): readonly SeriesDay[] => {
  const first = days.findIndex(has);
  return first === -1 ? [] : days.slice(first);
};

const midnightOf = ({ day }: SeriesDay): number => Date.parse(`${day}T00:00:00Z`) / 1_000;

const Differences = ({ days, mirror }: { days: readonly SeriesDay[]; mirror: MirrorName }) => {
  const { t } = useTexts();
  const shown = useMemo(() => startingWith(days, (day) => day[mirror].runs > 0), [days, mirror]);
  const times = useMemo(() => shown.map(midnightOf), [shown]);
  const lines = useMemo(
    () => [
      {
        label: t('added'),
        color: '--chart-1' as const,
        values: shown.map((day) => day[mirror].added),
      },
      {
        label: t('removed'),
        color: '--chart-2' as const,
        values: shown.map((day) => day[mirror].removed),
      },
    ],
    [shown, mirror, t],
  );
  return (
    <Chart title={`${t('differences')}, ${t(mirror)}`} times={times} lines={lines} empty={t('noDays')} />
  );
};

const Missed = ({ days }: { days: readonly SeriesDay[] }) => {
  const { t } = useTexts();
  const shown = useMemo(
    () => startingWith(days, (day) => day.portal.runs > 0 || day.deadLetters > 0),
    [days],
  );
  const times = useMemo(() => shown.map(midnightOf), [shown]);
  const lines = useMemo(
    () => [
      {
        label: t('missedEvents'),
        color: '--chart-1' as const,
        values: shown.map(({ missedEvents: { created, updated, deleted } }) => created + updated + deleted),
      },
      {
        label: t('deadLetters'),
        color: '--chart-2' as const,
        values: shown.map(({ deadLetters }) => deadLetters),
      },
    ],
    [shown, t],
  );
  return <Chart title={t('missed')} times={times} lines={lines} empty={t('noDays')} />;
};
