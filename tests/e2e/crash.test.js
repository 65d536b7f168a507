// The collector dies in mid-call, and comes back. The recording must not show it.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeDump, readDump } from '../decoder/dump.js';
import { openBrowser, openPage } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { compareEvents } from '../harness/comparison.js';
import { openSite } from '../harness/site.js';
import { sleep, until } from '../harness/wait.js';

describe('a collector that is killed in mid-call', () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  /** @type {{ url: string, close: () => Promise<void> }} */ let site;

  before(async () => {
    [collector, browser, site] = await Promise.all([Collector.start({ RTCTRACE_SESSION_RESUME_GRACE: '5s' }), openBrowser(), openSite()]);
  });

  after(async () => {
    await browser?.close();
    await site?.close();
    await collector?.dispose();
  });

  /** @param {import('playwright-core').Page} page */
  const stateOf = (page) => page.evaluate(async () => (await /** @type {any} */ (window).running).recorder.state);

  it('resumes the session: each line is in the dump once, and in order', async () => {
    const { page } = await openPage(browser);
    await page.goto(`${site.url}/ticks.html?endpoint=${encodeURIComponent(collector.url)}`);
    await until('the client is connected', 5000, async () => (await stateOf(page)) === 'open');
    for (const pause of [3000, 4000]) {
      await sleep(pause);
      await collector.crash();
      await until('the client noticed', 5000, async () => (await stateOf(page)) === 'reconnecting');
      await sleep(700);
      await collector.run();
      await until('the client is connected again', 20_000, async () => (await stateOf(page)) === 'open');
    }
    await sleep(2000);
    const outcome = await page.evaluate(async () => (await /** @type {any} */ (window).running).end());
    await page.close();

    const session = await collector.endedSession(({ id }) => id === outcome.session, 2000);
    assert.equal(session.closeCode, 1000);
    assert.equal((await collector.sessions()).length, 1, 'it stays one session');
    const { events } = decodeDump(readDump(collector.dumpPath(session.id, session.startTime)));
    const ticks = events.filter(({ method }) => method === ':tick').map(({ value }) => value);
    assert.ok(ticks.length > 180, `${ticks.length} ticks`);
    assert.deepEqual(ticks, Array.from({ length: outcome.ticks }, (_, index) => index));
    const { reports } = compareEvents(events, outcome.record);
    assert.ok(reports > 60, `${reports} reports were compared`);
  });

  it('ends a session whose page is gone once the grace period is over', async () => {
    const { page } = await openPage(browser);
    await page.goto(`${site.url}/ticks.html?endpoint=${encodeURIComponent(collector.url)}`);
    await until('the client is connected', 5000, async () => (await stateOf(page)) === 'open');
    await sleep(1500);
    const id = await page.evaluate(async () => (await /** @type {any} */ (window).running).recorder.session);
    await page.close();
    const [live] = (await collector.sessions()).filter((session) => session.id === id);
    assert.equal(live.state, 'live');
    const session = await collector.endedSession((candidate) => candidate.id === id, 8000);
    const { events } = decodeDump(readDump(collector.dumpPath(id, session.startTime)));
    const ticks = events.filter(({ method }) => method === ':tick').map(({ value }) => value);
    assert.ok(ticks.length > 15, `${ticks.length} ticks`);
    assert.deepEqual(ticks, ticks.map((_, index) => index));
  });
});
