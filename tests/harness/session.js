// What every complete recording of a call has, whoever made the call.

import assert from 'node:assert/strict';
import { decodeDump, readDump } from '../decoder/dump.js';

/** @typedef {ReturnType<typeof decodeDump>} Dump */

/**
 * The stored dump of a session, once it has ended.
 * @param {import('./collector.js').Collector} collector
 * @param {string} id
 * @returns {Promise<{ session: any, dump: Dump }>}
 */
export async function storedSession(collector, id) {
  const session = await collector.endedSession((candidate) => candidate.id === id);
  return { session, dump: decodeDump(readDump(collector.dumpPath(session.id, session.startTime))) };
}

/** The methods of one connection, or of none, in order. @param {Dump} dump @param {string | null} connection */
export const methodsOf = (dump, connection) => dump.events.filter((event) => event.connection === connection).map(({ method }) => method);

/** @param {Dump} dump @returns {string[]} the connections, in order of first sight */
export const connectionsOf = (dump) => [...new Set(dump.events.map(({ connection }) => connection))].filter((id) => id !== null);

/**
 * It begins with what the client is and ends with the socket's close; nothing was dropped; calls that end later have ended once.
 * @param {{ session: any, dump: Dump }} stored
 */
export function assertComplete({ session, dump }) {
  assert.equal(session.closeCode, 1000);
  assert.equal(session.lines, dump.lines.length);
  const { events } = dump;
  assert.deepEqual([events[0]?.method, events[0]?.connection], ['create', null]);
  assert.deepEqual([events.at(-1)?.method, events.at(-1)?.connection], ['close', null]);
  assert.deepEqual(events.filter(({ method }) => method.startsWith(':rtctrace.')), []);
  for (const call of ['createOffer', 'createAnswer', 'setLocalDescription', 'setRemoteDescription', 'addIceCandidate', 'navigator.mediaDevices.getUserMedia']) {
    const ids = (/** @type {string[]} */ ...methods) => events.filter(({ method }) => methods.includes(method)).map(({ extra }) => extra[0]);
    assert.deepEqual(ids(`${call}OnSuccess`, `${call}OnFailure`).sort(), ids(call).sort(), `outcomes of ${call}`);
  }
}

/**
 * The reports of a connection: each with what the browser says of the connection, and with media that move.
 * @param {Dump} dump
 * @param {string} connection
 * @param {number} least how many reports there must be
 */
export function assertReports(dump, connection, least) {
  const reports = dump.events.filter((event) => event.connection === connection && event.method === 'getStats');
  assert.ok(reports.length >= least, `${connection} has ${reports.length} reports`);
  assert.deepEqual(reports[0].extra, ['connected-0']);
  // Firefox has no more entries of the connection as a whole.
  const types = /Firefox/.test(dump.metadata.userAgent) ? ['candidate-pair'] : ['candidate-pair', 'peer-connection', 'transport'];
  const bytes = reports.map(({ value }) => {
    const entries = Object.values(value);
    for (const type of types) assert.ok(entries.some((entry) => entry.type === type), `${type} in a report of ${connection}`);
    const pairs = entries.filter((entry) => entry.type === 'candidate-pair');
    return pairs.reduce((sum, { bytesSent = 0, bytesReceived = 0 }) => sum + bytesSent + bytesReceived, 0);
  });
  // A new path counts from zero, and the old one is forgotten.
  assert.ok(Math.max(...bytes) > (least < 2 ? 0 : Math.min(...bytes)), `bytes in the reports of ${connection}: ${bytes}`);
}
