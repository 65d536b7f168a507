// What is made of measured times.

/** @param {number[]} values @param {number} part 0.5 for the median */
export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] : Number.NaN;
}

/** @param {number[]} values */
export const median = (values) => quantile(values, 0.5);

/** @param {number[]} values */
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** @param {number} value @param {number} [digits] */
export const fixed = (value, digits = 3) => (Number.isFinite(value) ? value.toFixed(digits) : '-');

/** Columns of equal width, the first one to the left. @param {(string | number)[][]} rows */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column] ?? '').length)));
  return rows
    .map((row) => row.map((cell, column) => (column ? String(cell).padStart(widths[column]) : String(cell).padEnd(widths[column]))).join('  '))
    .join('\n');
}
