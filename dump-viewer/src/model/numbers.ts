// Numbers as people read them.

const PREFIXES = ['', 'k', 'M', 'G', 'T'];

function scaled(value: number, base: number): [string, string] {
  let power = 0;
  let rest = Math.abs(value);
  while (rest >= base && power < PREFIXES.length - 1) {
    rest /= base;
    power += 1;
  }
  return [plain(Math.sign(value) * rest), PREFIXES[power] ?? ''];
}

/** At most four significant digits, whole numbers up to 9999 as they are. */
export function plain(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return String(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ');
  if (size >= 100) return String(Number(value.toFixed(1)));
  if (size >= 1) return String(Number(value.toFixed(2)));
  if (size >= 0.001 || size === 0) return String(Number(value.toPrecision(3)));
  return value.toExponential(1);
}

/** A value with its unit: `1.25 Mbit/s`, `16.7 ms`, `640 px`. */
export function valueText(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  switch (unit) {
    case 'bits/s':
    case 'bytes': {
      const [text, prefix] = scaled(value, 1000);
      return `${text} ${prefix}${unit === 'bytes' ? 'B' : 'bit/s'}`;
    }
    case 's':
      return value !== 0 && Math.abs(value) < 1 ? `${plain(value * 1000)} ms` : `${plain(value)} s`;
    case '':
      return Math.abs(value) >= 1e6 ? scaled(value, 1000).join(' ') : plain(value);
    case '%':
      return `${plain(value)} %`;
    default:
      return `${plain(value)} ${unit}`;
  }
}

/** Ticks of a value axis: short, all in the same unit. */
export function axisTexts(values: number[], unit: string): string[] {
  const largest = Math.max(...values.map((value) => Math.abs(value)));
  if (!Number.isFinite(largest)) return values.map(() => '');
  if (unit === 's' && largest < 1) return values.map((value) => (value === 0 ? '0' : `${Number((value * 1000).toPrecision(3))} ms`));
  const power = Math.min(PREFIXES.length - 1, largest >= 1e4 ? Math.floor(Math.log10(largest) / 3) : 0);
  const prefix = PREFIXES[power] ?? '';
  return values.map((value) => (value === 0 ? '0' : `${Number((value / 1000 ** power).toPrecision(4))}${prefix && `\u2009${prefix}`}`));
}

/** `1 event`, `2 events`. */
export function countText(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

export function bytesText(bytes: number | null): string {
  return bytes === null ? '' : valueText(bytes, 'bytes');
}
