import { Collapsible } from '@base-ui/react/collapsible';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import type { Format } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';
import { Table } from './table.tsx';
import { Empty } from './ui.tsx';

export interface ChartLine {
  readonly label: string;
  /** A variable of the style sheet, which has one value for light and one for dark. */
  readonly color: '--chart-1' | '--chart-2' | '--chart-3';
  /** One a moment; null where nothing is known. */
  readonly values: readonly (number | null)[];
}

export interface Marker {
  /** Seconds since 1970. */
  readonly at: number;
  readonly label: string;
  readonly tone: 'good' | 'warn' | 'bad';
  /** Null: a line over the whole height. */
  readonly value: number | null;
}

const HEIGHT = 200;
/** There is no half of a member. */
const WHOLE_STEPS = [1, 2, 5]
  .flatMap((step) => [0, 1, 2, 3, 4, 5, 6].map((power) => step * 10 ** power))
  .sort((a, b) => a - b);
/** Lines differ by their dashes too, for who cannot tell the colours apart. */
const DASHES = { '--chart-1': [], '--chart-2': [7, 4], '--chart-3': [2, 3] };
const LETTERS = { good: '✓', warn: '‖', bad: '!' } as const;

/** Lines over time. The drawing is for the eye; the same numbers stand in the table below it. */
export const Chart = (props: {
  title: string;
  /** Seconds since 1970, in order. */
  times: readonly number[];
  lines: readonly ChartLine[];
  markers?: readonly Marker[];
  isStepped?: boolean;
  empty: string;
}) => {
  const { t, format } = useTexts();
  const { title, times, lines, markers = [], isStepped = false } = props;
  const place = useRef<HTMLDivElement>(null);
  const isEmpty = times.length < 2;

  useEffect(() => {
    const element = place.current;
    if (element === null || isEmpty) return;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    let plot: uPlot | null = null;
    const draw = () => {
      plot?.destroy();
      const options = optionsOf(element, lines, markers, isStepped, format);
      plot = new uPlot(options, [[...times], ...lines.map(({ values }) => [...values])], element);
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
  }, [times, lines, markers, isStepped, isEmpty, format]);

  if (isEmpty) return <Empty title={t('noChart')}>{props.empty}</Empty>;
  return (
    <div className="chart-box">
      {lines.length > 1 && (
        <ul className="legend">
          {lines.map(({ label, color }) => (
            <li key={label} className={`swatch${color}`}>
              {label}
            </li>
          ))}
        </ul>
      )}
      <div ref={place} className="chart" aria-hidden="true" />
      <Collapsible.Root>
        <Collapsible.Trigger className="text-button">
          {t('asTable')}: {title}
        </Collapsible.Trigger>
        <Collapsible.Panel>
          <Table
            caption={title}
            columns={[
              { head: t('time'), isTitle: true },
              ...lines.map(({ label }) => ({ head: label, isNumber: true })),
            ]}
            rows={times
              .map((time, index) => ({
                key: `${time} ${index}`,
                cells: [
                  format.time(new Date(time * 1_000).toISOString()),
                  ...lines.map(({ values }) => format.number(values[index])),
                ],
              }))
              .toReversed()}
          />
        </Collapsible.Panel>
      </Collapsible.Root>
    </div>
  );
};

const optionsOf = (
  element: HTMLElement,
  lines: readonly ChartLine[],
  markers: readonly Marker[],
  isStepped: boolean,
  format: Format,
): uPlot.Options => {
  const styles = getComputedStyle(element);
  const color = (name: string) => styles.getPropertyValue(name).trim();
  const font = `12px ${styles.fontFamily}`;
  const axis = {
    stroke: color('--text-soft'),
    font,
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
  };
  const marked = markers.flatMap(({ value }) => value ?? []);
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return {
    width: element.clientWidth,
    height: HEIGHT,
    // Days begin at midnight in Iceland, wherever the operator sits.
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), 'UTC'),
    legend: { show: false },
    cursor: { show: false },
    padding: [12, 12, 0, 0],
    scales: {
      x: { time: true },
      y: {
        range: (_plot, low, high) => rangeOf(Math.min(low ?? 0, ...marked), Math.max(high ?? 0, ...marked)),
      },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 90,
        values: (plot, seconds) => {
          const labels = seconds.map((second) => timeLabel(second, plot, format));
          return labels.map((label, index) => (label === labels[index - 1] ? '' : label));
        },
      },
      {
        ...axis,
        size: 56,
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
        ...(isStepped && stepped !== undefined && { paths: stepped }),
        points: { show: !isStepped, size: 5, fill: color(name) },
      })),
    ],
    hooks: { draw: [(plot) => drawMarkers(plot, markers, color, styles.fontFamily)] },
  };
};

/** Days, or hours where the whole chart is shorter than two of them. */
const timeLabel = (second: number, { scales: { x } }: uPlot, format: Format): string => {
  const isShort = (x?.max ?? 0) - (x?.min ?? 0) < 2 * 86_400;
  const date = new Date(second * 1_000);
  return isShort ? date.toISOString().slice(11, 16) : format.day(date);
};

const drawMarkers = (
  plot: uPlot,
  markers: readonly Marker[],
  color: (name: string) => string,
  family: string,
): void => {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  ctx.save();
  for (const { at, tone, value } of markers) {
    const x = plot.valToPos(at, 'x', true);
    ctx.strokeStyle = color(`--${tone}`);
    ctx.fillStyle = color(`--${tone}`);
    if (value === null) {
      ctx.setLineDash([3 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
    }
    const y = value === null ? bbox.top + 8 * ratio : plot.valToPos(value, 'y', true);
    ctx.beginPath();
    ctx.arc(x, y, 8 * ratio, 0, 2 * Math.PI);
    ctx.fill();
    ctx.fillStyle = color('--card');
    ctx.font = `bold ${11 * ratio}px ${family}`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    ctx.fillText(LETTERS[tone], x, y);
  }
  ctx.restore();
};

/** Room above and below, and a range even when all values are equal or none is known. */
const rangeOf = (low: number, high: number): [number, number] => {
  const room = Math.max(1, (high - low) * 0.15);
  return [Math.max(0, low - room), high + room];
};
