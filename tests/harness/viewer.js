// What a user finds in the viewer, asked of the page itself.

import assert from 'node:assert/strict';
import { browserLabel, openPage, screenshot } from './browser.js';
import { until } from './wait.js';

/** @typedef {import('playwright-core').Page} Page */

/** How many of the canvases inside hold a drawing: pixels of more than one colour. @param {import('playwright-core').Locator} within */
export function drawnCanvases(within) {
  return within.locator('canvas').evaluateAll((canvases) =>
    canvases.filter((element) => {
      const canvas = /** @type {HTMLCanvasElement} */ (element);
      if (!canvas.width || !canvas.height) return false;
      const pixels = new Uint32Array(canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data.buffer ?? []);
      return new Set(pixels).size > 2;
    }).length,
  );
}

/**
 * The open session: a tab and events and graphs for each connection.
 * @param {Page} page
 * @param {import('../decoder/dump.js').Event[]} events
 * @param {string} name of the screenshots
 */
export async function assertRecordingShown(page, events, name) {
  const connections = [...new Set(events.map(({ connection }) => connection).filter((id) => id !== null))];
  for (const id of connections) {
    const tab = page.locator(`[data-testid=connection-tab][data-connection-id="${id}"]`);
    await tab.waitFor({ timeout: 10_000 });
    await tab.click();
    await page.locator('[data-testid=event-row]').first().waitFor();
    assert.ok(await page.locator('[data-testid=timeline]').first().isVisible(), `${id} has a timeline`);
    if (events.some(({ method, connection }) => method === 'getStats' && connection === id)) {
      await until(`graphs of ${id} are drawn`, 10_000, () => drawnCanvases(page.locator('[data-testid=graph]')));
    } else {
      await page.locator('[data-testid=no-reports]').waitFor();
    }
    await screenshot(page, `${name}-${id}`);
  }
}

/**
 * @param {import('./browser.js').Browser} browser
 * @param {string} url of the collector
 * @param {any} session as the API lists it
 * @param {import('../decoder/dump.js').Event[]} events
 * @param {string} name of the screenshots
 */
export async function assertSessionView(browser, url, session, events, name) {
  const { page, faults } = await openPage(browser);
  await page.goto(url);
  const row = page.locator(`[data-testid=session-row][data-session-id="${session.id}"]`);
  await row.waitFor({ timeout: 10_000 });
  const text = await row.innerText();
  assert.ok(text.includes(browserLabel), `the row names the browser: ${text}`);
  assert.match(text, /\b2\b/, `the row counts the connections: ${text}`);
  assert.match(text, new RegExp(`\\b${Math.floor(session.duration / 1000)}|${Math.round(session.duration / 1000)}`), `the row tells the length: ${text}`);
  await screenshot(page, `${name}-list`);

  await row.click();
  await page.waitForURL(`${url}/#/sessions/${session.id}`);
  await assertRecordingShown(page, events, name);

  const filtered = events.find(({ method }) => method === 'createOffer')?.connection;
  await page.locator(`[data-testid=connection-tab][data-connection-id="${filtered}"]`).click();
  await page.locator('[data-testid=event-filter]').fill('createOffer');
  const shown = page.locator('[data-testid=event-row]');
  await until('the filter took effect', 5000, async () => {
    const methods = await shown.evaluateAll((rows) => rows.map((row) => /** @type {HTMLElement} */ (row).dataset.method ?? ''));
    return methods.length > 0 && methods.every((method) => method.startsWith('createOffer'));
  });
  await screenshot(page, `${name}-filtered`);
  assert.deepEqual(faults, []);
  await page.close();
}
