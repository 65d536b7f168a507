// What a dump must hold of the reports that a page saw: the raw reports after the documented removals, under short ids.

import { obfuscatedEntry } from './address.js';

/** @typedef {Record<string, any>} Entry */

const removedMembers = new Set(['id', 'isRemote', 'ip', 'mediaType', 'writable', 'localCertificateId', 'remoteCertificateId']);

/** Whether two entries say the same, ids aside. @param {Entry} raw @param {Entry} decoded */
const isSame = (raw, decoded) => Object.entries(raw).every(([name, value]) => removedMembers.has(name) || name.endsWith('Id') || JSON.stringify(decoded[name]) === JSON.stringify(value));

/** The reports of one connection, in the order the page saw them. */
export class ExpectedReports {
  /** @type {Map<string, string>} */
  #shortIds = new Map();
  #next = 0;
  #isComplete = true;

  /** Reports are missing here: which short ids their entries had is not known. */
  gap() {
    this.#isComplete = false;
  }

  /**
   * @param {Record<string, Entry>} seen what getStats returned
   * @param {Record<string, Entry>} decoded what the dump has in its place: the client may have added the CPU pressure
   * @returns {Record<string, Entry>} by short id
   */
  of(seen, decoded) {
    const pressure = Object.values(decoded).find((entry) => entry.type === 'compute-pressure');
    const raw = pressure ? { ...seen, rtcStatsComputePressure: pressure } : seen;
    const entries = Object.entries(raw).filter(([, entry]) => entry.type !== 'certificate');
    for (const [id, entry] of entries) {
      if (!this.#shortIds.has(id)) this.#shortIds.set(id, this.#isComplete ? String(this.#next++) : this.#find(entry, decoded));
    }
    /** @type {Record<string, Entry>} */
    const expected = {};
    for (const [id, entry] of entries) {
      /** @type {Entry} */
      const kept = {};
      for (const [name, value] of Object.entries(obfuscatedEntry(entry))) {
        if (removedMembers.has(name)) continue;
        kept[name] = name.endsWith('Id') ? (this.#shortIds.get(value) ?? value) : value;
      }
      expected[/** @type {string} */ (this.#shortIds.get(id))] = kept;
    }
    for (const id of this.#shortIds.keys()) {
      // An entry that vanished and comes back gets a new short id.
      if (!(id in raw)) this.#shortIds.delete(id);
    }
    return expected;
  }

  /** The short id of a new entry, found by all that is no short id itself. @param {Entry} entry @param {Record<string, Entry>} decoded */
  #find(entry, decoded) {
    const known = new Set(this.#shortIds.values());
    const found = Object.entries(decoded).find(([short, candidate]) => !known.has(short) && isSame(obfuscatedEntry(entry), candidate));
    return found ? found[0] : `not found: ${entry.type}`;
  }

  /** The short id of an entry of the last report. @param {string} id */
  shortId(id) {
    return this.#shortIds.get(id);
  }
}
