// Report deltas to full reports. Written from the format's description, apart from the project's own codec, so that an error in
// that codec cannot hide itself.

import { propertyName, typeName } from './tables.js';

/** @typedef {Record<string, any>} Entry */

// The timestamps of these say when something arrived (an RTCP report, a pressure record), not when the report was made.
const arrivalTimes = new Set(['remote-inbound-rtp', 'remote-outbound-rtp', 'compute-pressure']);

/** @param {any} value @returns {value is Record<string, any>} */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param {Entry} into @param {Entry} changes */
function merge(into, changes) {
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete into[name];
    else if (isObject(value) && isObject(into[name])) merge(into[name], value);
    else into[name] = value;
  }
}

/** The state of one connection's reports. */
export class ReportDecoder {
  /** @type {Record<string, Entry>} */
  #entries = {};

  /** @param {Record<string, any>} delta @returns {Record<string, Entry>} the full report, a copy, by short entry id */
  decode(delta) {
    const { t: time, timestamp, ...changed } = delta;
    const now = time ?? timestamp;
    for (const [id, tokens] of Object.entries(changed)) {
      if (tokens === null) {
        delete this.#entries[id];
        continue;
      }
      /** @type {Entry} */
      const changes = {};
      for (const [token, value] of Object.entries(tokens)) changes[propertyName(token)] = value;
      if ('type' in changes) changes.type = typeName(changes.type);
      // Short ids are never used again, so an unknown one is a new entry.
      this.#entries[id] ??= { timestamp: now };
      merge(this.#entries[id], changes);
      if (!('timestamp' in changes) && !arrivalTimes.has(this.#entries[id].type)) this.#entries[id].timestamp = now;
    }
    for (const [id, entry] of Object.entries(this.#entries)) {
      if (!(id in changed) && now !== undefined && !arrivalTimes.has(entry.type)) entry.timestamp = now;
    }
    return structuredClone(this.#entries);
  }
}
