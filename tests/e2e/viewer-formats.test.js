// Files of every format that the viewer opens, plain and packed: the same call is the same.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decodeDump } from '../decoder/dump.js';
import { jitsiArrays, jitsiObjects, legacyRtcstats, soraId, soraLog } from '../fixtures/formats.js';
import { screenshot } from '../harness/browser.js';
import { modelOf } from '../harness/model.js';
import { openSite } from '../harness/site.js';
import { drawnCanvases } from '../harness/viewer.js';
import { file, viewerPages } from '../harness/viewer-pages.js';
import { until } from '../harness/wait.js';

const fixtures = new URL('../fixtures/', import.meta.url).pathname;
const jitsi = new URL('../../../shared/data/jitsi/', import.meta.url).pathname;
const call = readFileSync(`${fixtures}recordings/loopback-av-60s.jsonl`);
const { events } = decodeDump(call.toString());
const reports = events.filter(({ method }) => method === 'getStats');
const connections = [...new Set(reports.map(({ connection }) => connection))];
/** What is compared value by value. */
const names = ['bytesSent', 'bytesReceived', 'packetsReceived', 'jitter', 'framesDecoded', 'totalAudioEnergy', 'currentRoundTripTime', '[bytesSent_in_bits/s]'];

describe('the viewer given the formats of others', () => {
  const viewer = viewerPages({ collector: true });
  /** @type {import('../harness/viewer-pages.js').ViewerPage} */ let opened;
  /** @type {import('playwright-core').Page} */ let page;
  /** @type {string[]} */ let faults;

  beforeEach(async () => {
    opened = await viewer.open();
    ({ page, faults } = opened);
  });

  /** @typedef {import('../harness/viewer-pages.js').Chosen} Chosen */
  const choose = (/** @type {Chosen[]} */ ...files) => opened.choose(...files);
  const tabs = () => page.locator('[data-testid=connection-tab]').evaluateAll((all) => all.map((tab) => tab.dataset.connectionId ?? ''));
  const graphs = () => until('graphs are drawn', 10_000, () => drawnCanvases(page.locator('[data-testid=graph]')));

  /** Members that are numbers, of the reports themselves: by connection, entry and name, the values in their order. */
  function expected() {
    /** @type {Record<string, number[]>} */
    const all = {};
    for (const { connection, value } of reports) {
      for (const [id, entry] of Object.entries(value)) {
        for (const name of names) {
          if (typeof entry[name] === 'number') (all[`${connection} ${id} ${name}`] ??= []).push(entry[name]);
        }
      }
    }
    return all;
  }

  /** Entries may have other ids than in the dump: series are compared as a set. @param {Record<string, any>} series @param {boolean} derived */
  function values(series, derived = false) {
    const own = Object.entries(series).filter(([name]) => name.includes('[') === derived);
    return own.map(([name, value]) => `${name.split(' ').at(-1)} ${JSON.stringify((derived ? value[1] : value[1] ?? value).filter(Number.isFinite))}`).sort();
  }

  it('reads the same of the same call, plain and packed', async () => {
    const ours = await modelOf(page, call, { names });
    const wanted = Object.entries(expected()).map(([name, own]) => `${name.split(' ').at(-1)} ${JSON.stringify(own)}`).sort();
    assert.ok(wanted.length > 20, `${wanted.length} series`);
    assert.deepEqual(values(ours.series), wanted, 'our own dump');
    const rates = values(ours.series, true);
    assert.ok(rates.length > 4);
    const others = { jitsiArrays: jitsiArrays(events), jitsiObjects: jitsiObjects(events), legacyRtcstats: legacyRtcstats(events), soraLog: soraLog(events) };
    for (const [format, text] of Object.entries(others)) {
      for (const bytes of [Buffer.from(text), gzipSync(text)]) {
        const { overview, series } = await modelOf(page, bytes, { names });
        const reported = (/** @type {any[]} */ all) => all.filter((connection) => connection.reports > 0).map((connection) => connection.reports).sort();
        assert.deepEqual(reported(overview.connections), reported(ours.overview.connections), `${format}: reports`);
        assert.equal(overview.skipped.count, 0, `${format}: ${JSON.stringify(overview.skipped.first[0])}`);
        assert.equal(overview.interrupted, null, format);
        assert.deepEqual(values(series), wanted, `${format}: values`);
        assert.deepEqual(values(series, true), rates, `${format}: rates`);
        if (format !== 'soraLog') assert.ok(overview.methods.includes('setRemoteDescription'), format);
      }
    }
    assert.deepEqual(faults, []);
  });

  it('opens each of them', async () => {
    const all = { 'jitsi-arrays.txt': jitsiArrays(events), 'jitsi-objects.json': jitsiObjects(events), rtcstats: legacyRtcstats(events) };
    for (const [name, text] of Object.entries(all)) {
      await choose(file(name, text));
      await until(`${name} is open`, 10_000, async () => (await page.title()).includes(name) && (await tabs()).filter((id) => connections.includes(id)).length === connections.length);
      await graphs();
    }
    assert.deepEqual(faults, []);
  });

  it('opens what chrome://webrtc-internals saves, as the same call', async () => {
    const open = async (/** @type {string} */ name) => (await modelOf(page, readFileSync(`${fixtures}internals/${name}`), { names: ['bytesSent'] })).overview;
    const ours = await open('rtctrace.jsonl.gz');
    // What the machine's processors have to bear is told to Chromium's own page alone.
    const types = (/** @type {any[]} */ entries) => [...new Set(entries.map(({ type }) => type))].filter((type) => type !== 'compute-pressure').sort().join();
    const shape = (/** @type {any} */ overview) =>
      overview.connections.filter((/** @type {any} */ one) => one.reports > 0).map((/** @type {any} */ one) => types(one.entries)).sort();
    for (const name of ['rtcstats_dump.gz', 'webrtc_internals_dump.gz']) {
      const theirs = await open(name);
      assert.deepEqual(shape(theirs), shape(ours), name);
      await choose(file(name, readFileSync(`${fixtures}internals/${name}`)));
      await until(`${name} is open`, 10_000, async () => (await tabs()).length > 1);
      await graphs();
    }
    assert.deepEqual(faults, []);
  });

  it('opens a log of Sora with its connections, and offers the sessions of one that has several', async () => {
    await choose(file('rtc_stats.jsonl', soraLog(events)));
    const ids = connections.map((id) => soraId(`${id}`)).sort();
    await until('its connections are there', 10_000, async () => (await tabs()).filter((id) => ids.includes(id)).length === ids.length);
    await graphs();
    assert.equal(await page.locator('[data-testid=shelf]').count(), 0);

    const two = gzipSync(soraLog(events, 'morning') + soraLog(events.slice(0, events.length / 2), 'evening'));
    await choose(file('rtc_stats.jsonl.gz', two));
    const shelf = page.locator('[data-testid=shelf] select');
    await shelf.waitFor({ timeout: 10_000 });
    const offered = await shelf.locator('option').allInnerTexts();
    assert.equal(offered.length, 2);
    assert.match(offered[0], /^channel of morning, 2 connections, /);
    assert.match(offered[1], /^channel of evening, 2 connections, /);
    const isOpen = (/** @type {string} */ channel) => until(`${channel} is open`, 10_000, async () => (await page.title()).includes(channel) && (await tabs()).length > 0);
    await isOpen('channel of morning');
    await graphs();
    await screenshot(page, 'viewer-shelf');
    await page.locator('[data-testid=shelf] [aria-label=Next]').click();
    await isOpen('channel of evening');
    assert.match(page.url(), /#\/file\/1/);
    await page.goBack();
    await isOpen('channel of morning');
    assert.deepEqual(faults, []);
  });

  it('has several files at hand that were opened at once', async () => {
    await choose(file('a.jsonl', call), file('b.json', '{"log":{}}'), file('c.gz', readFileSync(`${fixtures}internals/rtctrace.jsonl.gz`)));
    const shelf = page.locator('[data-testid=shelf] select');
    await shelf.waitFor({ timeout: 10_000 });
    assert.deepEqual(await shelf.locator('option').allInnerTexts(), ['a.jsonl', 'b.json', 'c.gz']);
    await graphs();
    await shelf.selectOption({ index: 1 });
    await page.locator('[data-testid=import-error]').waitFor({ timeout: 10_000 });
    await shelf.selectOption({ index: 2 });
    await until('the third is open', 10_000, async () => (await tabs()).length > 1);
    assert.deepEqual(faults, []);
  });

  it('fetches an address that is pasted or given, and says why it cannot', async () => {
    const folder = { '/files/': `${fixtures}recordings` };
    const [open, closed] = await Promise.all([
      openSite({ folders: folder, headers: { 'access-control-allow-origin': '*' } }),
      openSite({ folders: folder }),
    ]);
    try {
      const address = `${open.url}/files/loopback-av-60s.jsonl`;
      await page.evaluate((text) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData('text/plain', text);
        document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
      }, ` ${address}\n`);
      await graphs();
      assert.ok(page.url().includes(`#/url/${encodeURIComponent(address)}`), page.url());
      await page.reload();
      await graphs();
      assert.deepEqual(faults, []);

      const give = async (/** @type {string} */ text) => {
        await page.locator('[data-testid=open-address]').click();
        await page.locator('[data-testid=address-input]').fill(text);
        await page.keyboard.press('Enter');
        const error = page.locator('[data-testid=import-error]');
        await error.getByText(text.includes('nothing') ? '404' : 'CORS').waitFor({ timeout: 10_000 });
        return error.innerText();
      };
      assert.match(await give(`${open.url}/files/nothing.jsonl`), /127\.0\.0\.1:\d+ answers 404/);
      assert.match(await give(`${closed.url}/files/loopback-av-60s.jsonl`), /Access-Control-Allow-Origin/);
      await screenshot(page, 'viewer-address-refused');
    } finally {
      await Promise.all([open.close(), closed.close()]);
    }
  });

  it('gives up what takes long when it is told to', async () => {
    await page.route('**/slow.jsonl', () => {});
    await page.evaluate(() => (location.hash = `#/url/${encodeURIComponent('https://slow.example/slow.jsonl')}`));
    await page.locator('[data-testid=cancel]').click({ timeout: 10_000 });
    await until('it is no more', 10_000, async () => page.url().endsWith('#/') && (await page.locator('[data-testid=cancel]').count()) === 0);
    await page.unroute('**/slow.jsonl');
    assert.deepEqual(faults, []);
  });

  it("opens the samples of Jitsi's server, where they lie beside the project", { skip: !existsSync(jitsi) }, async () => {
    for (const name of ['chrome-relay-p2p', 'chrome96-add-transceiver', 'jicofo-sample', 'jvb-sample-head']) {
      const { overview } = await modelOf(page, readFileSync(jitsi + name));
      assert.ok(overview.end > overview.start, name);
      if (name.startsWith('chrome')) assert.ok(overview.connections.some((/** @type {any} */ one) => one.reports > 0), name);
      await choose(file(name, readFileSync(jitsi + name)));
      await page.locator('[data-testid=event-row]').first().waitFor({ timeout: 10_000 });
    }
    assert.deepEqual(faults, []);
  });
});
