import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { Format } from '../i18n/format.ts';
import { useTexts } from '../i18n/language.tsx';
import { Table } from './table.tsx';

export interface ChartLine {
  readonly label: string;
  /** A variable of the style sheet, which has one value for light and one for dark. */
  readonly color: '--chart-1' | '--chart-2' | '--chart-3';
  /** One a day; null where nothing is known. */
  readonly values: readonly (number | null)[];
}

const HEIGHT = 190;
/** There is no half of a member. */
const WHOLE_STEPS = [1, 2, 5]
  .flatMap((step) => [0, 1, 2, 3, 4, 5, 6].map((power) => step * 10 ** power))
  .sort((a, b) => a - b);
/** Lines differ by their dashes too, for who cannot tell the colours apart. */
const DASHES = { '--chart-1': [], '--chart-2': [7, 4], '--chart-3': [2, 3] };

/** Lines over days. The drawing is for the eye; the same numbers stand in the table below it. */
export const Chart = (props: { title: string; days: readonly string[]; lines: readonly ChartLine[] }) => {
  const { t, format } = useTexts();
  const { title, days, lines } = props;
  const place = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    let plot: uPlot | null = null;
    const draw = () => {
      plot?.destroy();
      plot = new uPlot(optionsOf(element, lines, format), dataOf(days, lines), element);
    };
    const sized = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height: HEIGHT }));
    draw();
    sized.observe(element);
    dark.addEventListener('change', draw);
    return () => {
      dark.removeEventListener('change', draw);
      sized.disconnect();
      plot?.destroy();
    };
  }, [days, lines, format]);

  const known = days.flatMap((day, index) => {
    const values = lines.map(({ values: of }) => of[index] ?? null);
    return values.some((value) => value !== null && value !== 0) ? [{ day, values }] : [];
  });
  return (
    <figure class="card">
      <figcaption>
        <h2>{title}</h2>
        <ul class="legend">
          {lines.map(({ label, color }) => (
            <li key={label} class={`swatch${color}`}>
              {label}
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} class="chart" aria-hidden="true" />
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          {t('asTable')}: {title}
        </summary>
        {isOpen && (
          <Table
            caption={title}
            columns={[t('day'), ...lines.map(({ label }) => label)]}
            rows={known.toReversed().map(({ day, values }) => ({
              key: day,
              cells: [day, ...values.map((value) => format.number(value))],
            }))}
          />
        )}
      </details>
    </figure>
  );
};

const dataOf = (days: readonly string[], lines: readonly ChartLine[]): uPlot.AlignedData => [
  days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1_000),
  ...lines.map(({ values }) => [...values]),
];

const optionsOf = (element: HTMLElement, lines: readonly ChartLine[], format: Format): uPlot.Options => {
  const styles = getComputedStyle(element);
  const color = (name: string) => styles.getPropertyValue(name).trim();
  const axis = {
    stroke: color('--text-soft'),
    grid: { stroke: color('--grid') },
    ticks: { stroke: color('--grid') },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    // Days begin at midnight in Iceland, wherever the operator sits.
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), 'UTC'),
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: true }, y: { range: (_plot, low, high) => rangeOf(low, high) } },
    axes: [
      {
        ...axis,
        space: 80,
        values: (_plot, seconds) => seconds.map((second) => format.day(new Date(second * 1_000))),
      },
      {
        ...axis,
        size: 64,
        incrs: WHOLE_STEPS,
        values: (_plot, values) => values.map((value) => format.number(value)),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, color: name }) => ({
        label,
        stroke: color(name),
        width: 2,
        dash: DASHES[name],
        spanGaps: true,
        points: { show: true, size: 5, fill: color(name) },
      })),
    ],
  };
};

/** Room above and below, and a range even when all values are equal or none is known. */
const rangeOf = (low: number | null, high: number | null): [number, number] => {
  const bottom = low ?? 0;
  const top = high ?? 0;
  const room = Math.max(1, (top - bottom) * 0.1);
  return [Math.max(0, bottom - room), top + room];
};
