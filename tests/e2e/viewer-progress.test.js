// A long file is shown while it is read: a graph is there before the end is, what somebody does meanwhile stays, and in the end all is as
// if it had been read at once.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { openBrowser, openPage, screenshot } from '../harness/browser.js';
import { openSite } from '../harness/site.js';
import { drawnCanvases } from '../harness/viewer.js';
import { until } from '../harness/wait.js';

/** A call of a minute, and its reports again and again. */
function longDump() {
  const lines = readFileSync(new URL('../fixtures/recordings/loopback-av-60s.jsonl', import.meta.url), 'utf8').trimEnd().split('\n');
  const reports = lines.slice(2, -1).filter((line) => line.startsWith('["g",'));
  return [...lines.slice(0, -1), ...Array.from({ length: 60 }, () => reports).flat(), lines.at(-1)].join('\n');
}

const file = { name: 'long.jsonl', mimeType: 'application/x-ndjson', buffer: Buffer.from(longDump()) };

describe('a file that is read', () => {
  /** @type {import('../harness/site.js').Site} */ let site;
  /** @type {import('../harness/browser.js').Browser} */ let browser;

  before(async () => {
    [site, browser] = await Promise.all([openSite({ folders: { '/': new URL('../../dump-viewer/dist/', import.meta.url).pathname } }), openBrowser()]);
  });

  after(async () => {
    await browser?.close();
    await site?.close();
  });

  /** Opens the file in a page that gets what was read of it when the test says so, after it is read. @param {string} [address] */
  async function opened(address = '') {
    const { page, faults } = await openPage(browser);
    await page.addInitScript(() => {
      const held = /** @type {(() => void)[]} */ ([]);
      const Native = Worker;
      /** What the page has not got yet; the last is the whole. */
      Object.assign(window, { held });
      window.Worker = class extends Native {
        /** @param {(event: MessageEvent) => void} take */
        set onmessage(take) {
          super.onmessage = (event) => {
            const isWhole = event.data.result?.overview !== undefined;
            if (isWhole || event.data.part) held.push(() => take(event));
            else take(event);
            if (isWhole) Object.assign(window, { isRead: true });
          };
        }
      };
    });
    await page.goto(`${site.url}/index.html${address}`);
    await page.locator('[data-testid=file-input]').setInputFiles(file);
    await page.waitForFunction(() => /** @type {any} */ (window).isRead, null, { timeout: 60_000 });
    /** How many come before the whole: how many depends on the time that it takes. @type {number} */
    const parts = (await page.evaluate(() => /** @type {any} */ (window).held.length)) - 1;
    assert.ok(parts > 0, 'it comes in parts');
    return { page, faults, parts };
  }

  /** @param {import('playwright-core').Page} page @param {number} index */
  const take = (page, index) => page.evaluate((index) => /** @type {any} */ (window).held.at(index)(), index);
  /** @param {import('playwright-core').Page} page */
  const count = async (page) => Number((await page.locator('[data-testid=event-count]').innerText()).split(' ').at(-1));
  /** There is no collector behind the static files. @param {string[]} faults */
  const assertNoFaults = (faults) => assert.deepEqual(faults.filter((fault) => !fault.includes('/api/v1/')), []);
  /** What is shown of time. @param {import('playwright-core').Page} page */
  const range = (page) => page.locator('[data-testid=timeline]').evaluate(({ dataset }) => [Number(dataset.from), Number(dataset.to)]);

  it('has a graph before its end is there, and what somebody does meanwhile stays', async () => {
    const { page, faults, parts } = await opened();
    const graphs = page.locator('[data-testid=graph]');
    const reading = page.locator('[data-testid=reading]');
    await take(page, 0);
    await until('a graph is drawn', 10_000, () => drawnCanvases(graphs));
    assert.ok(await reading.isVisible(), 'the rest is still read');
    const first = await count(page);
    await screenshot(page, 'viewer-progress');

    const box = await page.locator('[data-testid=plot]').first().boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 20, { steps: 3 });
    await page.mouse.up();
    const group = page.locator('[data-testid=graph-group] h2 button').first();
    await group.click();
    await page.locator('[data-testid=event-row]').nth(5).click();
    const selected = page.locator('[data-testid=event-row][aria-selected=true]');
    const [zoomed, event] = [await range(page), await selected.getAttribute('id')];
    for (let index = 1; index <= parts; index += 1) {
      const before = await count(page);
      await take(page, index);
      await until('there are more events', 10_000, async () => (await count(page)) > before);
      assert.equal(await reading.count(), index < parts ? 1 : 0);
      assert.deepEqual(await range(page), zoomed, 'the part of the time stays');
      assert.equal(await selected.getAttribute('id'), event, 'the event stays selected');
      assert.equal(await group.getAttribute('aria-expanded'), 'false', 'what was folded stays folded');
    }
    assert.ok((await count(page)) > 10 * first, `${first} events at first, ${await count(page)} in the end`);
    await page.keyboard.press('0');
    const [from, to] = await range(page);
    assert.ok(to - from > 30 * 60_000, 'all of it is shown again');
    assertNoFaults(faults);
    await page.close();
  });

  it('comes to the same as one that is read at once', async () => {
    const [whole, parts] = [await shownOf(false), await shownOf(true)];
    assert.ok(whole.pictures.length > 3);
    assert.deepEqual(parts, whole);
  });

  /** What a page shows in the end. One page at a time: what nobody sees is not drawn. @param {boolean} isInParts */
  async function shownOf(isInParts) {
    const { page, faults, parts } = await opened();
    const shown = () =>
      page.evaluate(() => {
        const pictures = [...document.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL());
        const folded = [...document.querySelectorAll('[aria-expanded]')].map((element) => element.getAttribute('aria-expanded'));
        return { text: document.body.innerText, pictures, folded: folded.join() };
      });
    let [last, before] = [await shown(), ''];
    for (let index = isInParts ? 0 : parts; index <= parts; index += 1) {
      await take(page, index);
      await until('its graphs are drawn', 20_000, async () => {
        before = JSON.stringify(last);
        await page.waitForTimeout(500);
        last = await shown();
        return last.pictures.length > 3 && JSON.stringify(last) === before;
      });
    }
    assertNoFaults(faults);
    await page.close();
    return last;
  }
});
