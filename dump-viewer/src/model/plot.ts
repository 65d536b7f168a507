// How a graph is drawn: series of stats entries on the shared time axis, with a scale of values.

import { firstFrom, valuesBetween, type Column, type Columns } from './columns';
import { axisTexts } from './numbers';
import type { Range } from './range';
import { tickDigits, ticks, timeText, type TimeMode } from './time';

/** One line of a graph: a series of an entry. */
export interface PlotLine {
  /** Index of the entry in its connection. */
  entry: number;
  name: string;
  label: string;
}

/** Of a graph and around its lines, CSS pixels. */
export const HEIGHT = 122;
export const EDGE = { left: 46, right: 8, top: 6, bottom: 24 };

/** How far apart the ticks of an axis are at least, and how wide a time is. */
const [X_SPACE, Y_SPACE, X_TEXT] = [75, 26, 22];

/** Of these, a part without its zero misleads. */
const FROM_ZERO = new Set(['bits/s', 'packets/s', 'frames/s', '%', 'px']);

export function valueRange(values: [number, number] | null, unit: string): [number, number] {
  if (values === null) return [0, 1];
  const [min, max] = values;
  // A zero line makes sizes comparable, unless it would press the movement flat.
  if (min === 0 && max === 0) return [0, 1];
  if (min >= 0 && (min <= 0.7 * max || FROM_ZERO.has(unit))) return [0, max * 1.08];
  if (min === max) return [Math.min(0, min * 1.1), Math.max(0, max * 1.1)];
  const pad = (max - min) * 0.1;
  return [min >= 0 ? Math.max(0, min - pad) : min - pad, max <= 0 ? Math.min(0, max + pad) : max + pad];
}

/** Round values between these, at most so many. */
export function valueTicks(min: number, max: number, count: number): number[] {
  const least = (max - min) / Math.max(1, count);
  if (!(least > 0) || !Number.isFinite(least)) return [];
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 2.5, 5].find((times) => times * power >= least) ?? 10);
  const [first, last] = [Math.ceil(min / step), Math.floor(max / step)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
}

export interface PlotStyle {
  text: string;
  grid: string;
  colors: string[];
  font: string;
}

let styled: { scheme: string; style: PlotStyle } | null = null;

/** The page's colours in this colour scheme: asked for once, as the answer takes the browser long. */
export function plotStyle(scheme: string): PlotStyle {
  if (styled?.scheme !== scheme) {
    const style = getComputedStyle(document.body);
    const variable = (name: string) => style.getPropertyValue(name).trim();
    const colors = [1, 2, 3, 4, 5, 6].map((n) => variable(`--series-${n}`));
    styled = { scheme, style: { text: variable('--faint'), grid: variable('--grid'), colors, font: `10.5px ${style.fontFamily}` } };
  }
  return styled.style;
}

/** Of a graph that is drawn for another place than the page. */
export interface Size {
  /** CSS pixels. */
  height?: number;
  /** Pixels of the canvas for each of them. */
  ratio?: number;
}

export interface View {
  range: Range;
  /** Of the whole recording. */
  start: number;
  mode: TimeMode;
  /** Further values that have room. */
  beside?: [number, number] | null;
}

/** From the smallest to the largest of both. */
function both(a: [number, number] | null, b: [number, number] | null): [number, number] | null {
  return a && b ? [Math.min(a[0], b[0]), Math.max(a[1], b[1])] : (a ?? b);
}

/** Draws all of a graph, anew. */
export function draw(canvas: HTMLCanvasElement, width: number, columns: Columns, unit: string, view: View, style: PlotStyle, size: Size = {}): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const { height = HEIGHT, ratio = devicePixelRatio } = size;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const { range } = view;
  const [right, bottom] = [width - EDGE.right, height - EDGE.bottom];
  const [low, high_] = valueRange(both(valuesBetween(columns, range.min, range.max), view.beside ?? null), unit);
  const area: Area = {
    left: EDGE.left,
    right,
    perTime: (right - EDGE.left) / (range.max - range.min),
    from: range.min,
    bottom,
    perValue: (bottom - EDGE.top) / (high_ - low),
    low,
  };
  axes(context, area, high_, unit, view, style, width);
  context.save();
  context.beginPath();
  context.rect(EDGE.left, 0, right - EDGE.left, bottom + 1);
  context.clip();
  context.lineJoin = 'bevel';
  context.lineWidth = 1.3;
  columns.series.forEach((column, index) => {
    const color = style.colors[index % style.colors.length] ?? style.text;
    context.strokeStyle = context.fillStyle = color;
    // Beyond the last colour they begin anew, dashed.
    context.setLineDash(index >= style.colors.length ? [4, 3] : []);
    line(context, area, columns, column, range);
  });
  context.restore();
}

/** Where times and values lie, CSS pixels. */
interface Area {
  left: number;
  right: number;
  from: number;
  perTime: number;
  bottom: number;
  low: number;
  perValue: number;
}

function axes(context: CanvasRenderingContext2D, area: Area, high: number, unit: string, { range, start, mode }: View, style: PlotStyle, width: number): void {
  const values = valueTicks(area.low, high, (area.bottom - EDGE.top) / Y_SPACE);
  const times = ticks(range.min, range.max, Math.max(2, width / X_SPACE), start, mode);
  const [x, y] = [(time: number) => area.left + (time - area.from) * area.perTime, (value: number) => area.bottom - (value - area.low) * area.perValue];
  context.strokeStyle = style.grid;
  context.lineWidth = 1;
  context.setLineDash([]);
  context.beginPath();
  for (const value of values) {
    context.moveTo(area.left, Math.round(y(value)) + 0.5);
    context.lineTo(area.right, Math.round(y(value)) + 0.5);
  }
  for (const time of times) {
    context.moveTo(Math.round(x(time)) + 0.5, EDGE.top);
    context.lineTo(Math.round(x(time)) + 0.5, area.bottom);
  }
  context.stroke();
  context.font = style.font;
  context.fillStyle = style.text;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  axisTexts(values, unit).forEach((text, index) => context.fillText(text, area.left - 5, y(values[index] ?? 0)));
  context.textAlign = 'center';
  const digits = tickDigits(times);
  // A label at the very edge would be cut off.
  for (const time of times) if (x(time) <= area.right - X_TEXT + EDGE.right) context.fillText(timeText(time, start, mode, digits), x(time), area.bottom + 13);
}

/** So many points of a column of pixels are drawn one by one. */
const FEW = 2;

/**
 * The line of a series, and the points that are alone. Where many points share a column of pixels it goes from their smallest to their largest value,
 * so no spike is lost. It ends where there is no value, and before a break.
 */
function line(context: CanvasRenderingContext2D, area: Area, { times, spanned }: Columns, column: Column, range: Range): void {
  const { values, breaks, envelope } = column;
  const [first, end] = [Math.max(0, firstFrom(times, range.min) - 1), Math.min(values.length, firstFrom(times, range.max) + 1)];
  const { left, from, perTime, bottom, low, perValue } = area;
  let next = firstFrom(breaks, first);
  let drawn = false;
  context.beginPath();
  const to = (x: number, value: number) => {
    const y = bottom - (value - low) * perValue;
    if (drawn) context.lineTo(x, y);
    else context.moveTo(x, y);
    drawn = true;
  };
  const broken = (at: number) => {
    let is = false;
    for (; (breaks[next] ?? Infinity) <= at; next += 1) is = true;
    return is;
  };
  const perPixel = (end - first) / Math.max(1, area.right - left);
  if (perPixel <= FEW) {
    for (let at = first; at < end; at += 1) {
      if (broken(at)) drawn = false;
      const value = values[at]!;
      if (!Number.isNaN(value)) to(left + (times[at]! - from) * perTime, value);
      else if (!spanned) drawn = false;
    }
  } else {
    // What falls on a column of pixels, until the next one begins.
    let [pixel, least, most, before] = [-1, Infinity, -Infinity, NaN];
    const flush = () => {
      if (least > most) return;
      // From where the line comes, the nearer end first.
      const ends = Math.abs(before - least) < Math.abs(before - most) ? [least, most] : [most, least];
      for (const value of ends) to(pixel + 0.5, value);
      before = ends[1] ?? NaN;
      [least, most] = [Infinity, -Infinity];
    };
    const part = (begin: number, min: number, max: number) => {
      const here = Math.floor(left + (times[begin]! - from) * perTime);
      if (here !== pixel) flush();
      pixel = here;
      if (Number.isNaN(min)) {
        flush();
        if (!spanned) drawn = false;
        return;
      }
      if (min < least) least = min;
      if (max > most) most = max;
    };
    for (const { from: begin, to: stop, min, max } of envelope.parts(first, end, perPixel)) {
      const [start, close] = [Math.max(begin, first), stop];
      if ((breaks[next] ?? Infinity) >= close) {
        part(start, min, max);
        continue;
      }
      // A break within: what is before it and what is after it lie apart.
      for (let at = start; at < close; ) {
        if (broken(at)) {
          flush();
          drawn = false;
        }
        const until = Math.min(close, breaks[next] ?? Infinity);
        const [min, max] = envelope.range(at, until) ?? [NaN, NaN];
        part(at, min, max);
        at = until;
      }
    }
    flush();
  }
  context.stroke();
  const { lonely } = column;
  for (let at = firstFrom(lonely, first); (lonely[at] ?? Infinity) < end; at += 1) {
    const point = lonely[at]!;
    context.fillRect(left + (times[point]! - from) * perTime - 1.5, bottom - (values[point]! - low) * perValue - 1.5, 3, 3);
  }
}
