// The call of call.test.js, recorded through the face of upstream's client, in upstream's dialect.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeDump, readDump } from '../decoder/dump.js';
import { obfuscatedEntry } from '../decoder/address.js';
import { methodToken } from '../decoder/tables.js';
import { openBrowser, openPage } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { compareEvents, expectedRecord, isOwn } from '../harness/comparison.js';
import { assertSame } from '../harness/same.js';
import { openSite } from '../harness/site.js';
import { until } from '../harness/wait.js';

/** What upstream records although its tables have no token for it. */
const nameless = /^(:.*|MediaStreamTrack\.(enabled|contentHint)|navigator\.mediaDevices\.getDisplayMediaOnFailure)$/;
/** @param {{ method: string }} event */
const isUpstreams = ({ method }) => methodToken(method) !== method || nameless.test(method);

/** An entry without what names entries: short ids are another session's. @param {Record<string, any>} entry */
const withoutNames = (entry) =>
  JSON.stringify(
    Object.entries(entry)
      .filter(([name]) => !name.endsWith('Id') && !['id', 'isRemote', 'ip', 'mediaType', 'writable'].includes(name))
      .sort(),
  );

describe("a call through the face of upstream's client", () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  /** @type {{ url: string, close: () => Promise<void> }} */ let site;

  before(async () => {
    [collector, browser, site] = await Promise.all([Collector.start(), openBrowser(), openSite()]);
  });

  after(async () => {
    await browser?.close();
    await site?.close();
    await collector?.dispose();
  });

  it('is stored with every call, event and report that the page saw, in order and equal', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${site.url}/upstream-face.html?duration=8&endpoint=${encodeURIComponent(collector.url)}`);
    await page.click('button');
    const outcome = await page.evaluate(() => /** @type {any} */ (window).outcome);
    const session = await collector.endedSession(({ dialect }) => dialect === 'rtcstats#5.0');
    await page.close();
    assert.deepEqual(faults, []);
    assert.equal(session.connections, 2);

    const dump = decodeDump(readDump(collector.dumpPath(session.id, session.startTime)));
    assert.equal(dump.metadata.clientProtocol, 'rtcstats#5.0');
    assert.ok(Math.abs(dump.lines[0].at(-1) - Date.parse(session.startTime)) < 2000, 'the first time is absolute');
    const [first] = dump.events;
    assert.deepEqual([first.method, first.connection, first.value.reloadCount], ['create', null, 0]);
    assert.ok(dump.events.some(({ method, value }) => method === 'websocket' && value.connectionTime >= 0));
    const { reports } = compareEvents(dump.events, outcome.record.filter(isUpstreams));
    assert.ok(reports >= 12, `${reports} reports were compared`);
  });

  it('goes on in a session of its own when the collector was killed, with whole reports and nothing missing since', async () => {
    const known = new Set((await collector.sessions()).map(({ id }) => id));
    const { page, faults } = await openPage(browser);
    await page.goto(`${site.url}/upstream-face.html?duration=12&endpoint=${encodeURIComponent(collector.url)}`);
    await page.click('button');
    await page.waitForTimeout(3500);
    await collector.crash();
    await page.waitForTimeout(1500);
    await collector.run();
    const outcome = await page.evaluate(() => /** @type {any} */ (window).outcome);
    const ended = await until('both sessions have ended', 20_000, async () => {
      const sessions = (await collector.sessions()).filter(({ id, state, dumpBytes }) => !known.has(id) && state === 'ended' && dumpBytes);
      return sessions.length === 2 ? sessions.sort((a, b) => a.startTime.localeCompare(b.startTime)) : null;
    });
    await page.close();
    // The socket's own failures are told on the console.
    assert.deepEqual(faults.filter((fault) => !/WebSocket|connection to/.test(fault)), []);

    const record = expectedRecord(outcome.record.filter(isUpstreams));
    const [first, second] = ended.map(({ id, startTime }) =>
      decodeDump(readDump(collector.dumpPath(id, startTime))).events.filter((event) => !isOwn(event)),
    );
    /** @param {{ method: string, connection: string | null }} event */
    const name = ({ method, connection }) => `${method} ${connection}`;
    assert.deepEqual(first.map(name), record.slice(0, first.length).map(name));
    const rest = record.slice(-second.length);
    assert.deepEqual(second.map(name), rest.map(name));
    const lost = record.length - first.length - second.length;
    assert.ok(lost >= 0 && lost <= 8, `${lost} events were lost with the socket`);

    let reports = 0;
    rest.forEach(({ method, value }, index) => {
      if (method !== 'getStats') return;
      reports += 1;
      const decoded = Object.values(second[index].value).filter(({ type }) => type !== 'compute-pressure');
      const seen = Object.values(value).filter(({ type }) => type !== 'certificate').map(obfuscatedEntry);
      assertSame(decoded.map(withoutNames).sort(), seen.map(withoutNames).sort(), `report ${index}`);
    });
    assert.ok(reports >= 6, `${reports} reports were compared`);
  });
});
