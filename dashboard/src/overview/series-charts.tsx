import type { SeriesAnswer, SeriesDay } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';
import { Chart, type ChartLine } from '../parts/chart.tsx';

const MIRRORS = ['roster', 'portal', 'register'] as const;

export const SeriesCharts = ({ series }: { series: SeriesAnswer }) => {
  const { t } = useTexts();
  const days = series.days.map(({ day }) => day);
  const line = (
    label: string,
    color: ChartLine['color'],
    of: (day: SeriesDay) => number | null,
  ): ChartLine => ({
    label,
    color,
    values: series.days.map(of),
  });
  const total = (of: (mirror: SeriesDay['roster']) => number) => (day: SeriesDay) =>
    MIRRORS.reduce((sum, mirror) => sum + of(day[mirror]), 0);
  return (
    <>
      {series.truncated && <p class="notice">{t('truncated')}</p>}
      <Chart
        title={t('membersOverTime')}
        days={days}
        lines={MIRRORS.map((mirror, index) =>
          line(t(mirror), `--chart-${(index + 1) as 1 | 2 | 3}`, (day) => day[mirror].members),
        )}
      />
      <Chart
        title={t('differences')}
        days={days}
        lines={[
          line(
            t('added'),
            '--chart-1',
            total(({ added }) => added),
          ),
          line(
            t('removed'),
            '--chart-2',
            total(({ removed }) => removed),
          ),
          line(
            t('updated'),
            '--chart-3',
            total(({ updated }) => updated),
          ),
        ]}
      />
      <Chart
        title={t('missed')}
        days={days}
        lines={[
          line(
            t('missedEvents'),
            '--chart-1',
            ({ missedEvents: { created, updated, deleted } }) => created + updated + deleted,
          ),
          line(t('deadLetters'), '--chart-2', ({ deadLetters }) => deadLetters),
        ]}
      />
    </>
  );
};
