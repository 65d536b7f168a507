// What a dump says is missing from it, held against what a page saw.

import assert from 'node:assert/strict';
import { expectedRecord, isUnseen } from './comparison.js';

/** @typedef {import('../decoder/dump.js').Event} Event */
/** @typedef {import('./comparison.js').Seen} Seen */

const method = ':rtctrace.dropped';

/** The time of a report: no two of a connection have the same. @param {any} report */
const timeOf = (report) => Object.values(report).find(({ type }) => type === 'peer-connection')?.timestamp;

/**
 * Takes out of both what belongs to drops: the lines that tell of them, and the reports that are not in the dump. Each line has to
 * stand behind all that it counts, and all that is missing has to be counted.
 * @param {Event[]} events of the dump
 * @param {Seen[]} record of the page
 * @returns {{ events: Event[], record: Seen[], dropped: number }} a report that follows missing ones is marked with `gap`
 */
export function withoutDropped(events, record) {
  /** @type {Map<string | null, { missing: number, told: number, gap: boolean }>} */
  const connections = new Map();
  /** @param {string | null} id */
  const of = (id) => connections.get(id) ?? connections.set(id, { missing: 0, told: 0, gap: false }).get(id) ?? assert.fail();
  let at = 0;
  // Reports that found no room, of whatever connection.
  let refused = 0;
  const tell = () => {
    for (; events[at]?.method === method; at += 1) {
      const { connection, value } = events[at];
      assert.ok(value.bytes > 0, JSON.stringify(value));
      if (connection === null) {
        refused += value.lines ?? value.reports;
        continue;
      }
      const state = of(connection);
      state.told += value.reports;
      assert.ok(state.told <= state.missing, `${state.told} reports of ${connection} are counted before event ${at}, where ${state.missing} are missing`);
    }
  };

  /** @type {Seen[]} */
  const kept = [];
  for (const seen of expectedRecord(record)) {
    if (seen.method === 'getStats') {
      const next = events.slice(at).find((event) => event.method !== method && !isUnseen(event));
      const state = of(seen.connection);
      if (next?.method !== 'getStats' || next.connection !== seen.connection || timeOf(next.value) !== timeOf(seen.value)) {
        state.missing += 1;
        state.gap = true;
        continue;
      }
      kept.push({ ...seen, gap: state.gap });
      state.gap = false;
    } else {
      kept.push(seen);
    }
    for (;;) {
      tell();
      const event = events[at];
      at += 1;
      if (!event || !isUnseen(event)) break;
    }
  }
  tell();
  const states = [...connections.values()];
  const dropped = states.reduce((sum, { missing }) => sum + missing, 0);
  const told = states.reduce((sum, state) => sum + state.told, refused);
  assert.equal(told, dropped, 'reports that the dump counts as dropped, and that are missing');
  return { events: events.filter((event) => event.method !== method), record: kept, dropped };
}
