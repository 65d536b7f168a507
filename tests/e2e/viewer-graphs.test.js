// The graphs of the viewer: by track, with names and units that people know, without lines over what nobody knows, and with what each number means.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, it } from 'node:test';
import { decodeDump } from '../decoder/dump.js';
import { screenshot } from '../harness/browser.js';
import { drawnCanvases } from '../harness/viewer.js';
import { file, viewerPages } from '../harness/viewer-pages.js';
import { until } from '../harness/wait.js';

const text = readFileSync(new URL('../fixtures/recordings/rich-session.jsonl', import.meta.url), 'utf8');
const call = readFileSync(new URL('../fixtures/recordings/loopback-av-60s.jsonl', import.meta.url), 'utf8');

describe('the graphs of the viewer', () => {
  const viewer = viewerPages({ collector: false });
  /** @type {import('../harness/viewer-pages.js').ViewerPage} */ let opened;
  /** @type {import('playwright-core').Page} */ let page;

  beforeEach(async () => {
    opened = await viewer.open();
    ({ page } = opened);
  });

  /** @param {string} dump @param {string} [connection] */
  async function open(dump, connection = 'PC_0') {
    await opened.choose(file('dump.jsonl', dump));
    await page.locator(`[data-testid=connection-tab][data-connection-id=${connection}]`).click({ timeout: 10_000 });
    await page.locator('[data-testid=graph-group]').first().waitFor();
  }
  const group = (/** @type {string} */ name) => page.locator('[data-testid=graph-group]').filter({ has: page.locator('h2', { hasText: name }) }).first();

  it('are by track, named after what it is of, with a unit on each axis and all series a click away', async () => {
    await open(text);
    const titles = await page.locator('[data-testid=graph-group] h2 .title').allInnerTexts();
    assert.deepEqual(titles, ['Microphone, sent', 'Camera, sent', 'Remote audio', 'Remote video', 'Path', 'Data channel chat', 'Other entries']);
    const camera = group('Camera, sent');
    const graphs = await camera.locator('[data-testid=graph]').evaluateAll((all) => all.map((graph) => graph.getAttribute('aria-label') ?? ''));
    for (const wanted of ['Bit rate, bits/s', 'Packets, packets/s', 'Frames, frames/s', 'Encode time per frame, ms', 'Round trip time, s']) {
      assert.ok(graphs.includes(`${wanted} over time`), `${wanted} is among ${graphs.join('; ')}`);
    }
    await camera.locator('[data-testid=graph]').first().scrollIntoViewIfNeeded();
    await until('they are drawn', 5000, () => drawnCanvases(camera.locator('[data-testid=graph]')));
    assert.match(await camera.locator('[data-testid=graph]').first().locator('.unit').innerText(), /^bits\/s$/);
    await camera.locator('[data-testid=raw-series]').click();
    const types = await camera.locator('[data-testid=entry]').evaluateAll((all) => all.map((entry) => entry.getAttribute('data-entry-type')));
    assert.deepEqual(types.filter((type, index) => types.indexOf(type) === index), ['outbound-rtp', 'remote-inbound-rtp', 'media-source']);
    await screenshot(page, 'viewer-groups');
    opened.assertClean();
  });

  it('are found by the name of a member', async () => {
    await open(text);
    await page.locator('[data-testid=graph-filter]').fill('roundtriptime');
    const shown = () => page.locator('[data-testid=graph]').evaluateAll((all) => all.map((graph) => graph.getAttribute('data-series') ?? ''));
    await until('only those are there', 5000, async () => (await shown()).length > 3 && (await shown()).every((name) => /roundtriptime/i.test(name)));
    assert.equal(await page.locator('[data-testid=graph-group]').count(), 0);
    opened.assertClean();
  });

  it('say what their members mean, where W3C defines it, and load nothing for that', async () => {
    await open(text);
    const title = group('Camera, sent').locator('[data-testid=graph]').filter({ hasText: 'Encode time per frame' }).locator('[data-testid=explain]');
    await title.hover();
    const box = page.locator('[data-testid=explanation]');
    await box.locator('a').first().waitFor();
    assert.match(await box.innerText(), /totalEncodeTime\s+\S.+\s+framesEncoded\s+\S.+/);
    assert.deepEqual(await box.locator('a').evaluateAll((all) => all.map((link) => link.getAttribute('href'))), ['totalencodetime', 'framesencoded']
      .map((member) => `https://www.w3.org/TR/webrtc-stats/#dom-rtcoutboundrtpstreamstats-${member}`));
    await page.mouse.move(5, 5);
    await until('it goes with the pointer', 3000, async () => (await box.count()) === 0);
    await title.click();
    await box.locator('a').first().waitFor();
    await page.locator('[data-testid=event-filter]').click();
    await until('a click elsewhere closes it', 2000, async () => (await box.count()) === 0);
    await title.click();
    await box.locator('a').first().waitFor();
    await page.keyboard.press(']');
    await until('it goes with what it explains', 2000, async () => (await box.count()) === 0);
    opened.assertClean();
  });

  it('have no line over a report that lacks the entry, nor over a sleep of the page', async () => {
    // In a third of the call no report came; in another one the video was away.
    const { events } = decodeDump(call);
    const lines = call.trim().split('\n');
    const [first, last] = [events[0].time, events[events.length - 1].time];
    const cut = (/** @type {number} */ part) => first + (last - first) * part;
    let time = 0;
    const kept = events.flatMap((event, index) => {
      const line = JSON.parse(lines[index + 2]);
      if (event.method === 'getStats') {
        if (event.time > cut(0.4) && event.time < cut(0.6)) return [];
        line[2] = event.value;
        if (event.time > cut(0.75) && event.time < cut(0.9)) line[2] = Object.fromEntries(Object.keys(event.value).map((id) => [id, /video/.test(event.value[id].kind) ? null : event.value[id]]));
      }
      line[line.length - 1] = event.time - time;
      time = event.time;
      return [JSON.stringify(line)];
    });
    await open([...lines.slice(0, 2), ...kept, ''].join('\n'));
    const graph = group('Camera, sent').locator('[data-testid=graph]').first();
    await graph.scrollIntoViewIfNeeded();
    await until('it is drawn', 5000, () => drawnCanvases(graph));
    // Of each hundredth of the time, whether a pixel has the colour of the line.
    const drawn = await graph.locator('canvas').evaluate((element) => {
      const canvas = /** @type {HTMLCanvasElement} */ (element);
      const wanted = getComputedStyle(canvas).getPropertyValue('--series-1').match(/\w\w/g)?.map((hex) => parseInt(hex, 16)) ?? [];
      const [left, right] = [46 * devicePixelRatio, canvas.width - 8 * devicePixelRatio];
      return Array.from({ length: 100 }, (_, part) => {
        const [from, to] = [Math.round(left + ((right - left) * part) / 100), Math.round(left + ((right - left) * (part + 1)) / 100)];
        const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).getImageData(from, 0, Math.max(1, to - from), canvas.height - 26 * devicePixelRatio);
        return Array.from({ length: data.length / 4 }, (_, at) => data.subarray(4 * at, 4 * at + 4)).some((pixel) => pixel[3] > 100 && wanted.every((value, channel) => Math.abs(pixel[channel] - value) < 40));
      });
    });
    const seen = (/** @type {number} */ from, /** @type {number} */ to) => drawn.slice(from, to).filter(Boolean).length;
    assert.ok(seen(5, 38) >= 31 && seen(62, 73) >= 9 && seen(92, 98) >= 4, `lines: ${drawn.map(Number).join('')}`);
    assert.deepEqual([seen(43, 58), seen(78, 88)], [0, 0], `gaps: ${drawn.map(Number).join('')}`);
    await screenshot(page, 'viewer-gaps');
    opened.assertClean();
  });
});
