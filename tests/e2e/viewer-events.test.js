// The list of events: what it is narrowed by, how it is walked by keys, and how it and the timeline point at each other.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, it } from 'node:test';
import { decodeDump } from '../decoder/dump.js';
import { screenshot } from '../harness/browser.js';
import { file, viewerPages } from '../harness/viewer-pages.js';
import { until } from '../harness/wait.js';

const dump = readFileSync(new URL('../fixtures/recordings/rich-session.jsonl', import.meta.url), 'utf8');
const { events } = decodeDump(dump);

describe('the events of the viewer', () => {
  const viewer = viewerPages({ collector: false });
  /** @type {import('../harness/viewer-pages.js').ViewerPage} */ let opened;
  /** @type {import('playwright-core').Page} */ let page;

  beforeEach(async () => {
    opened = await viewer.open();
    ({ page } = opened);
    await opened.choose(file('dump.jsonl', dump));
    await page.locator('[data-testid=all-tab]').click({ timeout: 10_000 });
    await row('create').waitFor();
  });

  const row = (/** @type {string} */ method) => page.locator(`[data-testid=event-row][data-method="${method}"]`).first();
  const count = () => page.locator('[data-testid=event-count]').innerText();
  const counted = (/** @type {number} */ wanted) => until(`${wanted} are shown`, 5000, async () => Number.parseInt(await count(), 10) === wanted);
  const selected = () => page.locator('[data-testid=event-row][aria-selected=true]').evaluateAll((all) => all.map((one) => Number(one.dataset.event)));

  it('are narrowed by text in their values, by failure, type and connection, all at once', async () => {
    const filter = page.locator('[data-testid=event-filter]');
    const isReport = (/** @type {{ method: string }} */ { method }) => method === 'getStats';
    const others = events.filter((event) => !isReport(event));
    await counted(others.length);
    await page.locator('[data-testid=category][data-category=reports]').click();
    await counted(events.length);

    await filter.fill('OVERCONSTRAINED');
    const wanted = others.filter(({ value, extra }) => /overconstrained/i.test(JSON.stringify([value, extra])));
    assert.ok(wanted.length >= 1 && wanted.every(({ method }) => !/overconstrained/i.test(method)));
    await counted(wanted.length);
    // A line of a description that travels without its sections.
    await filter.fill('a=setup:actpass');
    const offers = others.filter(({ value }) => /a=setup:actpass/.test(value?.sdp ?? ''));
    assert.ok(offers.length > 1);
    await counted(offers.length);
    await filter.fill('');

    const failures = events.filter(({ method }) => method.endsWith('OnFailure'));
    await page.locator('button.failures').click();
    await counted(failures.length);
    await page.locator('[data-testid=connection-tab][data-connection-id=PC_0]').click();
    await counted(failures.filter(({ connection }) => connection === 'PC_0').length);
    await page.locator('button.failures').click();
    await page.locator('[data-testid=method-filter]').selectOption('addIceCandidate');
    await counted(events.filter(({ method, connection }) => method === 'addIceCandidate' && connection === 'PC_0').length);
    await filter.fill('nothing has this');
    await until('it says so', 5000, async () => (await page.locator('.empty').innerText()).startsWith('No event matches.'));
    await page.locator('.empty button').click();
    await counted(events.filter(({ connection }) => connection === 'PC_0').length);
    opened.assertClean();
  });

  it('are found by what reports hold, too, and marked in the timeline while they are looked for', async () => {
    const text = 'Waiting';
    const has = (/** @type {{ value: any, extra: any[] }} */ { value, extra }) => JSON.stringify([value, extra]).toLowerCase().includes(text.toLowerCase());
    const reports = events.filter((event) => event.method === 'getStats' && has(event));
    const others = events.filter((event) => event.method !== 'getStats' && has(event));
    assert.ok(reports.length > 1 && reports.length < events.filter(({ method }) => method === 'getStats').length, `${reports.length} reports have it`);
    await page.locator('[data-testid=event-filter]').fill(text);
    const hidden = page.locator('[data-testid=show-hidden]');
    await until('it says how many reports have it', 5000, async () => (await hidden.innerText()).includes(` ${reports.length} `));
    await counted(others.length);
    const found = page.locator('[data-testid=marks-Found] button');
    assert.ok((await found.count()) > 0);
    await screenshot(page, 'viewer-search');

    // A mark leads to its report, the list shows it then, and what is looked for stays.
    await found.last().click();
    await until('it is chosen', 5000, async () => reports.includes(events[(await selected())[0]]));
    await counted(others.length + reports.length);
    assert.match(await page.locator('[data-testid=event-row][aria-selected=true] [data-testid=found-in]').innerText(), /^candidate-pair .+ · state$/);
    // Unfolded, it shows where.
    await page.locator('[data-testid=event-row][aria-selected=true]').click();
    const tree = page.locator('[data-testid=event-value]').first();
    await tree.locator('dd', { hasText: 'waiting' }).first().waitFor();
    assert.ok((await tree.locator('dt').allInnerTexts()).every((name) => name === 'state'));

    await page.keyboard.press('Escape');
    await until('nothing is marked any more', 5000, async () => (await found.count()) === 0);

    // A member and its value; also where the list shows one connection.
    const known = reports[0].value;
    const [id] = Object.entries(known).find(([, entry]) => entry.type === 'transport') ?? [''];
    const member = `"bytesReceived":${known[id].bytesReceived}`;
    await page.locator(`[data-testid=connection-tab][data-connection-id=${reports[0].connection}]`).click();
    const wanted = events.filter(({ method, connection, value }) => method === 'getStats' && connection === reports[0].connection && JSON.stringify(value).includes(member));
    await page.locator('[data-testid=event-filter]').fill(member);
    await counted(wanted.length);
    opened.assertClean();
  });

  it('are walked and unfolded by keys', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('createOffer');
    const offers = events.flatMap(({ method }, index) => (method.startsWith('createOffer') ? [index] : []));
    await counted(offers.length);
    await page.keyboard.press('ArrowDown');
    await until('the first is chosen', 2000, async () => (await selected())[0] === offers[0]);
    await page.keyboard.press('j');
    await until('the next is chosen', 2000, async () => (await selected())[0] === offers[1]);
    await page.keyboard.press('Enter');
    await page.locator('[data-testid=event-value]').first().waitFor();
    await page.keyboard.press('ArrowLeft');
    await until('it is folded', 2000, async () => (await page.locator('[data-testid=event-value]').count()) === 0);
    await page.keyboard.press('Escape');
    await page.keyboard.press('n');
    await until('the next failure is chosen', 2000, async () => events[(await selected())[0]]?.method.endsWith('OnFailure'));
    opened.assertClean();
  });

  it('are marked in the timeline, and found from there', async () => {
    const mark = page.locator('[data-testid=selected-mark]');
    assert.equal(await mark.count(), 0);
    await row('createOffer').click();
    await mark.waitFor();
    const [timeline, place] = await Promise.all([page.locator('[data-testid=timeline] .area').boundingBox(), mark.boundingBox()]);
    assert.ok(timeline && place);
    const [begin, end] = await page.locator('[data-testid=timeline]').evaluate((element) => [Number(element.dataset.from), Number(element.dataset.to)]);
    const { time } = events[(await selected())[0]];
    assert.ok(Math.abs((place.x + place.width / 2 - timeline.x) / timeline.width - (time - begin) / (end - begin)) < 0.01, 'it stands at its time');
    await page.locator('[data-testid=timeline] button.failure').last().click();
    await until('its row is chosen', 2000, async () => events[(await selected())[0]]?.method.endsWith('OnFailure'));
    opened.assertClean();
  });

  it('show their values as trees', async () => {
    await row('create').click();
    const tree = page.locator('[data-testid=event-value]').first();
    await tree.locator('.key').first().waitFor();
    const folds = tree.locator('button[aria-expanded=true]');
    const before = await folds.count();
    assert.ok(before > 1);
    await folds.last().click();
    await until('a branch is folded', 2000, async () => (await folds.count()) < before);
    opened.assertClean();
  });
});
