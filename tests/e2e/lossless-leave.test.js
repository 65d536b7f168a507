// Pages that go away in mid-call: what they said last arrives by beacon. Some come back from the back-forward cache.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { browserName, openBrowser, openPage } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { compareEvents, isUnseen } from '../harness/comparison.js';
import { RecordedCall, busyTolerance } from '../harness/recorded-call.js';
import { openSite } from '../harness/site.js';
import { sleep, until } from '../harness/wait.js';

/** @typedef {import('../harness/comparison.js').Seen} Seen */

const grace = 4000;

describe('a page that leaves', { concurrency: true }, () => {
  /** @type {Collector} */ let collector;
  /** @type {Collector} */ let patient;
  /** @type {import('../harness/browser.js').Browser} */ let browser;

  before(async () => {
    const settings = { RTCTRACE_SESSION_RESUME_GRACE: `${grace}ms` };
    [collector, patient, browser] = await Promise.all([Collector.start(settings), Collector.start(), openBrowser(undefined, { pageCache: true })]);
  });

  after(async () => {
    await browser?.close();
    await collector?.dispose();
    await patient?.dispose();
  });

  /**
   * Every call has an origin of its own: pages of one share the place where a record is kept.
   * @param {Record<string, string | number>} parameters
   * @param {(call: RecordedCall, site: { url: string }) => Promise<void>} work
   * @param {Collector} [by]
   */
  async function during(parameters, work, by = collector) {
    const site = await openSite();
    const call = await RecordedCall.open({ browser, site, collector: by }, parameters);
    try {
      await call.opens(15_000);
      await work(call, site);
    } finally {
      await call.close();
      await site.close();
    }
  }

  /** What a page that is gone had seen. It may not have arrived where the next one looks. @param {{ url: string }} site @returns {Promise<Seen[]>} */
  async function keptRecord(site) {
    const { page } = await openPage(browser);
    await page.goto(`${site.url}/elsewhere.html`);
    const record = await until('the page kept its record', 15_000, () =>
      page.evaluate(() => {
        const count = Number(localStorage.getItem('count'));
        const items = Array.from({ length: count }, (_, index) => localStorage.getItem(`record ${index}`));
        return count > 0 && items.every((item) => item !== null) ? /** @type {Seen[]} */ (items.flatMap((item) => JSON.parse(item ?? ''))) : null;
      }),
    );
    await page.close();
    return record;
  }

  /**
   * Everything up to the end of the page's `pagehide` is stored. A page that is closed may run on for a moment while its process is taken
   * down; how much of that its beacons and its own record still reach is chance, but what both have is the same.
   * @param {RecordedCall} call @param {{ url: string }} site @param {string} session
   */
  async function compareWithKept(call, site, session) {
    const stored = await call.stored(session, grace + 5000);
    const record = await keptRecord(site);
    const end = (/** @type {{ method: string, value: any }[]} */ list) => list.findIndex(({ method, value }) => method === ':pagehide' && value === 'last') + 1;
    assert.ok(end(record) > 0, 'the page saw itself leave');
    const stays = stored.events.filter((event) => !isUnseen(event));
    assert.equal(end(stays), end(record), 'all that the page did before and while it left is stored');
    const both = Math.min(stays.length, record.length);
    const { reports } = compareEvents(stays.slice(0, both), record.slice(0, both), busyTolerance);
    assert.ok(reports > 10, `${reports} reports were compared`);
    assert.ok(call.proxy.beacons.length > 0);
  }

  describe('for good', { concurrency: true }, () => {
    it('by a navigation in mid-call is recorded to its last event', () =>
      during({ media: 1 }, async (call, site) => {
        await sleep(3000);
        const session = await call.session();
        await call.page.goto(`${site.url}/elsewhere.html`);
        await compareWithKept(call, site, session);
      }));

    // In Firefox a page that is closed cannot be relied on to keep its own record to the end, which the comparison needs.
    it('by being closed in mid-call is recorded to its last event', { skip: browserName === 'firefox' }, () =>
      during({}, async (call, site) => {
        await sleep(3000);
        const session = await call.session();
        await call.page.close();
        await compareWithKept(call, site, session);
      }));

    it('without its socket is recorded to its last event', { skip: browserName === 'firefox' }, () =>
      during({}, async (call, site) => {
        await sleep(1500);
        const session = await call.session();
        call.proxy.verdict = () => ({ code: 1011 });
        call.proxy.cut();
        await call.loses(10_000);
        await sleep(1000);
        await call.page.close();
        await compareWithKept(call, site, session);
      }));

    it('at a bad moment of its network is recorded to its last event', { skip: browserName === 'firefox' }, () =>
      during({}, async (call, site) => {
        await sleep(2000);
        const session = await call.session();
        // The collector holds what the page does not know of.
        for (const link of call.proxy.links) link.deaf = true;
        await sleep(1500);
        await call.page.close();
        await compareWithKept(call, site, session);
      }));
  });

  describe('and comes back', { concurrency: true }, () => {
    /** Not Playwright's `goBack`, which does not see Firefox take a page from its cache. @param {RecordedCall} call */
    const back = (call) => call.page.evaluate(() => history.back()).catch(() => {});

    /** @param {import('../decoder/dump.js').Event[]} events @param {number} times */
    const assertReturned = (events, times) =>
      assert.deepEqual(events.filter(({ method }) => method === ':pageshow').map(({ value }) => value), Array(times).fill({ persisted: true }));

    // Firefox did not take this page from its cache, though it does take pages with closed connections and without a recorder.
    it('goes on with its recording', { skip: browserName === 'firefox' }, () =>
      during({ media: 1 }, async (call, site) => {
        await sleep(2000);
        // Chromium keeps no page whose connections are up.
        await call.page.evaluate(async () => (await /** @type {any} */ (window).running).hangUp());
        for (const absence of [1500, 500]) {
          await call.page.goto(`${site.url}/elsewhere.html`);
          await sleep(absence);
          await back(call);
          await sleep(500);
        }
        await call.opens(20_000);
        await call.page.evaluate(async () => (await /** @type {any} */ (window).running).callAgain());
        await sleep(2000);
        const { stored, outcome, reports } = await call.endAndCompare();
        assertReturned(stored.events, 2);
        assert.equal(outcome.counters.reconnects, 2);
        assert.ok(reports > 20, `${reports} reports were compared`);
      }, patient));

    // As browsers do that keep pages with connections; here the page only hears that it left and returned.
    it('in mid-call, after its beacon had to leave reports behind, goes on with reports that can be read', () =>
      during({ interval: 100, media: 1 }, async (call) => {
        await sleep(1000);
        call.proxy.verdict = () => ({ code: 1011 });
        call.proxy.cut();
        await call.loses(10_000);
        // More than goes along: a browser takes 64 KB of beacons.
        while ((await call.counters()).bufferedBytes < 55_000) await sleep(200);
        await call.page.evaluate(async () => {
          const comeBack = (await /** @type {any} */ (window).running).pretendToLeave();
          setTimeout(comeBack, 300);
        });
        await sleep(1000);
        call.proxy.verdict = () => 'pass';
        await call.opens(20_000);
        await sleep(1000);
        const { stored, dropped } = await call.endAndCompare({ lossy: true });
        assertReturned(stored.events, 1);
        assert.ok(dropped > 0);
        assert.ok(call.proxy.beacons.some((lines) => lines.includes('"first"')));
      }, patient));
  });
});
