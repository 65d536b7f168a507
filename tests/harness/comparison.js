// Holds the events of a stored dump against what a page saw.

import assert from 'node:assert/strict';
import { obfuscated, obfuscatedCandidate, obfuscatedSdp } from '../decoder/address.js';
import { ExpectedReports } from '../decoder/expected.js';
import { methodToken } from '../decoder/tables.js';
import { assertSame } from './same.js';

/** @typedef {import('../decoder/dump.js').Event} Event */
/** @typedef {{ method: string, connection: string | null, value: any, extra: any[], at: number, gap?: boolean }} Seen `gap`: reports before it are missing */

// How far apart the page and rtctrace may notice one event: both run in one busy thread.
const clockTolerance = 250;

/** What the client and the collector add of their own: about the client, the socket, and its end. @param {Event} event */
export const isOwn = ({ method, connection }) => connection === null && ['create', 'websocket', 'close'].includes(method);

/** Events that come often and are recorded now and then: each that is stored must have been seen, in its place. */
const isSampled = (/** @type {{ method: string }} */ { method }) => method === 'RTCDataChannel.onbufferedamountlow';

/** Long tasks are counted from poll to poll; the page cannot tell which poll counted them. @param {Event} event */
const isLongTask = ({ method }) => method === 'longtask';

/** What has no counterpart in a page's record. @param {Event} event */
export const isUnseen = (event) => isOwn(event) || isLongTask(event);

/** @param {any} value @param {string} method */
function expectedValue(value, method) {
  if (value === null || typeof value !== 'object') return value;
  const copy = structuredClone(value);
  if (typeof copy.sdp === 'string') copy.sdp = obfuscatedSdp(copy.sdp);
  if (typeof copy.candidate === 'string') copy.candidate = obfuscatedCandidate(copy.candidate);
  if (method === 'RTCIceTransport.onselectedcandidatepairchange') {
    for (const name of ['local', 'remote']) copy[name].candidate = obfuscatedCandidate(copy[name].candidate);
  }
  if (method === 'onicecandidateerror') {
    for (const name of ['address', 'hostCandidate']) if (typeof copy[name] === 'string') copy[name] = obfuscated(copy[name]);
  }
  return copy;
}

/** A member that is null in a candidate says as little as one that is not there. @param {any} value */
function withoutNulls(value) {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

/**
 * What the dump must hold. A report that was asked for before a connection was closed and came after is nobody's.
 * @param {Seen[]} record
 * @returns {Seen[]}
 */
export function expectedRecord(record) {
  const closed = new Set();
  return record.filter(({ method, connection }) => {
    if (method === 'close') closed.add(connection);
    return !(method === 'getStats' && closed.has(connection));
  });
}

/**
 * Leaves out what was seen and not sampled. A stored event takes the one nearest in time.
 * @param {Seen[]} record @param {Event[]} stored
 */
function withoutUnsampled(record, stored) {
  const taken = new Set(
    stored.filter(isSampled).map((event) => {
      const candidates = record.filter((seen) => seen.method === event.method && seen.connection === event.connection);
      return candidates.sort((a, b) => Math.abs(a.at - event.time) - Math.abs(b.at - event.time))[0];
    }),
  );
  return record.filter((seen) => !isSampled(seen) || taken.has(seen));
}

/**
 * Every event, in order, with its value, extras and time.
 * @param {Event[]} events of the dump
 * @param {Seen[]} record of the page
 * @param {number} [tolerance] of their times, in ms
 * @returns {{ reports: number }}
 */
export function compareEvents(events, record, tolerance = clockTolerance) {
  const stored = events.filter((event) => !isUnseen(event));
  const expected = withoutUnsampled(expectedRecord(record), stored);
  for (const { value } of events.filter(isLongTask)) assert.ok(value.count >= 1 && value.duration >= 50 * value.count, JSON.stringify(value));
  /** @type {Map<string | null, ExpectedReports>} */
  const reports = new Map();
  let compared = 0;

  expected.forEach((seen, index) => {
    const event = stored[index];
    const where = `event ${index}`;
    const context = () =>
      [-3, -2, -1, 0, 1, 2].map((step) => `${name(expected[index + step])} | ${name(stored[index + step])}`).join('\n');
    assert.ok(event, `${where}, ${name(seen)}, is missing at the end of the dump; page | dump:\n${context()}`);
    assert.equal(name(event), name(seen), `${where}; page | dump:\n${context()}`);

    let actual = event.value;
    /** @type {any} */
    let value;
    let extra = seen.extra.map((item) => (item?.call ? `${methodToken(item.call)}-${item.number}` : item));
    if (seen.method === 'getStats') {
      let state = reports.get(seen.connection);
      if (!state) {
        reports.set(seen.connection, (state = new ExpectedReports()));
        extra = ['connected-0'];
      }
      if (seen.gap) state.gap();
      value = state.of(seen.value, event.value);
      compared += 1;
    } else {
      value = expectedValue(seen.value, seen.method);
      if (value?.candidate !== undefined) [value, actual] = [withoutNulls(value), withoutNulls(actual)];
    }
    assertSame(actual, value, `${where}, ${name(seen)}`);
    assertSame(event.extra, extra, `${where}, ${name(seen)}, extras`);
    assert.ok(Math.abs(event.time - seen.at) < tolerance, `${where}, ${name(seen)}: ${event.time} in the dump, ${seen.at} in the page`);
  });
  assert.deepEqual(stored.slice(expected.length).map(name), [], 'the dump holds nothing that the page did not see');
  return { reports: compared };
}

/** @param {{ method: string, connection: string | null } | undefined} event */
const name = (event) => (event ? `${event.method} ${event.connection ?? ''}`.trim() : '(none)');
