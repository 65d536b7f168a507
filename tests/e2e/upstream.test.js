// The upstream client's dialect, spoken by replaying what that client sent when the recordings were made.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { readDump } from '../decoder/dump.js';
import { Collector } from '../harness/collector.js';
import { assertSame } from '../harness/same.js';

const recordings = new URL('../fixtures/recordings/', import.meta.url).pathname;

describe('the dialect rtcstats#5.0', () => {
  /** @type {Collector} */ let collector;

  before(async () => {
    collector = await Collector.start();
  });

  after(async () => {
    await collector?.dispose();
  });

  for (const name of ['loopback-av-60s', 'rich-session', 'rich-session-bogus-candidate']) {
    it(`stores ${name} as it was sent`, async () => {
      const [, header, ...lines] = readDump(`${recordings}${name}.jsonl`).trimEnd().split('\n');
      const { url, origin, userAgent } = JSON.parse(header);
      // The recording's last line is its server's.
      const recordedClose = lines.pop() ?? '';
      const known = new Set((await collector.sessions()).map(({ id }) => id));

      await send(`ws://127.0.0.1:${collector.port}${url}`, origin, userAgent, lines);
      const session = await collector.endedSession(({ id }) => !known.has(id), 5000);

      assert.equal(session.dialect, 'rtcstats#5.0');
      assert.equal(session.origin, origin);
      assert.equal(session.userAgent, userAgent);
      const connections = new Set(lines.map((line) => JSON.parse(line)[1]).filter((id) => id !== null));
      assert.equal(session.connections, connections.size);
      assert.equal(session.closeCode, 1005);
      const stored = readDump(collector.dumpPath(session.id, session.startTime)).trimEnd().split('\n');
      assert.equal(stored[0], 'RTCStatsDump');
      const metadata = JSON.parse(stored[1]);
      assert.equal(metadata.fileFormat, 3);
      assert.equal(metadata.clientProtocol, 'rtcstats#5.0');
      assert.equal(metadata.url, url);
      assert.deepEqual(stored.slice(2, -1), lines);
      const [method, connection, code] = JSON.parse(stored.at(-1) ?? '');
      assert.deepEqual([method, connection, code], JSON.parse(recordedClose).slice(0, 3));
    });
  }

  it('extracts the features that upstream extracts', async () => {
    for (const name of ['loopback-av-60s', 'rich-session']) {
      const golden = JSON.parse(readFileSync(`${recordings}${name}.features.json`, 'utf8'));
      const sessions = await collector.sessions();
      const connectionTime = golden.webSocketConnectionTime;
      const details = await Promise.all(sessions.map(({ id }) => collector.json(`/api/v1/sessions/${id}`)));
      const features = details.find(({ features }) => features.client.webSocketConnectionTime === connectionTime)?.features;
      assert.ok(features, `a session has the connection time of ${name}`);
      const { peerConnections, duration, ...client } = golden;
      // The replay is not as long as the call was: the collector's own closing line comes at once.
      const { duration: replayed, ...ours } = features.client;
      assertSame(named(ours, client), client, name);
      assert.ok(replayed > 0);
      assert.equal(features.connections.length, peerConnections.length);
      peerConnections.forEach((/** @type {any} */ connection, /** @type {number} */ index) => {
        const { id, ...actual } = features.connections[index];
        assert.equal(id, `PC_${index}`);
        const tracks = actual.tracks.map((/** @type {any} */ track, /** @type {number} */ at) => named(track, connection.tracks[at] ?? {}));
        assertSame({ ...named(actual, connection), tracks }, connection, `${name}, ${id}`);
      });
    }
  });
});

/**
 * Those of our features that upstream has there; others are held against its extractor by the tests of the crate.
 * @param {Record<string, any>} features
 * @param {Record<string, any>} upstream
 */
const named = (features, upstream) => Object.fromEntries(Object.entries(features).filter(([name]) => name in upstream));

/**
 * A line per frame, then an end without a close code, as a page that goes away leaves it.
 * @param {string} url
 * @param {string} origin
 * @param {string} userAgent
 * @param {string[]} lines
 */
async function send(url, origin, userAgent, lines) {
  const socket = new WebSocket(url, 'rtcstats#5.0', { origin, headers: { 'user-agent': userAgent } });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  for (const line of lines) socket.send(line);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.close();
  await closed;
}
