// Data and options of a graph: what uPlot needs to draw series of stats entries on the shared time axis.

import uPlot from 'uplot';
import type { SeriesData } from '../import/messages';
import { axisTexts } from './numbers';
import type { Shared } from './shared.svelte';
import { tickDigits, ticks, timeText } from './time';

/** One line of a graph: a series of an entry. */
export interface PlotLine {
  /** Index of the entry in its connection. */
  entry: number;
  name: string;
  label: string;
}

const HEIGHT = 122;

function table(data: SeriesData): uPlot.AlignedData {
  const values = Array.from(data.values[0] ?? [], (value) => (Number.isNaN(value) ? null : value));
  return [data.time, values];
}

/** Brings series of several entries onto one list of times. */
export function align(data: SeriesData[]): uPlot.AlignedData {
  const first = data[0];
  if (first && data.length === 1) return table(first);
  return uPlot.join(data.map(table));
}

/** The index of the point nearest to `time`, or null if there is none within the graph. */
export function nearest(times: ArrayLike<number>, time: number): number | null {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) < time) low = middle + 1;
    else high = middle;
  }
  const after = times[low];
  const before = times[low - 1];
  if (before === undefined) return after === undefined ? null : 0;
  return after !== undefined && after - time < time - before ? low : low - 1;
}

/**
 * The points that no line leads to, which would not be seen: in a call of two seconds a rate has one. Where lines span the
 * gaps (`spanned`), only a series of one point has such.
 */
export function lonely(values: ArrayLike<number | null | undefined>, spanned: boolean): number[] {
  const there = Array.from(values, (value) => value !== null && value !== undefined);
  const points = there.flatMap((is, index) => (is ? [index] : []));
  if (spanned) return points.length === 1 ? points : [];
  return points.filter((index) => !there[index - 1] && !there[index + 1]);
}

/** Of these, a part without its zero misleads. */
const FROM_ZERO = new Set(['bits/s', 'packets/s', 'frames/s', '%', 'px']);

function valueRange(min: number | null, max: number | null, unit: string): uPlot.Range.MinMax {
  if (min === null || max === null) return [0, 1];
  // A zero line makes sizes comparable, unless it would press the movement flat.
  if (min === 0 && max === 0) return [0, 1];
  if (min >= 0 && (min <= 0.7 * max || FROM_ZERO.has(unit))) return [0, max * 1.08];
  if (min === max) return [Math.min(0, min * 1.1), Math.max(0, max * 1.1)];
  return uPlot.rangeNum(min, max, 0.1, true);
}

export interface PlotStyle {
  text: string;
  grid: string;
  cursor: string;
  colors: string[];
  font: string;
}

export function plotStyle(element: Element): PlotStyle {
  const style = getComputedStyle(element);
  const variable = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: variable('--faint'),
    grid: variable('--grid'),
    cursor: variable('--cursor'),
    colors: [1, 2, 3, 4, 5, 6].map((n) => variable(`--series-${n}`)),
    font: `10.5px ${style.fontFamily}`,
  };
}

export function plotOptions(lines: PlotLine[], unit: string, width: number, shared: Shared, style: PlotStyle): uPlot.Options {
  const axis = { stroke: style.text, font: style.font, grid: { stroke: style.grid, width: 1 }, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    padding: [6, 8, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 5 },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      bind: {
        dblclick: () => () => {
          shared.resetZoom();
          return null;
        },
      },
    },
    scales: {
      x: { time: false, range: () => [shared.range.min, shared.range.max] },
      y: { range: (_, min, max) => valueRange(min, max, unit) },
    },
    axes: [
      {
        ...axis,
        size: 24,
        gap: 7,
        splits: (plot, _, min, max) => ticks(min, max, Math.max(2, plot.width / 75), shared.full.min, shared.mode),
        values: (plot, times) => {
          const { min, max } = shared.range;
          const digits = tickDigits(times);
          // A label at the very edge would be cut off.
          const edge = max - ((max - min) * 22) / plot.width;
          return times.map((time) => (time > edge ? '' : timeText(time, shared.full.min, shared.mode, digits)));
        },
      },
      { ...axis, size: 46, gap: 4, space: 26, values: (_, values) => axisTexts(values, unit) },
    ],
    series: [
      {},
      ...lines.map((line, index) => ({
        label: line.label,
        stroke: style.colors[index % style.colors.length] ?? style.text,
        width: 1.3,
        // Beyond the last colour they begin anew, dashed.
        ...(index >= style.colors.length ? { dash: [4, 3] } : {}),
        spanGaps: lines.length > 1,
        points: { show: false, size: 4, filter: (plot: uPlot) => lonely(plot.data[index + 1] ?? [], lines.length > 1) },
      })),
    ],
  };
}
