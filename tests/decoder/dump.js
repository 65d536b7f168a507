// A whole dump, format 3, to its header and events. See report.js for why this exists twice.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { DescriptionDecoder } from './description.js';
import { ReportDecoder } from './report.js';
import { methodName } from './tables.js';

/**
 * @typedef {object} Event
 * @property {string} method
 * @property {string | null} connection
 * @property {any} value reports and descriptions in full
 * @property {any[]} extra
 * @property {number} time Unix time in ms
 */

/** @param {string} path @returns {string} the text of a dump, unpacked if it is gzip */
export function readDump(path) {
  const bytes = readFileSync(path);
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** @param {string} text @returns {{ metadata: Record<string, any>, lines: any[][], events: Event[] }} */
export function decodeDump(text) {
  const [magic, header, ...rest] = text.split('\n');
  if (magic !== 'RTCStatsDump') throw new Error(`a dump begins with RTCStatsDump, this one with ${magic?.slice(0, 40)}`);
  if (rest.pop() !== '') throw new Error('the last line of the dump is not ended');
  const metadata = JSON.parse(header);

  /** @type {Map<string | null, { reports: ReportDecoder, descriptions: DescriptionDecoder }>} */
  const connections = new Map();
  const lines = rest.map((line) => JSON.parse(line));
  let time = 0;
  const events = lines.map((line) => {
    const [token, connection, value, ...extra] = line;
    time += extra.pop();
    const method = methodName(token);
    let state = connections.get(connection);
    if (!state) connections.set(connection, (state = { reports: new ReportDecoder(), descriptions: new DescriptionDecoder() }));
    const full = method === 'getStats' ? state.reports.decode(value) : state.descriptions.decode(method, value, extra[0]);
    return { method, connection, value: full, extra, time };
  });
  return { metadata, lines, events };
}
