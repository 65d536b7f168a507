// The viewer as a folder of files: without a collector, in any place, and without a network.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { openBrowser, openPage, screenshot } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { openSite } from '../harness/site.js';
import { drawnCanvases } from '../harness/viewer.js';
import { until } from '../harness/wait.js';

const dist = new URL('../../dump-viewer/dist/', import.meta.url).pathname;
const call = readFileSync(new URL('../fixtures/recordings/loopback-av-60s.jsonl', import.meta.url));

describe('the viewer as a folder', () => {
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  before(async () => (browser = await openBrowser()));
  after(() => browser?.close());

  const open = async (/** @type {import('playwright-core').Page} */ page) => {
    await page.locator('[data-testid=file-input]').setInputFiles({ name: 'call.jsonl', mimeType: 'application/octet-stream', buffer: call });
    await until('graphs are drawn', 10_000, () => drawnCanvases(page.locator('[data-testid=graph]')));
  };
  const isKept = (/** @type {import('playwright-core').Page} */ page) => page.evaluate(async () => Boolean((await navigator.serviceWorker.ready).active));

  it('works in any place, without a word about a collector, from its own origin alone, and when its server is gone', async () => {
    const site = await openSite({ folders: { '/some/where/': dist } });
    /** @type {Set<string>} */
    const asked = new Set();
    browser.context.on('request', (request) => asked.add(request.url()));
    try {
      const { page, faults } = await openPage(browser);
      const bad = () => faults.filter((fault) => !fault.includes('/api/v1/'));
      await page.goto(`${site.url}/some/where/`);
      await page.getByRole('heading', { name: 'Open a dump' }).waitFor({ timeout: 10_000 });
      assert.equal(await page.locator('[role=alert]').count(), 0);
      await screenshot(page, 'viewer-without-collector');
      await open(page);
      assert.ok(await isKept(page));
      const elsewhere = [...asked].filter((url) => /^https?:/.test(url) && !url.startsWith(`${site.url}/some/where/`));
      assert.deepEqual(elsewhere, []);
      assert.deepEqual(bad(), []);

      const kept = await page.evaluate(async () => {
        const [name] = await caches.keys();
        return (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname.replace('/some/where/', '')).sort();
      });
      const built = [...readdirSync(`${dist}assets`).map((name) => `assets/${name}`), 'favicon.svg', ''].sort();
      assert.deepEqual(kept, built, 'all that is built is kept');

      await site.close();
      await page.goto(`${site.url}/some/where/#/`);
      await page.reload();
      await open(page);
      await page.close();
    } finally {
      await site.close().catch(() => {});
    }
  });

  it('is kept when a collector serves it, too', async () => {
    const collector = await Collector.start();
    const { page, faults } = await openPage(browser);
    await page.goto(collector.url);
    assert.ok(await isKept(page));
    assert.deepEqual(faults, []);
    await collector.dispose();
    await page.reload();
    await open(page);
    await page.close();
  });
});
