/**
 * Lines over the last 15 minutes, by uPlot, on a canvas; its summary in words, and the newest values below it, are for those who can't see
 * it. Colours are those of the legend, which follow the theme.
 */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { theme } from '../page/theme.ts';
import type { Column } from './recent.ts';

export interface Line {
  readonly label: string;
  readonly values: Column;
  /** Which of the colours, from 0 on. */
  readonly color: number;
  readonly isDashed?: boolean;
}

interface ChartProps {
  readonly title: string;
  readonly seconds: readonly number[];
  /** As many as `lineCount`, those without values included: lines come and go without a new chart. */
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** By powers of two, for bytes. */
  readonly isBinary?: boolean;
}

const HEIGHT_PIXELS = 170;
const WINDOW_SECONDS = 15 * 60;
const WINDOW_SECONDS_MIN = 60;
const MINUTE_STEPS = [60, 120, 180, 300, 600];
/** Less than that is 0 to a reader, and its ticks would be longer than there is room for. */
const Y_MAX_MIN = 0.1;
const AXIS_PIXELS = 62;
const BINARY_STEPS = Array.from({ length: 46 }, (_, power) => 2 ** power);

export function Chart({ title, seconds, lines, format, isBinary = false }: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const legend = useRef<HTMLUListElement>(null);
  const [hovered, setHovered] = useState<number>();
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const made = makePlot({ element, legend, lines, format, isBinary, onHover: setHovered });
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT_PIXELS }),
    );
    observer.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const redraw = (): void => made.redraw(false);
    dark.addEventListener('change', redraw);
    return () => {
      observer.disconnect();
      dark.removeEventListener('change', redraw);
      made.destroy();
    };
  }, [lines.length]);
  const themeNow = theme.value;
  useEffect(() => plot.current?.redraw(false), [themeNow]);
  useEffect(() => {
    const end = seconds.at(-1) ?? 0;
    plot.current?.batch(() => {
      // The columns go on after this.
      plot.current?.setData(
        [seconds, ...lines.map(({ values }) => values)].map((each) => [...each]) as uPlot.AlignedData,
        false,
      );
      const start = Math.min(seconds[0] ?? 0, end - WINDOW_SECONDS_MIN);
      plot.current?.setScale('x', { min: Math.max(start, end - WINDOW_SECONDS), max: end });
    });
  });
  const index = hovered !== undefined && hovered < seconds.length ? hovered : seconds.length - 1;
  const at = seconds[index];
  return (
    <figure class="chart card">
      <figcaption>
        <h2>{title}</h2>
        <span class="chart-time">{hovered === undefined || at === undefined ? '' : timeOf(at)}</span>
      </figcaption>
      <div ref={box} class="chart-box" role="img" aria-label={summaryOf(title, lines, format)} />
      <ul ref={legend} class="legend">
        {lines.map(({ label, values, color, isDashed = false }, place) => {
          const value = values[index];
          return (
            <li key={place} class={`series-${color}${isDashed ? ' dashed' : ''}`} hidden={label === ''}>
              <span class="swatch" aria-hidden="true" />
              <span class="legend-label">{label}</span>
              <span class="legend-value">{value === null || value === undefined ? '–' : format(value)}</span>
            </li>
          );
        })}
      </ul>
    </figure>
  );
}

interface PlotParts {
  readonly element: HTMLElement;
  readonly legend: { readonly current: HTMLElement | null };
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  readonly isBinary: boolean;
  readonly onHover: (index: number | undefined) => void;
}

function makePlot({ element, legend, lines, format, isBinary, onHover }: PlotParts): uPlot {
  const colorOf = (place: number): string => {
    const item = legend.current?.children[place];
    return item === undefined ? '' : getComputedStyle(item).color;
  };
  const style = (property: 'color' | 'borderTopColor'): string => getComputedStyle(element)[property];
  const axis: uPlot.Axis = {
    stroke: () => style('color'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: () => style('borderTopColor'), width: 1 },
    ticks: { show: false },
  };
  return new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT_PIXELS,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(max * 1.1, Y_MAX_MIN)] } },
      axes: [
        { ...axis, size: 26, space: 70, incrs: MINUTE_STEPS, values: (_, ticks) => ticks.map(minuteOf) },
        {
          ...axis,
          size: AXIS_PIXELS,
          space: 36,
          ...(isBinary && { incrs: BINARY_STEPS }),
          values: (_, ticks) => ticks.map((tick) => format(tick)),
        },
      ],
      series: [
        {},
        ...lines.map(({ isDashed = false }, place): uPlot.Series => ({
          stroke: () => colorOf(place),
          width: 1.6,
          points: { show: false },
          ...(isDashed && { dash: [4, 4] }),
        })),
      ],
      hooks: {
        setCursor: [({ cursor }) => onHover(cursor.idx ?? undefined)],
      },
    },
    [[], ...lines.map(() => [])] as uPlot.AlignedData,
    element,
  );
}

/** Of the last minutes, for who can't see the lines. */
function summaryOf(title: string, lines: readonly Line[], format: (value: number) => string): string {
  const parts = lines
    .filter(({ label }) => label !== '')
    .map(({ label, values }) => {
      const present = values.filter((value) => value !== null);
      if (present.length === 0) return `${label}: nothing yet`;
      const [low, high] = present.reduce(
        ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
        [Number.POSITIVE_INFINITY, 0],
      );
      return `${label}: ${format(low)} to ${format(high)}`;
    });
  return `${title} over the last 15 minutes. ${parts.length === 0 ? 'Nothing yet' : parts.join('; ')}.`;
}

function minuteOf(seconds: number): string {
  return new Date(1000 * seconds).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

function timeOf(seconds: number): string {
  return new Date(1000 * seconds).toLocaleTimeString('en-GB');
}
