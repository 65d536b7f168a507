// How the viewer looks: each of its views at two widths and in both themes, kept as pictures under target/screenshots, held against the rules of
// accessibility that axe-core knows, and reached by keys alone.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { openBrowser, openPage } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { drawnCanvases } from '../harness/viewer.js';
import { until } from '../harness/wait.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = new URL('../../target/screenshots/', import.meta.url).pathname;
const dump = readFileSync(new URL('../fixtures/recordings/rich-session.jsonl', import.meta.url));

const SIZES = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
/** @type {('light' | 'dark')[]} */
const THEMES = ['light', 'dark'];

/** @typedef {import('playwright-core').Page} Page */

/** @param {Page} page @param {string} method */
const unfold = async (page, method) => {
  const row = page.locator(`[data-testid=event-row][data-method=${method}]`).first();
  await row.click();
  await page.locator('[data-testid=event-value] .head').first().waitFor();
};

/** What is opened one after the other, each from where the one before has left. @type {[name: string, open: (page: Page) => Promise<unknown>][]} */
const VIEWS = [
  ['session', (page) => page.locator('[data-testid=event-row]').first().waitFor({ timeout: 10_000 })],
  ['graphs', async (page) => {
    await page.locator('[data-testid=graph]').first().scrollIntoViewIfNeeded();
    await until('graphs are drawn', 10_000, () => drawnCanvases(page.locator('[data-testid=graph]')));
  }],
  ['explanation', async (page) => {
    await page.locator('[data-testid=graph-group] [data-testid=explain]').first().click();
    await page.locator('[data-testid=explanation] a').first().waitFor();
  }],
  ['series', async (page) => {
    await page.keyboard.press('Escape');
    await page.locator('[data-testid=raw-series]').first().click();
    await page.locator('[data-testid=entry] [data-testid=graph]').first().waitFor();
  }],
  ['overview', (page) => page.locator('[data-testid=show-overview]').click()],
  ['ice', (page) => page.locator('[data-testid=show-ice]').click()],
  ['features', (page) => page.locator('[data-testid=show-features]').click()],
  ['findings', async (page) => {
    await page.locator('[data-testid=more-findings]').click();
    await page.locator('[data-testid=finding] .fold').first().click();
  }],
  ['description', (page) => unfold(page, 'setLocalDescription')],
  ['value', async (page) => {
    await page.locator('[data-testid=page-tab]').click();
    await unfold(page, 'create');
  }],
  ['all', (page) => page.locator('[data-testid=all-tab]').click()],
  ['search', async (page) => {
    await page.locator('[data-testid=event-filter]').fill('connected');
    await page.locator('[data-testid=show-hidden]').click();
    await page.locator('[data-testid=found-in]').first().waitFor();
  }],
  ['compare-with', async (page) => {
    await page.locator('[data-testid=compare-open]').click();
    await page.locator('[data-testid=compare-with]').waitFor();
  }],
  ['help', async (page) => {
    await page.keyboard.press('Escape');
    await until('it is closed', 2000, async () => (await page.locator('[data-testid=compare-with]').count()) === 0);
    await page.keyboard.press('?');
    await page.locator('[data-testid=help]').waitFor();
  }],
];

describe('the looks of the viewer', () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  let id = '';

  before(async () => {
    mkdirSync(pictures, { recursive: true });
    [collector, browser] = await Promise.all([Collector.start(), openBrowser()]);
    id = await collector.upload(dump);
    await until('the session is stored', 10_000, async () => (await fetch(`${collector.url}/api/v1/sessions/${id}/dump`)).ok);
  });

  after(async () => {
    await browser?.close();
    await collector?.dispose();
  });

  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const theme of THEMES) {
      it(`are readable for everybody, ${size} and ${theme}`, async () => {
        const { page, faults } = await openPage(browser);
        await page.setViewportSize(viewport);
        await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
        await page.goto(collector.url);
        await page.locator('[data-testid=session-row]').first().waitFor({ timeout: 10_000 });
        /** @type {string[]} */
        const wrong = [];
        await page.locator('[data-testid=choose]').first().click();
        await look(page, `list-${size}-${theme}`, wrong);
        await page.goto(`${collector.url}/#/sessions/${id}?tab=id:PC_0`);
        for (const [name, open] of VIEWS) {
          await open(page);
          await look(page, `${name}-${size}-${theme}`, wrong);
        }
        await page.goto(`${collector.url}/#/compare?a=${id}&b=same&of=PC_0&with=PC_1`);
        await page.locator('[data-testid=compare] [data-testid=graph]').first().waitFor({ state: 'attached', timeout: 10_000 });
        await look(page, `compare-${size}-${theme}`, wrong);
        await page.locator('[data-testid=compare-events]').click();
        await page.locator('[data-testid=events-right] [data-testid=event-row]').first().waitFor();
        await page.locator('[data-testid=events-left]').scrollIntoViewIfNeeded();
        await look(page, `compare-events-${size}-${theme}`, wrong);
        await page.goto(`${collector.url}/#/sessions/00000000-0000-7000-8000-000000000000`);
        await page.locator('[data-testid=import-error]').waitFor();
        await look(page, `failure-${size}-${theme}`, wrong);
        assert.deepEqual(wrong, []);
        assert.deepEqual(faults.filter((fault) => !fault.includes('00000000-0000-7000')), []);
        await page.close();
      });
    }
  }

  it('leave nothing out of reach of the keyboard', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${collector.url}/#/sessions/${id}?tab=id:PC_0`);
    await page.locator('[data-testid=graph-group]').first().waitFor({ timeout: 10_000 });
    const reached = new Set();
    const now = () => page.evaluate(() => {
      const element = document.activeElement;
      return element?.closest('[data-testid]')?.getAttribute('data-testid') ?? element?.tagName ?? '';
    });
    for (let step = 0; step < 80; step += 1) {
      await page.keyboard.press('Tab');
      reached.add(await now());
      if (reached.has('explain')) break;
      // Of a list of tabs the chosen one is reached; the arrow keys lead to the others, and back.
      if ((await now()) !== 'connection-tab') continue;
      await page.keyboard.press('Home');
      reached.add(await now());
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      assert.equal(await now(), 'connection-tab');
    }
    for (const wanted of ['file-input', 'all-tab', 'connection-tab', 'finding', 'event-filter', 'method-filter', 'category', 'show-overview', 'graph-filter', 'explain']) {
      assert.ok(reached.has(wanted), `${wanted} is among ${[...reached].join(', ')}`);
    }
    await page.keyboard.press('Enter');
    const link = page.locator('[data-testid=explanation] a').first();
    await link.waitFor();
    assert.match(String(await link.getAttribute('href')), /^https:\/\/www\.w3\.org\/TR\/webrtc-stats\/#dom-rtc\w+-\w+$/);
    await until('the keys are in it', 2000, async () => (await now()) === 'explanation');
    await page.keyboard.press('Escape');
    await until('it closes', 2000, async () => (await page.locator('[data-testid=explanation]').count()) === 0);
    assert.equal(await now(), 'explain', 'and the keys are where they were');
    assert.deepEqual(faults, []);
    await page.close();
  });
});

/**
 * Keeps a picture, and adds to `wrong` what axe-core finds serious, and what does not fit.
 * @param {Page} page @param {string} name @param {string[]} wrong
 */
async function look(page, name, wrong) {
  // What was asked for has come, and is drawn.
  await page.waitForTimeout(250);
  await page.screenshot({ path: `${pictures}${name}.png` });
  await page.evaluate(axe);
  /** @type {{ id: string, impact: string, nodes: { target: string[], failureSummary: string }[] }[]} */
  const violations = await page.evaluate(async () => (await /** @type {any} */ (window).axe.run(document, { resultTypes: ['violations'] })).violations);
  for (const { id, impact, nodes } of violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')) {
    const [node] = nodes;
    wrong.push(`${name}: ${impact} ${id} of ${nodes.length}, as ${node?.target.join(' ')}: ${node?.failureSummary.replace(/\s+/g, ' ')}`);
  }
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (beyond > 0) wrong.push(`${name}: ${beyond} px wider than its window`);
}
