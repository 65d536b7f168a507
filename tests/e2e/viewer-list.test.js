// The collector's list of sessions: searched, filtered, sorted, and where a link leads.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { openBrowser, openPage, screenshot } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { until } from '../harness/wait.js';

const recordings = new URL('../fixtures/recordings/', import.meta.url);
const NAMES = ['loopback-av-60s', 'rich-session', 'rich-session-bogus-candidate'];
/** A page whose capture is denied: a critical finding. */
const DENIED = `RTCStatsDump
{"fileFormat":3}
["create",null,{},1795159383861]
["navigator.mediaDevices.getUserMedia",null,{"audio":true},"60-0",100]
["navigator.mediaDevices.getUserMediaOnFailure",null,"NotAllowedError","60-0",50]
`;
const COUNT = NAMES.length + 1;

describe('the list of sessions', () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  /** @type {any[]} */ let all;

  before(async () => {
    [collector, browser] = await Promise.all([Collector.start(), openBrowser()]);
    const dumps = NAMES.map((name) => readFileSync(new URL(`${name}.jsonl`, recordings), 'utf8'));
    for (const text of [...dumps, DENIED]) await collector.upload(text);
    await until('all are stored', 20_000, async () => {
      all = (await collector.json('/api/v1/sessions?state=ended')).sessions;
      return all.length === COUNT;
    });
  });

  after(async () => {
    await browser?.close();
    await collector?.dispose();
  });

  /** @param {import('playwright-core').Page} page */
  const shown = (page) => page.locator('[data-testid=session-row]').evaluateAll((rows) => rows.map((row) => row.dataset.sessionId));
  /** @param {string} query */
  const asked = async (query) => (await collector.json(`/api/v1/sessions?${query}`)).sessions.map((/** @type {any} */ { id }) => id);

  it('shows those that fulfil conditions, and keeps them in the address', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(collector.url);
    await until('all are listed', 5000, async () => (await shown(page)).length === COUNT);
    const condition = 'addIceCandidateFailure!=none';
    const wanted = await asked(`feature=${encodeURIComponent(condition)}`);
    assert.ok(wanted.length > 0 && wanted.length < COUNT, `${wanted.length} have it`);
    await page.locator('[data-testid=filter-feature]').fill(condition);
    await until('the list is narrowed', 5000, async () => (await shown(page)).join() === wanted.join());
    assert.match(page.url(), /#\/\?feature=/);
    await screenshot(page, 'viewer-list-filtered');

    const { page: other } = await openPage(browser);
    await other.goto(page.url());
    await until('the link leads to the same', 5000, async () => (await shown(other)).join() === wanted.join());
    await other.close();

    await page.locator('[data-testid=filter-state]').selectOption('live');
    await page.locator('[data-testid=no-match]').waitFor();
    await page.locator('[data-testid=clear-filters]').click();
    await until('all are listed again', 5000, async () => (await shown(page)).length === COUNT);
    assert.deepEqual(faults, []);

    // What the API does not understand is said, and the list comes back.
    await page.locator('[data-testid=filter-feature]').fill('nonsense');
    const alert = page.locator('[role=alert]');
    await alert.waitFor();
    assert.match(await alert.innerText(), /feature/);
    await page.locator('[data-testid=clear-filters]').click();
    await until('all are listed again', 10_000, async () => (await shown(page)).length === COUNT);
    await page.close();
  });

  it('says how many findings a session has, and shows those that have some', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(collector.url);
    await until('all are listed', 5000, async () => (await shown(page)).length === COUNT);
    const said = await page.locator('[data-testid=session-row]').evaluateAll((rows) =>
      rows.map((row) => [row.dataset.sessionId, row.querySelector('[data-testid=session-findings]')?.getAttribute('title') ?? '']));
    const counts = (/** @type {any} */ { criticalFindings: critical, warningFindings: warning }) =>
      [critical && `${critical} critical finding${critical > 1 ? 's' : ''}`, warning && `${warning} warning${warning > 1 ? 's' : ''}`].filter(Boolean).join(', ');
    assert.deepEqual(said, all.map((session) => [session.id, counts(session)]));
    assert.ok(said.some(([, text]) => text === '1 critical finding') && said.some(([, text]) => text?.includes('warning')), JSON.stringify(said));
    await screenshot(page, 'viewer-list-findings');
    for (const severity of ['critical', 'warning']) {
      const wanted = all.filter((session) => session[`${severity}Findings`] > 0).map(({ id }) => id);
      assert.ok(wanted.length > 0 && wanted.length < COUNT, `${wanted.length} have one that is ${severity}`);
      await page.locator('[data-testid=filter-severity]').selectOption(severity);
      await until('the list is narrowed', 5000, async () => (await shown(page)).join() === wanted.join());
      assert.match(page.url(), new RegExp(`severity=${severity}`));
    }
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('leads from two of its rows to both side by side, by pointer and by keys', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(collector.url);
    await until('all are listed', 5000, async () => (await shown(page)).length === COUNT);
    const choose = page.locator('[data-testid=choose]');
    const compare = page.locator('[data-testid=compare-chosen]');
    const [first, second, third] = await shown(page);
    await choose.nth(0).click();
    assert.ok(!page.url().includes('/sessions/'), 'it opens none');
    await page.locator('[data-testid=chosen] [role=status]').waitFor();
    await choose.nth(1).click();
    assert.ok((await compare.getAttribute('href'))?.includes(`a=${first}&b=${second}`));
    // A third one takes the place of the first.
    await choose.nth(2).click();
    assert.equal(await page.locator('[data-testid=choose]:checked').count(), 2);
    await screenshot(page, 'viewer-list-chosen');
    await compare.click();
    await page.waitForURL(new RegExp(`a=${second}&b=${third}`));
    await page.locator('[data-testid=compare]').waitFor({ timeout: 15_000 });

    await page.goto(`${collector.url}/#/`);
    await until('all are listed', 5000, async () => (await shown(page)).length === COUNT);
    await choose.nth(0).focus();
    await page.keyboard.press(' ');
    await choose.nth(1).focus();
    await page.keyboard.press(' ');
    await compare.waitFor();
    await page.keyboard.press('Escape');
    await until('none is chosen', 2000, async () => (await page.locator('[data-testid=choose]:checked').count()) === 0);
    await page.keyboard.press(' ');
    await choose.nth(3).focus();
    await page.keyboard.press(' ');
    await compare.waitFor();
    await page.keyboard.press('c');
    await page.locator('[data-testid=compare]').waitFor({ timeout: 15_000 });
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('counts all, finds what any text has, and the longest of all sessions though it is not among the newest', async () => {
    const { page, faults } = await openPage(browser);
    // A page of two stands for one of fifty.
    await page.route('**/api/v1/sessions?*', (route) => {
      const url = new URL(route.request().url());
      if (url.searchParams.has('limit')) url.searchParams.set('limit', '2');
      return route.continue({ url: url.href });
    });
    await page.goto(collector.url);
    await until('a page is listed', 5000, async () => (await shown(page)).length === 2);
    assert.equal(await page.locator('[data-testid=list-total]').textContent(), `${COUNT} sessions`);
    const longest = [...all].sort((a, b) => b.duration - a.duration)[0].id;
    await page.locator('th', { hasText: 'Duration' }).locator('button').click();
    await until('the longest is first', 5000, async () => (await shown(page))[0] === longest);
    await page.locator('[data-testid=session-search]').fill(all[1].id.slice(-12).toUpperCase());
    await until('it is found', 5000, async () => (await shown(page)).join() === all[1].id);
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('finds a session by its id', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(collector.url);
    const search = page.locator('[data-testid=session-search]');
    await search.fill(all[0].id);
    await search.press('Enter');
    await page.waitForURL(`${collector.url}/#/sessions/${all[0].id}`);
    await page.locator('[data-testid=connection-tab]').first().waitFor({ timeout: 10_000 });
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('is sorted by a column, either way', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(collector.url);
    await until('all are listed', 5000, async () => (await shown(page)).length === COUNT);
    const by = (/** @type {string} */ member) => [...all].sort((a, b) => b[member] - a[member]).map(({ id }) => id);
    const header = page.locator('th', { hasText: 'Events' });
    await header.locator('button').click();
    assert.equal(await header.getAttribute('aria-sort'), 'descending');
    assert.deepEqual(await shown(page), by('lines'));
    await header.locator('button').click();
    assert.equal(await header.getAttribute('aria-sort'), 'ascending');
    assert.equal((await shown(page))[0], by('lines').at(-1));
    assert.deepEqual(faults, []);
    await page.close();
  });
});
