// The numbers of a graph: series of several stats entries on one list of times, and what is found of them.

import type { SeriesData } from '../import/messages';
import { Envelope } from './envelope';

/** One series; NaN where it has no value. */
export interface Column {
  values: Float64Array;
  envelope: Envelope;
  /** The points to which no line leads, in order: there was a gap before. */
  breaks: ArrayLike<number>;
  /** The points that no line leads to or from. */
  lonely: number[];
}

/** Series on one list of times, Unix ms. */
export interface Columns {
  times: Float64Array;
  series: Column[];
  /** Whether lines span the times that only others have. */
  spanned: boolean;
}

/** Brings series of several entries onto one list of times. */
export function align(data: SeriesData[]): Columns {
  const spanned = data.length > 1;
  const times = data.map(({ time }) => time).reduce(merged, new Float64Array());
  const series = data.map(({ time, breaks: away, values: [given = new Float64Array()] }) => {
    const isOwn = time === times;
    const values = isOwn ? given : placed(times, time, given);
    const gaps = spanned ? gapsOf(given, away) : away;
    const breaks = isOwn ? gaps : Uint32Array.from(gaps, (at) => firstFrom(times, time[at] ?? Infinity));
    return { values, envelope: new Envelope(values), breaks, lonely: lonely(values, breaks, spanned) };
  });
  return { times, series, spanned };
}

/** The points before which an entry was away, or had no value. */
function gapsOf(values: Float64Array, away: Uint32Array): number[] {
  const gaps: number[] = [];
  for (let at = 1, next = 0, pending = false; at < values.length; at += 1) {
    while ((away[next] ?? Infinity) <= at) {
      pending = true;
      next += 1;
    }
    pending ||= Number.isNaN(values[at - 1]);
    if (pending && !Number.isNaN(values[at])) {
      gaps.push(at);
      pending = false;
    }
  }
  return gaps;
}

/** The times of both, each once. */
function merged(a: Float64Array, b: Float64Array): Float64Array {
  if (a.length === 0) return b;
  if (a.length === b.length && a.every((time, at) => time === b[at])) return a;
  const both = new Float64Array(a.length + b.length);
  let length = 0;
  for (let i = 0, j = 0; i < a.length || j < b.length; length += 1) {
    const time = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    both[length] = time;
    while (i < a.length && a[i]! <= time) i += 1;
    while (j < b.length && b[j]! <= time) j += 1;
  }
  return both.slice(0, length);
}

/** Values of `own` times at the places of these in `times`, which has them all. */
function placed(times: Float64Array, own: Float64Array, values: Float64Array): Float64Array {
  const out = new Float64Array(times.length).fill(NaN);
  for (let at = 0, next = 0; at < times.length; at += 1) {
    while (next < own.length && own[next]! <= times[at]!) {
      out[at] = values[next] ?? NaN;
      next += 1;
    }
  }
  return out;
}

/** The index of the first time that is not before this one. */
export function firstFrom(times: ArrayLike<number>, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the point nearest to `time`, or null if there is none within the graph. */
export function nearest(times: ArrayLike<number>, time: number): number | null {
  const low = firstFrom(times, time);
  const after = times[low];
  const before = times[low - 1];
  if (before === undefined) return after === undefined ? null : 0;
  return after !== undefined && after - time < time - before ? low : low - 1;
}

/** The smallest and the largest value of all series from a time to another, and of the points on both sides, from where lines come; null where there is none. */
export function valuesBetween({ times, series }: Columns, from: number, to: number): [number, number] | null {
  const [first, end] = [firstFrom(times, from) - 1, firstFrom(times, to) + 1];
  const ranges = series.map(({ envelope }) => envelope.range(first, end)).filter((range) => range !== null);
  if (ranges.length === 0) return null;
  return [Math.min(...ranges.map(([min]) => min)), Math.max(...ranges.map(([, max]) => max))];
}

/**
 * The points that no line leads to or from, which would not be seen: in a call of two seconds a rate has one. Lines end at `breaks`, and where there
 * is no value unless they span that (`spanned`).
 */
export function lonely(values: Float64Array, breaks: ArrayLike<number>, spanned: boolean): number[] {
  const found: number[] = [];
  let [last, length, next, broken] = [-1, 0, 0, false];
  const end = () => {
    if (length === 1) found.push(last);
    length = 0;
  };
  for (let at = 0; at < values.length; at += 1) {
    for (; (breaks[next] ?? Infinity) <= at; next += 1) broken = true;
    if (Number.isNaN(values[at])) {
      if (!spanned) end();
      continue;
    }
    if (broken) end();
    broken = false;
    last = at;
    length += 1;
  }
  end();
  return found;
}
