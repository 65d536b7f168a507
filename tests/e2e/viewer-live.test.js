// Sessions that run: the list changes with them, and an open one goes on.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { openBrowser, openPage, screenshot } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { RecordedCall } from '../harness/recorded-call.js';
import { openSite } from '../harness/site.js';
import { drawnCanvases } from '../harness/viewer.js';
import { until } from '../harness/wait.js';

const lines = readFileSync(new URL('../fixtures/recordings/loopback-av-60s.jsonl', import.meta.url), 'utf8').trimEnd().split('\n').slice(2, -1);
/** Its client's own end. */
const END = '[36,null,null,110]';

describe('sessions that run', () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;

  before(async () => {
    [collector, browser] = await Promise.all([Collector.start(), openBrowser()]);
  });

  after(async () => {
    await browser?.close();
    await collector?.dispose();
  });

  /** A session whose client sends what it is told to. */
  async function running() {
    const id = randomUUID();
    const socket = new WebSocket(`${collector.url.replace('http', 'ws')}/v1/ws?session=${id}&from=0`, ['rtctrace.v1']);
    await new Promise((resolve, reject) => socket.once('open', () => resolve(null)).once('error', reject));
    return { id, send: (/** @type {string[]} */ sent) => socket.send(sent.join('\n')), close: () => socket.close() };
  }

  /** @param {import('playwright-core').Page} page @param {string} id */
  const row = (page, id) => page.locator(`[data-testid=session-row][data-session-id="${id}"]`);
  /** Its cell of this column. @param {import('playwright-core').Page} page @param {string} id @param {number} column */
  const cell = (page, id, column) => row(page, id).locator('td').nth(column).innerText();
  const EVENTS = 8;

  it('come, go on and end in the list, whose filters and order stay', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(collector.url);
    await page.locator('[data-testid=list-fresh][data-told=true]').waitFor({ timeout: 10_000 });
    const [short, long] = [await running(), await running()];
    short.send(lines.slice(0, 10));
    long.send(lines.slice(0, 20));
    for (const { id } of [short, long]) await row(page, id).waitFor({ timeout: 10_000 });
    await page.locator('[data-testid=filter-state]').selectOption('live');
    await page.locator('th', { hasText: 'Events' }).locator('button').click();
    const shown = () => page.locator('[data-testid=session-row]').evaluateAll((rows) => rows.map((row) => row.dataset.sessionId).join());
    await until('the longer is first', 10_000, async () => (await shown()) === `${long.id},${short.id}`);

    let asked = 0;
    page.on('request', (request) => (asked += Number(/\/api\/v1\/sessions\?/.test(request.url()))));
    for (let count = 20; count < 100; count += 20) {
      short.send(lines.slice(count - 10, count + 10));
      await until(`${count + 10} events are told`, 10_000, async () => (await cell(page, short.id, EVENTS)) === String(count + 10));
    }
    assert.equal(await shown(), `${short.id},${long.id}`, 'now it is the longer one');
    assert.ok(asked < 4, `the list was asked for ${asked} times`);
    await screenshot(page, 'viewer-list-live');

    short.send([...lines.slice(90), END]);
    await until('what is over is none that runs', 10_000, async () => (await shown()) === long.id);
    await page.locator('[data-testid=clear-filters]').click();
    await until('it is over', 10_000, async () => (await row(page, short.id).getAttribute('data-state')) === 'ended');
    assert.equal(await cell(page, short.id, EVENTS), String(lines.length + 1));
    long.close();
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('are asked for where nothing is told', async () => {
    const { page } = await openPage(browser);
    await page.route('**/api/v1/sessions/events', (route) => route.abort());
    await page.goto(collector.url);
    const { id, send, close } = await running();
    send(lines.slice(0, 10));
    await row(page, id).waitFor({ timeout: 10_000 });
    send(lines.slice(10, 30));
    await until('it goes on', 10_000, async () => (await cell(page, id, EVENTS)) === '30');
    assert.equal(await page.locator('[data-testid=list-fresh]').getAttribute('data-told'), 'false');
    close();
    await page.close();
  });

  it('go on where they are open, to the end of a real call', async () => {
    const site = await openSite();
    const call = await RecordedCall.open({ browser, site, collector }, { media: 1, getStatsInterval: 500 });
    const { page, faults } = await openPage(browser);
    try {
      await call.opens(20_000);
      const id = await call.session();
      await page.goto(`${collector.url}/#/sessions/${id}`);
      await page.locator('[data-testid=following][data-following=follows]').waitFor({ timeout: 15_000 });
      await page.locator('[data-testid=connection-tab]').first().click();
      const timeline = page.locator('[data-testid=timeline]');
      const range = () => timeline.evaluate((element) => [Number(element.dataset.from), Number(element.dataset.to)]);
      const count = async () => Number.parseInt((await page.locator('[data-testid=all-tab] small').innerText()).replaceAll(/\D/g, ''), 10);
      const [before, [, end]] = [await count(), await range()];
      await until('the axis follows', 20_000, async () => (await range())[1] > end + 3000 && (await count()) > before + 10);
      await until('graphs are drawn', 20_000, () => drawnCanvases(page.locator('[data-testid=graph]')));
      const columns = async () => (await page.locator('[data-testid=graph] figcaption output').first().innerText()).trim();
      await until('and have values', 20_000, columns);

      // Who looks at a moment stays there.
      await page.locator('[data-testid=event-row]').first().click();
      const box = await timeline.locator('.area').boundingBox();
      assert.ok(box);
      await page.mouse.move(box.x + box.width / 2, box.y + 10);
      await page.mouse.wheel(0, -600);
      const zoomed = await range();
      const seen = await count();
      await until('events come', 20_000, async () => (await count()) > seen + 10);
      assert.deepEqual(await range(), zoomed);
      await screenshot(page, 'viewer-follow');
      await page.locator('[data-testid=reset-zoom]').click();

      // A collector that was away is found again.
      await collector.stop();
      await page.locator('[data-testid=following][data-following=waits]').waitFor({ timeout: 20_000 });
      await collector.run();
      await page.locator('[data-testid=following][data-following=follows]').waitFor({ timeout: 30_000 });
      const known = await count();
      await until('it goes on', 30_000, async () => (await count()) > known);

      await call.end();
      const { events } = await call.stored(id);
      await page.locator('[data-testid=following]').waitFor({ state: 'detached', timeout: 20_000 });
      await until('all is shown', 10_000, async () => (await count()) === events.length);
      const tab = page.locator('[data-testid=connection-tab]').first();
      assert.equal(await tab.getAttribute('aria-selected'), 'true', 'the view is the same');
      assert.deepEqual(faults.filter((fault) => !/ERR_CONNECTION|ERR_INCOMPLETE|503/.test(fault)), []);
    } finally {
      await page.close();
      await call.close();
      await site.close();
    }
  });
});
