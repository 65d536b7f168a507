// What is given away from the viewer: a link to a moment of a session, a graph's values and picture, the features.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openBrowser, openPage, screenshot } from '../harness/browser.js';
import { Collector, collectorBinary } from '../harness/collector.js';
import { until } from '../harness/wait.js';

const dump = readFileSync(new URL('../fixtures/recordings/rich-session.jsonl', import.meta.url));

describe('what the viewer gives away', () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  let id = '';

  before(async () => {
    [collector, browser] = await Promise.all([Collector.start(), openBrowser()]);
    id = await collector.upload(dump);
    await until('the session is stored', 10_000, async () => (await fetch(`${collector.url}/api/v1/sessions/${id}/dump`)).ok);
  });

  after(async () => {
    await browser?.close();
    await collector?.dispose();
  });

  /** @param {import('playwright-core').Page} page @param {string} selector */
  async function saved(page, selector) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator(selector).first().click()]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  }

  it('is a link to what is shown, where it was selected', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${collector.url}/?session=${id}`);
    await page.locator('[data-testid=graph] canvas').first().waitFor({ timeout: 10_000 });
    assert.equal(page.url(), `${collector.url}/#/sessions/${id}`, 'and says nothing of what is usual');
    await page.locator('[data-testid=connection-tab][data-connection-id=PC_1]').click();
    const row = page.locator('[data-testid=event-row][data-method=ontrack]').first();
    await row.click();
    const timeline = page.locator('[data-testid=timeline]');
    const box = await timeline.locator('.area').boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + 30, box.y + 10);
    await page.mouse.wheel(0, -400);
    // The cursor is taken away from the event that is selected.
    await page.mouse.click(box.x + box.width / 2, box.y + 10);
    await page.locator('[data-testid=show-features]').click();
    await until('the address tells it', 5000, () => /tab=id%3APC_1&pane=features&from=\d+&to=\d+&at=\d+&event=\d+$/.test(page.url()));
    const shown = await timeline.evaluate((element) => [element.dataset.from, element.dataset.to].map((time) => Math.round(Number(time))));

    const { page: other, faults: otherFaults } = await openPage(browser);
    await other.goto(page.url());
    await other.locator('[data-testid=event-row][aria-selected=true][data-method=ontrack]').waitFor({ timeout: 10_000 });
    assert.equal(await other.locator('[data-testid=connection-tab][aria-selected=true]').getAttribute('data-connection-id'), 'PC_1');
    assert.deepEqual(await other.locator('[data-testid=timeline]').evaluate((element) => [Number(element.dataset.from), Number(element.dataset.to)]), shown);
    await other.locator('[data-testid=features]').waitFor();
    const pinned = Number(new URLSearchParams(page.url().split('?')[1]).get('at'));
    await until('the cursor stands there', 5000, async () => Number(await other.locator('[data-testid=cursor-time]').getAttribute('data-time')) === pinned);
    await until('it stays so', 2000, () => other.url() === page.url());
    assert.deepEqual([...faults, ...otherFaults], []);
    await page.close();
    await other.close();
  });

  it('is nothing where a link says nonsense', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${collector.url}/#/sessions/${id}?tab=id:PC_99&pane=x&from=9&to=1&at=1e14&event=99999999`);
    await page.locator('[data-testid=graph] canvas').first().waitFor({ timeout: 10_000 });
    await until('it is not kept', 5000, () => !page.url().includes('at='));
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('is the values of a graph, its picture, and the features', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${collector.url}/#/sessions/${id}`);
    const graph = '[data-testid=graph][data-series=Receiving]';
    await page.locator(`${graph} canvas`).waitFor({ timeout: 10_000 });
    await page.locator(graph).hover();

    const values = await saved(page, `${graph} [data-testid=save-csv]`);
    assert.equal(values.name, 'Receiving.csv');
    const [head, ...rows] = values.bytes.toString().trimEnd().split('\r\n');
    assert.match(head, /^time,unixMs,in · audio · opus · mid 0 \(bits\/s\),in · video/);
    assert.ok(rows.length > 20);
    assert.ok(rows.slice(2).every((row) => /^2026-[^,]+,\d+(\.\d+)?,[\d.]+,[\d.]*$/.test(row)), rows.join('\n'));

    const picture = await saved(page, `${graph} [data-testid=save-png]`);
    assert.equal(picture.name, 'Receiving.png');
    assert.equal(picture.bytes.subarray(1, 4).toString(), 'PNG');
    assert.ok(picture.bytes.length > 2000);
    assert.ok(picture.bytes.readUInt32BE(16) >= 1600, 'it can be read, however narrow the graph is on the screen');

    await page.locator('[data-testid=show-features]').click();
    const [heading, buttons] = await Promise.all([page.locator('[data-testid=features] h3').boundingBox(), page.locator('[data-testid=show-features]').boundingBox()]);
    assert.ok(heading && buttons && heading.y >= buttons.y + buttons.height, 'a heading has its line to itself');
    const features = await saved(page, '[data-testid=save-features]');
    assert.equal(features.name, `${id}-features.json`);
    const session = await collector.json(`/api/v1/sessions/${id}`);
    assert.deepEqual(JSON.parse(features.bytes.toString()), session.features);
    await screenshot(page, 'viewer-features');
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('is a copy without names and places, as the command makes it', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${collector.url}/#/sessions/${id}`);
    await page.locator('[data-testid=connection-tab]').first().waitFor({ timeout: 10_000 });
    const copy = await saved(page, '[data-testid=save-anonymized]');
    assert.equal(copy.name, `${id}-anonymized.jsonl.gz`);
    const text = gunzipSync(copy.bytes).toString();
    const path = await page.evaluate(() => /** @type {HTMLAnchorElement} */ (document.querySelector('[data-testid=download-dump]')).href);
    const stored = gunzipSync(Buffer.from(await (await fetch(path)).arrayBuffer())).toString();
    assert.match(stored, /fake_device_0/i);
    assert.doesNotMatch(text, /fake_device_0/i);
    const file = join(mkdtempSync(join(tmpdir(), 'rtctrace-test-')), 'dump.jsonl');
    writeFileSync(file, stored);
    const made = spawnSync(collectorBinary, ['anonymize', file], { encoding: 'utf8', maxBuffer: 1 << 28 });
    rmSync(dirname(file), { recursive: true });
    assert.equal(made.status, 0, made.stderr);
    assert.equal(text, made.stdout);

    // The copy opens as any other file.
    await page.locator('[data-testid=file-input]').setInputFiles({ name: copy.name, mimeType: 'application/gzip', buffer: copy.bytes });
    await page.locator('[data-testid=session-facts]', { hasText: copy.name }).waitFor({ timeout: 10_000 });
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('is copied as a link by a click', async () => {
    const { page, faults } = await openPage(browser);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: collector.url });
    await page.goto(`${collector.url}/#/sessions/${id}`);
    await page.locator('[data-testid=event-row]').nth(3).click();
    await page.locator('[data-testid=copy-link]').click();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(link, new RegExp(`#/sessions/${id}\\?.*at=\\d+&event=\\d+$`));
    assert.deepEqual(faults, []);
    await page.close();
  });
});
