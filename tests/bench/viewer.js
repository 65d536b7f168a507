// What dumps cost the viewer: node tests/bench/viewer.js FILE...
//
// Of each file, in a browser of its own: the time from its being chosen to the first graph and to the whole recording, the CPU
// seconds of the browser's processes until then, the memory of the page and its worker, and what frames cost (frames.js) while the
// pointer moves over graphs, parts of the time are chosen, and the list of all events scrolls. Frames follow one another without a wait
// for a screen.

import { readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { openBrowser, openPage } from '../harness/browser.js';
import { openSite } from '../harness/site.js';
import { fixed, median, quantile, table } from './figures.js';
import { framesDuring } from './frames.js';

const files = process.argv.slice(2);
if (!files.length) throw new Error('which dumps?');

/** Frames of each movement. */
const FRAMES = Number(process.env.FRAMES ?? 120);
/** So many graphs of a wide and high window are in view. */
const WINDOW = { width: 2600, height: 1600 };
/** Ticks of a second of /proc. */
const TICKS = 100;

const opened = [['dump', 'first graph, s', 'whole, s', 'CPU s', 'JS heap, MB', 'buffers and wasm, MB', 'graphs']];
const moved = [['frames of', 'number', 'ms of work, median', 'p95', 'ms apart, median', 'p95']];
for (const file of files) await measure(file);
console.log(`\n${table(opened)}\n\n${table(moved)}`);

/** @param {string} file */
async function measure(file) {
  const [site, browser] = await Promise.all([
    openSite({ folders: { '/': new URL('../../dump-viewer/dist/', import.meta.url).pathname } }),
    openBrowser('chromium', { args: ['--disable-frame-rate-limit', '--disable-gpu-vsync'] }),
  ]);
  try {
    const { page, faults } = await openPage(browser);
    await page.setViewportSize(WINDOW);
    await page.addInitScript(watch);
    await page.goto(`${site.url}/index.html`);
    await page.locator('[data-testid=file-input]').waitFor({ state: 'attached' });
    const before = processorTime();
    await page.locator('[data-testid=file-input]').setInputFiles(file);
    await page.waitForFunction(() => /** @type {any} */ (window).watched.whole, null, { timeout: 300_000 });
    const used = processorTime() - before;
    const { first, whole } = await page.evaluate(() => /** @type {any} */ (window).watched);
    const memory = await memoryOf(page);
    const graphs = await page.locator('[data-testid=graph]').evaluateAll((all) => all.filter((graph) => graph.getBoundingClientRect().top < innerHeight).length);
    const movements = { hover: await hovered(page), zoom: await zoomed(page), scroll: await scrolled(page) };
    // There is no collector behind the static files.
    const errors = faults.filter((fault) => !fault.includes('/api/v1/'));
    if (errors.length) throw new Error(`errors in the page: ${errors.join('; ')}`);
    opened.push([basename(file), fixed(first, 2), fixed(whole, 2), fixed(used, 2), fixed(memory.heap / 1e6, 1), fixed(memory.outside / 1e6, 1), String(graphs)]);
    for (const [name, { work, apart }] of Object.entries(movements)) {
      const figures = [work, apart].flatMap((times) => [fixed(median(times), 1), fixed(quantile(times, 0.95), 1)]);
      moved.push([`${basename(file)}, ${name}`, String(work.length), ...figures]);
    }
  } finally {
    await browser.close();
    await site.close();
  }
}

/** In the page: seconds from the choice of a file until the first graph is drawn, and until the whole recording is there. */
function watch() {
  const watched = { start: 0, first: 0, whole: 0 };
  Object.assign(window, { watched });
  document.addEventListener('change', () => (watched.start = performance.now()), true);
  const frame = () => {
    if (watched.start && !watched.whole) {
      const seconds = (performance.now() - watched.start) / 1000;
      if (!watched.first && document.querySelector('[data-testid=graph] canvas:not([width="0"])')) watched.first = seconds;
      if (watched.first && !document.querySelector('[role=progressbar], progress, [data-testid=loading]')) watched.whole = seconds;
    }
    if (!watched.whole) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

/** CPU seconds of all processes of browsers that this process has started. */
function processorTime() {
  /** @type {Map<number, { parent: number, ticks: number }>} */
  const all = new Map();
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1].split(' ');
      all.set(Number(name), { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) });
    } catch {
      // It has ended.
    }
  }
  /** @param {number} id @returns {boolean} */
  const isOurs = (id) => id === process.pid || (all.has(id) && isOurs(/** @type {any} */ (all.get(id)).parent));
  return [...all].filter(([id]) => id !== process.pid && isOurs(id)).reduce((sum, [, { ticks }]) => sum + ticks, 0) / TICKS;
}

/** Bytes of the page and its workers, after a collection. @param {import('playwright-core').Page} page */
async function memoryOf(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.enable');
  await session.send('HeapProfiler.collectGarbage');
  const own = /** @type {any} */ (await session.send('Runtime.getHeapUsage'));
  let heap = own.usedSize;
  let outside = own.backingStorageSize ?? 0;
  for (const worker of page.workers()) {
    const { used, buffers } = await worker.evaluate(() => {
      /** @type {any} */ (globalThis).gc?.();
      const memory = /** @type {any} */ (performance).memory;
      return { used: memory?.usedJSHeapSize ?? 0, buffers: /** @type {any} */ (globalThis).memoryBytes?.() ?? 0 };
    });
    heap += used;
    outside += buffers;
  }
  return { heap, outside };
}

/** @param {import('playwright-core').Page} page */
async function hovered(page) {
  const box = await page.locator('[data-testid=plot]').first().boundingBox();
  if (!box) throw new Error('no graph is in view');
  return framesDuring(page, () => page.evaluate(async ([frames]) => {
    const over = /** @type {HTMLElement} */ (document.querySelector('[data-testid=plot]'));
    const { left, top, width, height } = over.getBoundingClientRect();
    for (let step = 0; step < frames; step += 1) {
      over.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: left + (width * step) / frames, clientY: top + height / 2, view: window }));
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }, [FRAMES]));
}

/** A part of a graph is chosen, and the whole again. @param {import('playwright-core').Page} page */
async function zoomed(page) {
  const box = await page.locator('[data-testid=plot]').first().boundingBox();
  if (!box) throw new Error('no graph is in view');
  const [x, y] = [box.x + box.width / 4, box.y + box.height / 2];
  return framesDuring(page, async () => {
    for (let time = 0; time < FRAMES / 12; time += 1) {
      await page.mouse.move(x, y);
      await page.mouse.down();
      await page.mouse.move(x + box.width / 2, y, { steps: 4 });
      await page.mouse.up();
      await page.keyboard.press('0');
    }
  });
}

/** @param {import('playwright-core').Page} page */
async function scrolled(page) {
  await page.locator('[data-testid=category][data-category=reports]').click();
  return framesDuring(page, () => page.evaluate(async ([frames]) => {
    let list = /** @type {HTMLElement | null} */ (document.querySelector('[data-testid=event-row]'));
    while (list && list.scrollHeight <= list.clientHeight + 1) list = list.parentElement;
    for (let step = 0; step < frames; step += 1) {
      list?.scrollBy(0, 97);
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }, [FRAMES]));
}
