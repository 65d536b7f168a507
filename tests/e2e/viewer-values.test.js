// What the viewer draws is what the browser said: every series of a recording against the raw reports beside it, and every series that
// is computed against the same computed here, by the definitions and without the viewer's code.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { decodeDump } from '../decoder/dump.js';
import { ExpectedReports } from '../decoder/expected.js';

const fixtures = new URL('../fixtures/recordings/', import.meta.url).pathname;
const wasm = new URL('../../dump-viewer/src/wasm/', import.meta.url).pathname;

/** @typedef {{ time: number, stamp: number, members: Record<string, any> }} Sample an entry in one report */

/** @typedef {{ type: string, texts: Record<string, { value: string, changes: number }>, series: { name: string, kind: string, unit: string }[] }} Shown */

describe('the values of the viewer', () => {
  /** What its worker answers of a recording: the entries of each connection, and the points of any series. @type {any} */ let dump;
  /** @type {{ id: string, entries: (Shown & { id: string })[] }[]} */ let connections;
  /** By connection and entry, what was in the raw reports. @type {Map<string, Map<string, Sample[]>>} */ let raw;

  before(async () => {
    const file = readFileSync(`${fixtures}loopback-av-60s.jsonl`);
    const { initSync, Dump } = await import(`${wasm}viewer.js`);
    initSync({ module: readFileSync(`${wasm}viewer_bg.wasm`) });
    dump = Dump.open(file.length, (/** @type {number} */ start, /** @type {number} */ end) => new Uint8Array(file.subarray(start, end)));
    while (dump.readOn(30_000)) dump.overview();
    connections = JSON.parse(dump.overview()).connections;
    raw = rawSamples(file.toString());
  });

  it('are those of every member of every raw report', () => {
    let compared = 0;
    for (const [at, { id: connection, entries }] of connections.entries()) {
      const expected = raw.get(connection) ?? new Map();
      assert.deepEqual(entries.map(({ id }) => id).sort(), [...expected.keys()].sort(), connection);
      for (const [index, { id, type, series, texts }] of entries.entries()) {
        /** @type {Sample[]} */
        const samples = expected.get(id);
        const where = `${connection} ${type} ${id}`;
        assert.deepEqual([...dump.points(at, index)], samples.map(({ time }) => time), `${where}: times`);
        const [numbers, strings] = membersOf(samples);
        assert.deepEqual(series.filter(({ kind }) => kind !== 'derived').map(({ name }) => name).sort(), [...numbers].sort(), `${where}: members`);
        for (const name of numbers) {
          const told = samples.map(({ members }) => (typeof members[name] === 'boolean' ? Number(members[name]) : members[name]));
          dump.series(at, index, name).forEach((/** @type {number} */ value, /** @type {number} */ point) => {
            // Where a member vanished, the client that recorded this could not say so: its last value stays.
            const wanted = told[point] ?? told.slice(0, point).findLast((earlier) => earlier !== undefined) ?? NaN;
            assert.ok(Object.is(value, wanted) || value === wanted, `${where}: ${name} of report ${point} is ${value} instead of ${wanted}`);
            compared += 1;
          });
        }
        assert.deepEqual(Object.keys(texts).sort(), [...strings].sort(), `${where}: texts`);
        for (const name of strings) {
          const told = samples.map(({ members }) => members[name]).filter((value) => value !== undefined);
          const changes = told.filter((value, point) => point > 0 && value !== told[point - 1]).length;
          assert.deepEqual(texts[name], { value: told.at(-1), changes }, `${where}: ${name}`);
        }
      }
    }
    assert.ok(compared > 25_000, `${compared} values`);
  });

  it('that are computed are what their names say', () => {
    const seen = new Set();
    for (const [at, { id: connection, entries }] of connections.entries()) {
      for (const [index, { id, type, series }] of entries.entries()) {
        const samples = raw.get(connection)?.get(id) ?? [];
        for (const { name } of series.filter(({ kind }) => kind === 'derived')) {
          const wanted = computed(name, samples);
          const values = dump.series(at, index, name);
          assert.equal(values.length, samples.length, name);
          wanted.forEach((value, point) => {
            const near = Number.isNaN(value) ? Number.isNaN(values[point]) : Math.abs(values[point] - value) <= 1e-9 * Math.max(1, Math.abs(value));
            assert.ok(near, `${connection} ${type} ${id}: ${name} of report ${point} is ${values[point]} instead of ${value}`);
          });
          if (wanted.some((value) => value > 0)) seen.add(`${type} ${name}`);
        }
      }
    }
    // A series that is no longer there would be right, too.
    for (const wanted of [
      'inbound-rtp [bytesReceived_in_bits/s]', 'inbound-rtp [packetsReceived/s]', 'inbound-rtp [framesDecoded/s]',
      'inbound-rtp [totalDecodeTime/framesDecoded_in_ms]', 'inbound-rtp [jitterBufferDelay/jitterBufferEmittedCount_in_ms]',
      'inbound-rtp [interFrameDelayStDev_in_ms]', 'outbound-rtp [bytesSent_in_bits/s]',
      'outbound-rtp [packetsSent/s]', 'outbound-rtp [framesEncoded/s]', 'outbound-rtp [totalEncodeTime/framesEncoded_in_ms]',
      'candidate-pair [totalRoundTripTime/responsesReceived_in_ms]', 'media-source [Audio_Level_in_RMS]',
    ]) assert.ok(seen.has(wanted), `${wanted} is among ${[...seen].join(', ')}`);
  });
});

/** @param {string} text of the dump, whose `getStats` events give the times and the ids @returns {Map<string, Map<string, Sample[]>>} */
function rawSamples(text) {
  const reports = decodeDump(text).events.filter(({ method }) => method === 'getStats');
  /** @type {[string, Record<string, any>][]} */
  const seen = gunzipSync(readFileSync(`${fixtures}loopback-av-60s.raw-getstats.jsonl.gz`)).toString().trim().split('\n').map((line) => JSON.parse(line));
  const samples = new Map();
  for (const connection of new Set(seen.map(([id]) => id))) {
    const polls = reports.filter((event) => event.connection === connection);
    const own = seen.filter(([id]) => id === connection);
    assert.equal(polls.length, own.length);
    const [ids, entries] = [new ExpectedReports(), new Map()];
    for (const [index, { time, value }] of polls.entries()) {
      for (const [id, { timestamp, type, ...members }] of Object.entries(ids.of(own[index][1], value))) {
        entries.set(id, [...(entries.get(id) ?? []), { time, stamp: timestamp, members: flat(members) }]);
      }
    }
    samples.set(connection, entries);
  }
  return samples;
}

/** Members of objects under their path. @param {Record<string, any>} members */
function flat(members) {
  return Object.fromEntries(Object.entries(members).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null ? Object.entries(value).map(([key, inner]) => [`${name}.${key}`, inner]) : [[name, value]]));
}

/** The names of those that are numbers, and of those that are texts. @param {Sample[]} samples @returns {[Set<string>, Set<string>]} */
function membersOf(samples) {
  const [numbers, texts] = [new Set(), new Set()];
  for (const { members } of samples) {
    for (const [name, value] of Object.entries(members)) (typeof value === 'string' ? texts : numbers).add(name);
  }
  return [numbers, texts];
}

/**
 * What a series is by its name: of the intervals between samples in which the browser looked anew, at all samples of the interval but its first. NaN
 * where there is no interval, nothing was counted in it, or a counter ran backwards.
 * @param {string} name
 * @param {Sample[]} samples
 */
function computed(name, samples) {
  if (name === '[fractionLost_in_%]') return samples.map(({ members }) => members.fractionLost * 100);
  const formula = formulaOf(name.slice(1, -1));
  const isWhole = (/** @type {Sample} */ { members }) => formula.of.every((member) => typeof members[member] === 'number');
  const ends = [...samples.keys()].filter((at) => isWhole(samples[at]) && samples[at].stamp !== samples.slice(0, at).findLast(isWhole)?.stamp);
  const values = samples.map(() => NaN);
  ends.forEach((end, interval, all) => {
    if (interval === 0) return;
    const [from, to] = [samples[all[interval - 1]], samples[end]];
    const growth = formula.of.map((member) => to.members[member] - from.members[member]);
    const value = formula.value(growth, (to.stamp - from.stamp) / 1000);
    const isBackwards = growth.some((by, index) => by < 0 && formula.of[index] !== 'packetsLost');
    values.fill(isBackwards || !Number.isFinite(value) ? NaN : value, all[interval - 1] + 1, end + 1);
  });
  return values;
}

/** @param {string} name @returns {{ of: string[], value: (growth: number[], seconds: number) => number }} */
function formulaOf(name) {
  if (name === 'packetsLost_in_%') return { of: ['packetsLost', 'packetsReceived'], value: ([lost, received]) => Math.max(0, (lost / (lost + received)) * 100) };
  if (name === 'Audio_Level_in_RMS') return { of: ['totalAudioEnergy', 'totalSamplesDuration'], value: ([energy, duration]) => Math.sqrt(energy / duration) };
  if (name === 'interFrameDelayStDev_in_ms') {
    return {
      of: ['totalInterFrameDelay', 'totalSquaredInterFrameDelay', 'framesDecoded'],
      value: ([sum, squares, frames]) => Math.sqrt(Math.max(0, squares / frames - (sum / frames) ** 2)) * 1000,
    };
  }
  const [, of, unit] = name.match(/^(.+?)_in_(ms|%|bits\/s)$/) ?? ['', name, ''];
  if (unit === 'bits/s') return { of: [of], value: ([bytes], seconds) => (bytes * 8) / seconds };
  if (of.endsWith('/s')) return { of: [of.slice(0, -2)], value: ([count], seconds) => (of === 'packetsLost/s' && count < 0 ? NaN : count / seconds) };
  const factor = unit === 'ms' ? 1000 : unit === '%' ? 100 : 1;
  return { of: of.split('/'), value: ([sum, count]) => (sum / count) * factor };
}
