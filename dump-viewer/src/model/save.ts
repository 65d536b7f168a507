// What is taken out of the viewer: the values of a graph as CSV (RFC 4180), its picture, a text.

import type { Columns } from './columns';
import { isoTime } from './time';

const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Lines of time and values; the cell of a value that is not there is empty. */
export function csv({ times, series }: Columns, labels: string[], unit: string): string {
  const head = ['time', 'unixMs', ...labels.map((label) => (unit ? `${label} (${unit})` : label))];
  const rows = Array.from(times, (time, at) => {
    const values = series.map(({ values }) => (Number.isNaN(values[at]) ? '' : String(values[at])));
    return [isoTime(time), String(time), ...values];
  });
  return [head, ...rows].map((row) => row.map(quoted).join(',') + '\r\n').join('');
}

/** A name that every file system takes. */
export const fileName = (name: string, extension: string) => `${name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|-+$/g, '') || 'rtctrace'}.${extension}`;

export function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has to have begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export interface Picture {
  title: string;
  unit: string;
  legend: { label: string; color: string; value: string; dashed: boolean }[];
  background: string;
  color: string;
  font: string;
}

/** How large a graph is drawn for a picture: so that it can be read wherever it is put, whatever it has on the screen. CSS pixels. */
export const PICTURE = { width: 860, height: 280, ratio: 2 };

/** A graph of that size with its title and its legend, as somebody would put it into a ticket. */
export function picture(plot: HTMLCanvasElement, { title, unit, legend, background, color, font }: Picture): Promise<Blob> {
  const scale = PICTURE.ratio;
  const [pad, line] = [10 * scale, 18 * scale];
  const canvas = document.createElement('canvas');
  canvas.width = plot.width + 2 * pad;
  canvas.height = plot.height + 2 * pad + (legend.length + 1.5) * line;
  const context = canvas.getContext('2d');
  if (!context) return Promise.reject(new Error('no canvas'));
  context.fillStyle = background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = color;
  context.textBaseline = 'middle';
  context.font = `600 ${13 * scale}px ${font}`;
  context.fillText(unit && !title.endsWith(unit) ? `${title}, ${unit}` : title, pad, pad + line / 2);
  context.drawImage(plot, pad, pad + 1.25 * line);
  context.font = `${12 * scale}px ${font}`;
  legend.forEach((entry, index) => {
    const y = pad + plot.height + (index + 1.75) * line;
    context.strokeStyle = entry.color;
    context.lineWidth = 3 * scale;
    context.setLineDash(entry.dashed ? [3 * scale, 2 * scale] : []);
    context.beginPath();
    context.moveTo(pad, y);
    context.lineTo(pad + 16 * scale, y);
    context.stroke();
    context.fillStyle = color;
    context.textAlign = 'right';
    context.fillText(entry.value, canvas.width - pad, y);
    const rest = canvas.width - 2 * pad - 32 * scale - context.measureText(entry.value).width;
    context.textAlign = 'left';
    context.fillText(entry.label, pad + 24 * scale, y, Math.max(1, rest));
  });
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png'));
}
