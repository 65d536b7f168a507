// Times as people read them, and where an axis has its ticks.

export type TimeMode = 'relative' | 'local' | 'utc';

const two = (n: number) => String(n).padStart(2, '0');
const three = (n: number) => String(n).padStart(3, '0');

/** `+1:02.345` since `start`, hours only if there are any. */
export function relative(ms: number, digits = 3): string {
  const negative = ms < 0;
  // Rounded before it is split: 59.9996 s is a minute.
  const unit = 10 ** (3 - digits);
  const rest = Math.round(Math.abs(ms) / unit) * unit;
  const hours = Math.floor(rest / 3_600_000);
  const minutes = Math.floor(rest / 60_000) % 60;
  const seconds = Math.floor(rest / 1000) % 60;
  const fraction = digits > 0 ? `.${three(rest % 1000).slice(0, digits)}` : '';
  const head = hours > 0 ? `${hours}:${two(minutes)}` : `${minutes}`;
  return `${negative ? '−' : ''}${head}:${two(seconds)}${fraction}`;
}

function clock(time: number, utc: boolean, digits: number): string {
  const date = new Date(time);
  const [h, m, s, ms] = utc
    ? [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(), date.getUTCMilliseconds()]
    : [date.getHours(), date.getMinutes(), date.getSeconds(), date.getMilliseconds()];
  const fraction = digits > 0 ? `.${three(ms).slice(0, digits)}` : '';
  return `${two(h)}:${two(m)}:${two(s)}${fraction}`;
}

/** Three years: whoever reads of such a span has a file with a wrong clock before them. */
const ABSURD = 1e11;

/** A time of a recording that began at `start`. */
export function timeText(time: number, start: number, mode: TimeMode, digits = 3): string {
  if (!Number.isFinite(time)) return '';
  if (mode === 'relative' ? Math.abs(time - start) > ABSURD : Math.abs(time) > 8.64e15) return 'far off';
  return mode === 'relative' ? relative(time - start, digits) : clock(time, mode === 'utc', digits);
}

export function isoTime(time: number): string {
  return Number.isFinite(time) && Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : '';
}

const dateFormat = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

export function dateText(time: number): string {
  return Number.isFinite(time) && Math.abs(time) <= 8.64e15 ? dateFormat.format(time) : 'unknown';
}

/** A length of time: `850 ms`, `15.2 s`, `3 min 20 s`, `2 h 5 min`. */
export function durationText(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms) || ms < 0) return '';
  if (ms > ABSURD) return 'years';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500,
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR,
];

/** Round times from `min` to `max`, at most about `count`; round counts from `start` in relative mode. */
export function ticks(min: number, max: number, count: number, start: number, mode: TimeMode): number[] {
  const span = max - min;
  if (!(span > 0) || count < 1) return [];
  const step = STEPS.find((step) => span / step <= count) ?? Math.ceil(span / count / (24 * HOUR)) * 24 * HOUR;
  const origin = mode === 'relative' ? start : mode === 'utc' ? 0 : new Date(min).getTimezoneOffset() * MINUTE;
  const first = Math.ceil((min - origin) / step);
  const last = Math.floor((max - origin) / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => origin + (first + index) * step);
}

/** Digits after the second that tell such ticks apart. */
export function tickDigits(times: number[]): number {
  const step = times.length > 1 ? (times[1] ?? 0) - (times[0] ?? 0) : SECOND;
  return step >= SECOND ? 0 : step >= 100 ? 1 : step >= 10 ? 2 : 3;
}
