// Holds the rows of the database against the decoded dump, which other tests have held against the page.

import assert from 'node:assert/strict';
import { assertSame } from './same.js';

/** @typedef {(sql: string, ...values: any[]) => Record<string, any>[]} Query */
/** @typedef {import('../decoder/dump.js').Event} Event */

const tables = { 'inbound-rtp': 'stats_inbound_rtp', 'outbound-rtp': 'stats_outbound_rtp', 'candidate-pair': 'stats_candidate_pair' };

/** @param {string} name a member's name in camel case */
export const columnName = (name) => name.replace(/[A-Z]+/g, (letters) => `_${letters.toLowerCase()}`);

/** SQLite has no booleans. @param {any} value */
const sqlValue = (value) => (typeof value === 'boolean' ? Number(value) : typeof value === 'bigint' ? Number(value) : value);

/** Lists and dictionaries are stored as JSON. An id of Firefox is a text in braces. @param {string} text */
function listOrText(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What a row says, by member name, of columns and `extra` alike. @param {Record<string, any>} row */
function rowMembers(row) {
  const { time, session_id, connection_id, stats_id, extra, ...columns } = row;
  /** @type {Record<string, any>} */
  const members = {};
  for (const [name, value] of Object.entries(columns)) {
    if (value === null) continue;
    members[name] = typeof value === 'string' && /^[[{]/.test(value) ? listOrText(value) : sqlValue(value);
  }
  for (const [name, value] of Object.entries(extra === null ? {} : JSON.parse(extra))) members[columnName(name)] = sqlValue(value);
  return members;
}

/** What a row must say of an entry. @param {Record<string, any>} entry */
function entryMembers(entry) {
  const { type, timestamp, ...members } = entry;
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [columnName(name), sqlValue(value)]));
}

/**
 * Every report is in the tables: each entry as a row, but for entries that did not change since their last row.
 * @param {Query} query @param {string} session @param {Event[]} events
 */
export function assertStatsRows(query, session, events) {
  for (const [type, table] of Object.entries(tables)) {
    const rows = query(`SELECT * FROM ${table} WHERE session_id = ? ORDER BY time`, session);
    /** @type {Map<string, Record<string, any>[]>} */
    const byEntry = new Map();
    for (const row of rows) {
      const key = `${row.connection_id}/${row.stats_id}`;
      byEntry.set(key, [...(byEntry.get(key) ?? []), row]);
    }

    /** @type {Map<string, string>} */
    const last = new Map();
    let expected = 0;
    for (const event of events.filter(({ method }) => method === 'getStats')) {
      for (const [id, entry] of Object.entries(/** @type {Record<string, any>} */ (event.value))) {
        if (entry.type !== type) continue;
        const key = `${event.connection}/${id}`;
        const members = entryMembers(entry);
        const text = JSON.stringify(Object.entries(members).sort());
        if (last.get(key) === text) continue;
        last.set(key, text);
        expected += 1;
        const row = byEntry.get(key)?.shift();
        assert.ok(row, `${table} lacks a row of ${key} at ${entry.timestamp}`);
        assertSame(rowMembers(row), members, `${table}, ${key} at ${entry.timestamp}`);
        assert.ok(Math.abs(rowTime(row) - entry.timestamp) < 2, `${table}, ${key}: ${row.time} instead of ${entry.timestamp}`);
      }
    }
    assert.equal(rows.length, expected, table);
    assert.ok(expected >= 24, `${table} has ${expected} rows`);
  }
}

/** @param {Record<string, any>} row @returns {number} Unix ms */
const rowTime = (row) => (typeof row.time === 'string' ? Date.parse(row.time) : Number(row.time));

/**
 * What the features must say of the call, computed from the events that the page's record has confirmed.
 * @param {Query} query @param {any} session as the API lists it @param {Event[]} events
 */
export function assertFeatures(query, session, events) {
  const [client] = query('SELECT * FROM features_client WHERE session_id = ?', session.id);
  assert.ok(client, 'features_client has a row');
  /** @param {string} method @param {string | null} connection */
  const first = (method, connection) => events.find((event) => event.method === method && event.connection === connection);
  /** @param {string} method */
  const count = (method) => events.filter((event) => event.method === method).length;
  const about = events[0].value;
  assertColumns('features_client', client, {
    hardware_concurrency: about.hardwareConcurrency,
    operating_system: about.userAgentData?.platform ?? null,
    enumerate_devices_count: 1,
    called_get_user_media: 1,
    called_get_user_media_audio: 1,
    called_get_user_media_video: 1,
    called_get_user_media_combined: 1,
    get_user_media_error: first('navigator.mediaDevices.getUserMediaOnFailure', null)?.value,
    get_user_media_error_count: 1,
    get_user_media_success_count: count('navigator.mediaDevices.getUserMediaOnSuccess'),
    called_get_display_media: 1,
    get_display_media_success_count: count('navigator.mediaDevices.getDisplayMediaOnSuccess'),
    web_socket_connection_time: first('websocket', null)?.value.connectionTime,
  });

  const rows = query('SELECT * FROM features_connection WHERE session_id = ? ORDER BY connection_id', session.id);
  assert.deepEqual(rows.map((row) => row.connection_id), ['PC_0', 'PC_1']);
  for (const row of rows) {
    const id = row.connection_id;
    const own = events.filter(({ connection }) => connection === id);
    const reports = own.filter(({ method }) => method === 'getStats').map(({ value }) => value);
    const states = own.filter(({ method }) => method === 'onconnectionstatechange');
    const transport = Object.values(reports[0]).find(({ type }) => type === 'transport');
    const pair = reports[0][transport.selectedCandidatePairId];
    assertColumns(`features_connection of ${id}`, row, {
      number_of_events: own.length,
      number_of_events_not_get_stats: own.length - reports.length,
      number_of_negotiations: own.filter(({ method, value }) => method === 'onsignalingstatechange' && value === 'stable').length,
      connected: 1,
      closed: 1,
      ice_connected: 1,
      added_host_candidate: 1,
      gathered_host_candidate: 1,
      // Firefox may still be asking the TURN server that is not there when the call ends.
      added_null_candidate: Number(own.some(({ method, value }) => method === 'addIceCandidate' && !value?.candidate)),
      configured_ice_servers: id === 'PC_0' ? 2 : null,
      configured_ice_servers_turn_udp: id === 'PC_0' ? 1 : null,
      configured_bundle_policy: id === 'PC_0' ? 'max-bundle' : null,
      dtls_version: transport.tlsVersion,
      srtp_cipher: transport.srtpCipher,
      first_candidate_pair_local_type: reports[0][pair.localCandidateId].candidateType,
      first_candidate_pair_local_address: reports[0][pair.localCandidateId].address,
      first_candidate_pair_remote_address: reports[0][pair.remoteCandidateId].address,
    });
    const duration = own[own.length - 1].time - own[0].time;
    assert.ok(Math.abs(Number(row.duration) - duration) <= 1, `${id} lasted ${duration} ms, the row says ${row.duration}`);
    const [connecting, connected] = ['connecting', 'connected'].map((state) => states.find(({ value }) => value === state)?.time ?? NaN);
    assert.ok(Math.abs(Number(row.connection_time) - (connected - connecting)) <= 1, `${id} connected in ${connected - connecting} ms, the row says ${row.connection_time}`);
    // Firefox tells of the transport, but not what it carried.
    if (transport.bytesSent === undefined) assert.equal(row.average_outbound_bitrate, null);
    else assert.ok(Number(row.average_outbound_bitrate) > 10_000, `${id} sent ${row.average_outbound_bitrate} bit/s`);
  }
}

/** @param {string} where @param {Record<string, any>} row @param {Record<string, any>} expected */
function assertColumns(where, row, expected) {
  for (const [name, value] of Object.entries(expected)) {
    assert.ok(name in row, `${where} has no column ${name}`);
    assert.equal(sqlValue(row[name]), value, `${where}.${name}`);
  }
}
