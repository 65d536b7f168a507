// One call, from the page through the collector to the viewer. The page keeps its own record of it; everything stored is held
// against that record.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { decodeDump, readDump } from '../decoder/dump.js';
import { browserLabel, openBrowser, openPage } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { compareEvents, isOwn } from '../harness/comparison.js';
import { readDatabase } from '../harness/database.js';
import { assertFeatures, assertStatsRows } from '../harness/rows.js';
import { openSite } from '../harness/site.js';
import { assertSessionView } from '../harness/viewer.js';

/** @typedef {{ session: string, record: import('../harness/comparison.js').Seen[], counters: Record<string, number>, duration: number }} Outcome */

describe('a call of 15 seconds', () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  /** @type {{ url: string, close: () => Promise<void> }} */ let site;
  /** @type {Outcome} */ let outcome;
  /** @type {any} */ let session;
  /** @type {ReturnType<typeof decodeDump>} */ let dump;
  /** @type {string} */ let text;
  /** @type {string[]} */ let faults;

  before(async () => {
    [collector, browser, site] = await Promise.all([Collector.start(), openBrowser(), openSite()]);
    const opened = await openPage(browser);
    faults = opened.faults;
    await opened.page.goto(`${site.url}/call.html?duration=15&endpoint=${encodeURIComponent(collector.url)}`);
    await opened.page.click('button');
    outcome = await opened.page.evaluate(() => /** @type {any} */ (window).outcome);
    session = await collector.endedSession(({ id }) => id === outcome.session, 1000);
    text = readDump(collector.dumpPath(session.id, session.startTime));
    dump = decodeDump(text);
    await opened.page.close();
  });

  after(async () => {
    await browser?.close();
    await site?.close();
    await collector?.dispose();
  });

  it('leaves no error in the page', () => {
    assert.deepEqual(faults, []);
  });

  it('is listed within a second of its end, with its length, browser and connections', () => {
    assert.equal(session.source, 'browser');
    assert.equal(session.dialect, 'rtctrace.v1');
    assert.equal(session.connections, 2);
    assert.equal(session.closeCode, 1000);
    assert.ok(Math.abs(session.duration - outcome.duration) < 1000, `${session.duration} ms listed, ${outcome.duration} ms seen`);
    assert.ok(session.browser.name.includes(browserLabel), session.browser.name);
    assert.match(session.browser.version, /^\d+/);
    assert.equal(session.origin, site.url);
    assert.equal(session.lines, dump.lines.length);
    assert.match(session.startTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('is stored as a dump of format 3', () => {
    const path = collector.dumpPath(session.id, session.startTime);
    assert.deepEqual([...readFileSync(path).subarray(0, 2)], [0x1f, 0x8b]);
    assert.equal(statSync(path).size, session.dumpBytes);
    assert.equal(dump.metadata.fileFormat, 3);
    assert.ok(dump.metadata.userAgent.includes(browserLabel), dump.metadata.userAgent);
    // The first delta is the absolute time, all others are steps.
    const deltas = dump.lines.map((line) => line.at(-1));
    assert.ok(Math.abs(deltas[0] - Date.parse(session.startTime)) < 2000, `the first delta is ${deltas[0]}`);
    assert.ok(deltas.slice(1).every((delta) => delta >= 0 && delta < 5000));
  });

  it('is stored with every call, event and report that the page saw, in order and equal', () => {
    const { reports } = compareEvents(dump.events, outcome.record);
    assert.ok(reports >= 24, `${reports} reports were compared`);
  });

  it('uses most of the traced methods', () => {
    const methods = new Set(dump.events.map((event) => event.method));
    for (const method of ['createOffer', 'addTransceiver', 'replaceTrack', 'setParameters', 'ondatachannel', 'restartIce', 'HTMLMediaElement.resize', 'MediaStreamTrack.onunmute']) {
      assert.ok(methods.has(method), method);
    }
    // Firefox lacks some of them.
    const beyondUpstream = [
      'identity', 'addStream', 'onaddstream', 'removeStream', 'ondtlsstatechange', 'RTCIceTransport.onstatechange', 'RTCSctpTransport.onstatechange',
      'RTCIceTransport.onselectedcandidatepairchange', 'RTCDataChannel.onopen', 'RTCDataChannel.onbufferedamountlow', 'HTMLMediaElement.setSinkId',
      'HTMLMediaElement.playOnFailure',
    ];
    if (browserLabel.includes('Chrom')) for (const method of beyondUpstream) assert.ok(methods.has(method), method);
    assert.ok(methods.size >= 50, `${methods.size} methods`);
  });

  it('tells of the client, the socket and the end, once each', () => {
    const own = dump.events.filter(isOwn);
    assert.deepEqual(own.map((event) => event.method).sort(), ['close', 'create', 'websocket']);
    assert.equal(dump.events[0].method, 'create');
    assert.equal(dump.events.at(-1)?.method, 'close');
    const about = dump.events[0].value;
    assert.ok(about.hardwareConcurrency >= 1);
    assert.ok(about.screen.width > 0 && about.window.height > 0);
    assert.ok(own.find((event) => event.method === 'websocket')?.value.connectionTime >= 0);
  });

  it('keeps TURN credentials in the browser and addresses out of the store', () => {
    assert.ok(!text.includes('top-secret'));
    const seen = JSON.stringify(outcome.record);
    const addresses = new Set([...seen.matchAll(/candidate:\S+ \d \S+ \d+ (\d+\.\d+\.\d+\.\d+) /g)].map((match) => match[1]));
    assert.ok(addresses.size > 0);
    for (const address of addresses) assert.ok(!text.includes(address), `${address} is in the dump`);
  });

  it('has its statistics in the database as the page saw them', async () => {
    await readDatabase(join(collector.dataDir, 'rtctrace.db'), (query) => assertStatsRows(query, session.id, dump.events));
  });

  it('has its features in the database', async () => {
    await readDatabase(join(collector.dataDir, 'rtctrace.db'), (query) => assertFeatures(query, session, dump.events));
  });

  it('leaves nothing in the spool', () => {
    const spool = join(collector.dataDir, 'spool');
    const files = existsSync(spool) ? readdirSync(spool, { recursive: true }) : [];
    assert.deepEqual(files.filter((file) => String(file).includes(session.id)), []);
  });

  it('opens in the viewer with both connections, events and graphs', async () => {
    await assertSessionView(browser, collector.url, session, dump.events, 'call');
  });
});
