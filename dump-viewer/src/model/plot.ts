// Data and options of a graph: what uPlot needs to draw series of stats entries on the shared time axis.

import uPlot from 'uplot';
import { valuesBetween, type Column, type Columns } from './columns';
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

/** Of these, a part without its zero misleads. */
const FROM_ZERO = new Set(['bits/s', 'packets/s', 'frames/s', '%', 'px']);

function valueRange(values: [number, number] | null, unit: string): uPlot.Range.MinMax {
  if (values === null) return [0, 1];
  const [min, max] = values;
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

export function plotOptions(lines: PlotLine[], columns: Columns, unit: string, width: number, shared: Shared, style: PlotStyle): uPlot.Options {
  const axis = { stroke: style.text, font: style.font, grid: { stroke: style.grid, width: 1 }, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    padding: [6, 8, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 5 },
      dataIdx: (_, series, index) => columnAt(columns.series[series - 1], index),
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
      y: { range: () => valueRange(valuesBetween(columns, shared.range.min, shared.range.max), unit) },
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
        // The range function knows the values.
        auto: false,
        paths: (plot: uPlot, _: number, first: number, last: number) => path(plot, columns, index, first, last),
        points: { show: false, size: 4, filter: () => columns.series[index]?.lonely ?? [] },
      })),
    ],
  };
}

/** The index, if there is a value for the cursor to point at. */
function columnAt(column: Column | undefined, index: number): number {
  // uPlot takes null, too, and hides the point then; its types do not say so.
  return column && Number.isNaN(column.values[index]) ? (null as unknown as number) : index;
}

/** So many points of a column of pixels are drawn one by one. */
const FEW = 4;

/**
 * The line of a series from its point `first` to its point `last`. Where many points share a column of pixels it goes from their smallest to
 * their largest value, so no spike is lost.
 */
function path(plot: uPlot, { times, series, spanned }: Columns, index: number, first: number, last: number): uPlot.Series.Paths | null {
  const column = series[index];
  if (!column) return null;
  const stroke = new Path2D();
  const perPixel = (last - first + 1) / Math.max(1, plot.bbox.width);
  let drawn = false;
  let before = 0;
  const x = (time: number) => plot.valToPos(time, 'x', true);
  const y = (value: number) => plot.valToPos(value, 'y', true);
  const gap = () => (drawn &&= spanned);
  const to = (left: number, top: number) => {
    if (drawn) stroke.lineTo(left, top);
    else stroke.moveTo(left, top);
    drawn = true;
    before = top;
  };
  if (perPixel <= FEW) {
    for (let at = first; at <= last; at += 1) {
      const value = column.values[at]!;
      if (Number.isNaN(value)) gap();
      else to(x(times[at]!), y(value));
    }
    return { stroke };
  }
  for (const part of column.envelope.parts(first, last + 1, 2 * perPixel)) {
    if (Number.isNaN(part.min)) {
      gap();
      continue;
    }
    const left = x(times[(part.from + part.to) >> 1]!);
    const [low, high] = [y(part.min), y(part.max)];
    // From where the line comes, the nearer end first.
    const ends = Math.abs(before - low) < Math.abs(before - high) ? [low, high] : [high, low];
    for (const top of ends) to(left, top);
  }
  return { stroke };
}
