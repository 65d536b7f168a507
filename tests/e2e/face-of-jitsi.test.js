// A call through the faces of Jitsi's client, in Jitsi's dialect, over a network that breaks.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeDump, readDump } from '../decoder/dump.js';
import { openBrowser, openPage } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { Proxy } from '../harness/proxy.js';
import { assertSame } from '../harness/same.js';
import { openSite } from '../harness/site.js';

/** What no report in a dump has. */
const left = /^(id|isRemote|ip|mediaType|writable|(local|remote)CertificateId)$/;

/** The deltas of Jitsi's client undone, by its own rules. */
class Reports {
  /** @type {Record<string, Record<string, any>>} */
  #entries = {};

  /** @param {Record<string, any>} delta */
  full({ timestamp, ...delta }) {
    this.#entries = Object.fromEntries(
      Object.entries(delta).map(([id, entry]) => {
        const whole = { ...this.#entries[id], ...entry };
        return [id, { ...whole, timestamp: whole.timestamp === 0 ? timestamp : whole.timestamp }];
      }),
    );
    return this.#entries;
  }
}

/**
 * Entries without their names, for those are another's; references are followed to what they name.
 * @param {Record<string, Record<string, any>>} report
 */
function withoutNames(report) {
  /** @param {string} name @param {any} value */
  const plain = (name, value) => (name.endsWith('Id') && report[value] ? `-> ${report[value].type}` : value);
  return Object.values(report)
    .filter(({ type }) => type !== 'certificate')
    .map((entry) =>
      JSON.stringify(
        Object.entries(entry)
          .filter(([name, value]) => !left.test(name) && value !== null)
          .map(([name, value]) => [name, plain(name, value)])
          .sort(),
      ),
    )
    .sort();
}

/** What our lines say otherwise. @type {Record<string, (value: any) => any>} */
const inOurWords = {
  createDataChannel: (value) => Object.values(value),
  addTrack: (value) => track(value),
  ontrack: (value) => track(value),
  'navigator.mediaDevices.getUserMediaOnSuccess': ({ id, tracks }) =>
    tracks.map((/** @type {any} */ one) => [one.kind, one.id, one.label, id]),
};

/** @param {string} text */
function track(text) {
  const [name, streams] = text.split(' ');
  const at = name.indexOf(':');
  const ids = streams.split(/[;,]/).filter((stream) => stream && stream !== '-');
  return [name.slice(0, at), name.slice(at + 1), '', ...ids.map((stream) => stream.replace('stream:', ''))];
}

describe("a call through the faces of Jitsi's client", () => {
  /** @type {Collector} */ let collector;
  /** @type {Proxy} */ let proxy;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  /** @type {import('../harness/site.js').Site} */ let site;

  before(async () => {
    [collector, browser, site] = await Promise.all([
      Collector.start({ RTCTRACE_PRIVACY_ADDRESSES: 'false' }),
      openBrowser(),
      openSite(),
    ]);
    proxy = await Proxy.open(collector.port);
  });

  after(async () => {
    await browser?.close();
    await proxy?.close();
    await site?.close();
    await collector?.dispose();
  });

  it('is stored through a cut and a crash with every entry once, in order and equal', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${site.url}/jitsi-face.html?duration=12&endpoint=${encodeURIComponent(proxy.url)}`);
    await page.click('button');
    await page.waitForTimeout(3000);
    proxy.cut();
    await page.waitForTimeout(4000);
    await collector.crash();
    await collector.run();
    /** @type {{ entries: [string, string | null, any][], codes: number[] }} */
    const { entries, codes } = await page.evaluate(() => /** @type {any} */ (window).outcome);
    const session = await collector.endedSession(({ dialect }) => dialect === '3.1_STANDARD');
    await page.close();
    // The socket's own failures are told on the console.
    assert.deepEqual(faults.filter((fault) => !/WebSocket|connection to/.test(fault)), []);
    assert.ok(codes.length >= 2, `sockets closed with ${codes}`);
    assert.equal((await collector.sessions()).length, 1);
    assert.equal(session.closeCode, 3001);

    const { lines, events } = decodeDump(readDump(collector.dumpPath(session.id, session.startTime)));
    events.pop();
    assert.deepEqual(events.map(({ extra }) => extra.at(-1)), entries.map((_, index) => index + 1), 'every number is there once');
    assert.equal(lines.length, entries.length + 1);
    /** @type {Record<string, Reports>} */
    const reports = {};
    let compared = 0;
    entries.forEach(([type, connection, value], index) => {
      const event = events[index];
      assert.equal(event.connection, connection);
      if (type === 'getstats') {
        compared += 1;
        assert.equal(event.method, 'getStats');
        const full = (reports[connection ?? ''] ??= new Reports()).full(value);
        assertSame(withoutNames(event.value), withoutNames(full), `entry ${index}`);
      } else {
        assert.equal(event.method, type);
        assertSame(event.value, inOurWords[type]?.(value) ?? value, `entry ${index}, ${type}`);
      }
    });
    assert.ok(compared >= 20, `${compared} reports were compared`);
  });
});
