// Two recordings, or two connections of one, side by side on one clock.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { openBrowser, openPage, screenshot } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { drawnCanvases } from '../harness/viewer.js';
import { until } from '../harness/wait.js';

const recordings = new URL('../fixtures/recordings/', import.meta.url);
const dump = readFileSync(new URL('loopback-av-60s.jsonl', recordings), 'utf8');
const other = readFileSync(new URL('rich-session.jsonl', recordings), 'utf8');

/** What one end of the call recorded, by a clock that is so far ahead: all times of lines follow from the first, and those of reports stay. @param {string} connection @param {number} ahead ms */
function end(connection, ahead) {
  const [magic, header, ...lines] = dump.trimEnd().split('\n');
  let time = ahead;
  let said = 0;
  const kept = [];
  for (const line of lines) {
    const event = JSON.parse(line);
    time += event.at(-1);
    if (event[1] !== null && event[1] !== connection) continue;
    kept.push(line.replace(/,[^,\]]+\]$/, `,${time - said}]`));
    said = time;
  }
  return [magic, header, ...kept, ''].join('\n');
}

describe('two that are compared', () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  let [whole, left, right, later] = ['', '', '', ''];

  before(async () => {
    [collector, browser] = await Promise.all([Collector.start(), openBrowser()]);
    whole = await collector.upload(dump);
    left = await collector.upload(end('PC_0', 0));
    right = await collector.upload(end('PC_1', 0));
    later = await collector.upload(other);
    await until('all are stored', 20_000, async () => (await collector.json('/api/v1/sessions?state=ended')).sessions.length === 4);
  });

  after(async () => {
    await browser?.close();
    await collector?.dispose();
  });

  /** @param {import('playwright-core').Page} page */
  const compare = (page) => page.locator('[data-testid=compare]');
  /** Where a side's time axis begins and ends. @param {import('playwright-core').Page} page @param {'left' | 'right'} side */
  const range = (page, side) => page.locator(`[data-testid=lanes-${side}] [data-testid=timeline]`).evaluate((element) => [Number(element.dataset.from), Number(element.dataset.to)]);
  /** @param {import('playwright-core').Page} page @param {'left' | 'right'} side */
  const cursor = async (page, side) => Number(await page.locator(`[data-testid=lanes-${side}] [data-testid=cursor-time]`).getAttribute('data-time'));
  /** @param {import('playwright-core').Page} page */
  const methods = (page) => page.locator('[data-testid=compare-by] option').evaluateAll((options) => options.map((option) => /** @type {HTMLOptionElement} */ (option).value));
  /** @param {import('playwright-core').Page} page @param {string} method */
  const aligned = (page, method) => until(`aligned by ${method}`, 10_000, async () => (await compare(page).getAttribute('data-method')) === method);

  it('are both ends of a call, aligned by what they sent each other, with one cursor and one zoom', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${collector.url}/?session=${left}&with=${right}`);
    await compare(page).waitFor({ timeout: 15_000 });
    await aligned(page, 'rtp');
    assert.ok(Math.abs(Number(await compare(page).getAttribute('data-ahead'))) < 50, 'one computer made both');
    const chosen = page.locator('[data-testid=compare-left] option:checked, [data-testid=compare-right] option:checked');
    assert.deepEqual(await chosen.allTextContents(), ['PC_0', 'PC_1']);
    for (const side of ['left', 'right']) {
      await until(`graphs of the ${side} are drawn`, 15_000, () => drawnCanvases(page.locator(`[data-testid=graph-${side}]`)));
      assert.ok((await page.locator(`[data-testid=lanes-${side}] [data-testid=lane]`).count()) > 3);
    }
    await screenshot(page, 'viewer-compare');

    // The cursor of one is the cursor of both.
    const ahead = Number(await compare(page).getAttribute('data-ahead'));
    const graph = await page.locator('[data-testid=graph-left] [data-testid=plot]').first().boundingBox();
    assert.ok(graph);
    await page.mouse.move(graph.x + graph.width / 2, graph.y + graph.height / 2);
    await until('both have it', 5000, async () => (await cursor(page, 'left')) > 0);
    assert.ok(Math.abs((await cursor(page, 'left')) - (await cursor(page, 'right')) - ahead) < 0.01);
    const [from, to] = await range(page, 'left');
    await page.mouse.down();
    await page.mouse.move(graph.x + graph.width * 0.8, graph.y + graph.height / 2, { steps: 5 });
    await page.mouse.up();
    await until('both are zoomed', 5000, async () => (await range(page, 'right'))[1] - (await range(page, 'right'))[0] < (to - from) / 2);
    const [zoomed, beside] = [await range(page, 'left'), await range(page, 'right')];
    assert.ok(Math.abs(zoomed[0] - beside[0] - ahead) < 0.01 && Math.abs(zoomed[1] - beside[1] - ahead) < 0.01);
    await until('the address tells it', 5000, () => /of=PC_0&with=PC_1&from=\d+&to=\d+/.test(page.url()));
    const { page: again } = await openPage(browser);
    await again.goto(page.url());
    await compare(again).waitFor({ timeout: 15_000 });
    await until('a link leads to the same', 10_000, async () => Math.abs((await range(again, 'left'))[0] - zoomed[0]) < 2 && Math.abs((await range(again, 'left'))[1] - zoomed[1]) < 2);
    await again.close();

    // What one sends stands beside what the other receives, unless somebody wants it otherwise.
    const pairs = async () => {
      const titles = await page.locator('[data-testid=graph]').evaluateAll((graphs) => graphs.map((graph) => graph.dataset.series));
      return [titles[0], titles[1]].sort().join();
    };
    assert.equal(await pairs(), 'Receiving,Sending');
    await page.locator('[data-testid=crosswise]').click();
    await until('the same stand side by side', 5000, async () => (await pairs()) === 'Receiving,Receiving');

    // By keys, as in a recording.
    await page.keyboard.press('Escape');
    await until('all is shown again', 5000, async () => (await range(page, 'left'))[0] === from);
    await page.keyboard.press('w');
    await until('it is zoomed', 5000, async () => (await range(page, 'right'))[1] - (await range(page, 'right'))[0] < to - from);
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('are moved by hand, and the address keeps by how much', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${collector.url}/#/compare?a=${left}&b=${right}`);
    await compare(page).waitFor({ timeout: 15_000 });
    await aligned(page, 'rtp');
    assert.deepEqual(await methods(page), ['rtp', 'clocks', 'collector', 'starts', 'hand']);
    const by = page.locator('[data-testid=compare-by]');
    await by.selectOption('clocks');
    assert.equal(await compare(page).getAttribute('data-ahead'), '0');
    await by.selectOption('hand');
    await page.locator('[data-testid=compare-ahead]').fill('-2500');
    await until('it is moved', 5000, async () => Math.abs((await range(page, 'right'))[0] - (await range(page, 'left'))[0] - 2500) < 0.01);
    await until('the address tells it', 5000, () => /ahead=-2500/.test(page.url()));
    await page.reload();
    await aligned(page, 'hand');
    assert.equal(await compare(page).getAttribute('data-ahead'), '-2500');
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('have one scale of values for each pair of graphs, or each its own', async () => {
    const { page, faults } = await openPage(browser);
    await page.setViewportSize({ width: 1280, height: 1900 });
    await page.goto(`${collector.url}/?session=${left}&with=${later}`);
    await compare(page).waitFor({ timeout: 15_000 });
    const PAIRS = 5;
    const graphs = (/** @type {string} */ side) => page.locator(`[data-testid=graph-${side}]`);
    for (const side of ['left', 'right']) await until(`the ${side} is drawn`, 15_000, async () => (await drawnCanvases(graphs(side))) >= PAIRS);
    // The texts of the axes of values, of the pairs that are drawn.
    const scales = (/** @type {string} */ side) => graphs(side).evaluateAll((all) => all.slice(0, 5).map((graph) => {
      const canvas = graph.querySelector('canvas');
      return canvas?.getContext('2d')?.getImageData(0, 0, 40, canvas.height - 24).data.join() ?? '';
    }));
    const equal = async () => {
      const [of, other] = [await scales('left'), await scales('right')];
      return of.filter((scale, at) => scale === other[at]).length;
    };
    await until('it is the same', 5000, async () => (await equal()) === PAIRS);
    await page.locator('[data-testid=one-scale]').click();
    await until('each has its own', 5000, async () => (await equal()) < PAIRS);
    await until('the address tells it', 5000, () => page.url().includes('scale=own'));
    await page.reload();
    await compare(page).waitFor({ timeout: 15_000 });
    assert.equal(await page.locator('[data-testid=one-scale]').getAttribute('aria-pressed'), 'false');
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('have their events beside each other on the one clock, and the cursor of one leads through the other', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${collector.url}/?session=${left}&with=${right}`);
    await compare(page).waitFor({ timeout: 15_000 });
    await aligned(page, 'rtp');
    await page.locator('[data-testid=compare-events]').click();
    const list = (/** @type {string} */ side) => page.locator(`[data-testid=events-${side}]`);
    const selected = (/** @type {string} */ side) => list(side).locator('[data-testid=event-row][aria-selected=true]');
    await list('left').locator('[data-testid=event-row]').first().waitFor();
    await screenshot(page, 'viewer-compare-events');

    // A row of the left is chosen: the right one stands at the last event before that time, by the common clock.
    await list('left').locator('[data-testid=event-row]').nth(20).click();
    const at = await cursor(page, 'right');
    assert.ok(Math.abs((await cursor(page, 'left')) - at - Number(await compare(page).getAttribute('data-ahead'))) < 0.01);
    const current = list('right').locator('.row.current');
    await current.waitFor();
    const time = async () => Date.parse((await current.locator('.time').getAttribute('title')) ?? '');
    await until('it stands there', 5000, async () => (await time()) <= at);
    assert.ok((await list('right').locator('[data-testid=event-row]').count()) > 5);
    // Both are marked in the lanes.
    await page.locator('[data-testid=lanes-left] [data-testid=selected-mark]').waitFor();
    assert.equal(await selected('right').count(), 0);

    // Keys go through the list that was used last.
    await page.keyboard.press('ArrowLeft');
    const before = await selected('left').getAttribute('data-event');
    await page.keyboard.press('j');
    await until('the next one is chosen', 5000, async () => (await selected('left').getAttribute('data-event')) !== before);
    await list('right').locator('[data-testid=event-row]').nth(5).click();
    const other = await selected('right').getAttribute('data-event');
    await page.keyboard.press('j');
    await until('the next one of the right is chosen', 5000, async () => (await selected('right').getAttribute('data-event')) !== other);

    // A mark of a lane leads to its event.
    await page.locator('[data-testid=lanes-left] [data-testid=marks-Events] button').last().click();
    await until('it is chosen', 5000, async () => (await selected('left').count()) === 1);
    await until('the address tells it', 5000, () => page.url().includes('pane=events'));
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('are two files that are dropped together', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(collector.url);
    const transfer = await page.evaluateHandle((texts) => {
      const data = new DataTransfer();
      texts.forEach((text, at) => data.items.add(new File([text], `end-${at}.jsonl`)));
      return data;
    }, [end('PC_0', 0), end('PC_1', 7000)]);
    for (const type of ['dragenter', 'dragover', 'drop']) await page.dispatchEvent('body', type, { dataTransfer: transfer });
    await compare(page).waitFor({ timeout: 15_000 });
    assert.match(await page.locator('.bar').innerText(), /end-0\.jsonl[^]*end-1\.jsonl/);
    // The clock of lines is seven seconds ahead on the right, and that of its reports is not.
    await aligned(page, 'rtp');
    await page.locator('[data-testid=compare-by]').selectOption('collector');
    assert.equal(Math.round(Number(await compare(page).getAttribute('data-ahead'))), -7000);
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('are chosen where a recording is open: another connection, another session, a file', async () => {
    const { page, faults } = await openPage(browser);
    const open = async () => {
      await page.goto(`${collector.url}/#/sessions/${whole}`);
      await page.locator('[data-testid=connection-tab]').first().waitFor({ timeout: 15_000 });
      await page.locator('[data-testid=compare-open]').click();
    };
    await open();
    await screenshot(page, 'viewer-compare-with');
    await page.locator('[data-testid=compare-connection]').click();
    await compare(page).waitFor({ timeout: 15_000 });
    await aligned(page, 'clocks');
    assert.match(page.url(), new RegExp(`a=${whole}&b=same&of=PC_0&with=PC_1`));

    await open();
    await page.locator(`[data-testid=compare-session][title="${later}"]`).click();
    await compare(page).waitFor({ timeout: 15_000 });
    await until('graphs are drawn', 15_000, () => drawnCanvases(page.locator('[data-testid=graph-right]')));

    await open();
    await page.keyboard.press('Escape');
    await page.keyboard.press('c');
    await page.locator('[data-testid=compare-id]').fill(`${collector.url}/#/sessions/${right}`);
    await page.keyboard.press('Enter');
    await compare(page).waitFor({ timeout: 15_000 });
    await page.locator('.bar', { hasText: right }).waitFor();

    await open();
    await page.locator('[data-testid=compare-file]').setInputFiles({ name: 'other.jsonl', mimeType: 'text/plain', buffer: Buffer.from(other) });
    await compare(page).waitFor({ timeout: 15_000 });
    await page.locator('.bar', { hasText: 'other.jsonl' }).waitFor();
    // A reload forgets the file.
    await page.reload();
    await page.locator('[data-testid=session-list]').waitFor({ timeout: 10_000 });
    assert.deepEqual(faults, []);
    await page.close();
  });
});
