// The reader that the other tests trust is itself held against recordings whose raw reports are known.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { decodeDump, readDump } from '../decoder/dump.js';
import { ExpectedReports } from '../decoder/expected.js';
import { assertSame } from '../harness/same.js';

const recordings = new URL('../fixtures/recordings/', import.meta.url).pathname;

test('the reports of a recording decode to what getStats returned', () => {
  const { events } = decodeDump(readDump(`${recordings}loopback-av-60s.jsonl`));
  /** @type {[string, Record<string, any>][]} */
  const raw = gunzipSync(readFileSync(`${recordings}loopback-av-60s.raw-getstats.jsonl.gz`))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const connection of ['PC_0', 'PC_1']) {
    const expected = new ExpectedReports();
    const decoded = events.filter((event) => event.method === 'getStats' && event.connection === connection);
    const seen = raw.filter(([id]) => id === connection);
    // The raw reports are those of the polls; the recording ends with the same number of them.
    assert.equal(decoded.length, seen.length);
    decoded.forEach(({ value }, index) => {
      const report = expected.of(seen[index][1], value);
      assertSame(withoutVanished(value, report), report, `${connection}, report ${index}`);
    });
  }
});

test('the descriptions of a recording expand to whole session descriptions', () => {
  const { events } = decodeDump(readDump(`${recordings}rich-session.jsonl`));
  const descriptions = events.filter(({ value }) => typeof value?.sdp === 'string' && value.sdp.length > 10);
  assert.ok(descriptions.length > 10);
  for (const { value } of descriptions) {
    assert.doesNotMatch(value.sdp, /(^|\n)(v=|m=)\r?\n/);
    assert.match(value.sdp, /^v=0\r\n(.+\r\n)+$/);
  }
});

/**
 * The client that made the recordings could not say that a member vanished, so a reader still has its last value.
 * @param {Record<string, Record<string, any>>} decoded
 * @param {Record<string, Record<string, any>>} report
 */
function withoutVanished(decoded, report) {
  return Object.fromEntries(
    Object.entries(decoded).map(([id, entry]) => [id, Object.fromEntries(Object.entries(entry).filter(([name]) => name in (report[id] ?? entry)))]),
  );
}
