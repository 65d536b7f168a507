// A call in a page of its own, recorded through a network of its own.

import assert from 'node:assert/strict';
import { decodeDump, readDump } from '../decoder/dump.js';
import { openPage } from './browser.js';
import { compareEvents } from './comparison.js';
import { withoutDropped } from './dropped.js';
import { Proxy } from './proxy.js';
import { until } from './wait.js';

/** Of times, in ms: the pages of many calls share the machine, so that one may stand still between two statements. */
export const busyTolerance = 1500;

/** @typedef {{ session: string, record: import('./comparison.js').Seen[], ticks: number, counters: any }} Outcome */

export class RecordedCall {
  /** @param {import('playwright-core').Page} page @param {Proxy} proxy @param {import('./collector.js').Collector} collector @param {string[]} faults */
  constructor(page, proxy, collector, faults) {
    this.page = page;
    this.proxy = proxy;
    this.collector = collector;
    this.faults = faults;
    /** How often the client had come back when it was last seen open. */
    this.reconnects = 0;
  }

  /**
   * @param {{ browser: import('./browser.js').Browser, site: { url: string }, collector: import('./collector.js').Collector }} world
   * @param {Record<string, string | number>} [parameters] of the page
   * @param {(proxy: Proxy) => void} [prepare] before the page loads
   */
  static async open({ browser, site, collector }, parameters = {}, prepare = () => {}) {
    const { page, faults } = await openPage(browser);
    const proxy = await Proxy.open(collector.port);
    const call = new RecordedCall(page, proxy, collector, faults);
    prepare(proxy);
    const query = new URLSearchParams({ endpoint: proxy.url, ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)])) });
    try {
      await page.goto(`${site.url}/lossless.html?${query}`);
      return call;
    } catch (error) {
      await call.close();
      throw error;
    }
  }

  state() {
    return this.page.evaluate(async () => /** @type {string} */ ((await /** @type {any} */ (window).running).recorder.state));
  }

  counters() {
    return this.page.evaluate(async () => /** @type {any} */ ((await /** @type {any} */ (window).running).recorder.counters));
  }

  session() {
    return this.page.evaluate(async () => /** @type {string} */ ((await /** @type {any} */ (window).running).recorder.session));
  }

  /** @param {number} timeout ms */
  async opens(timeout) {
    await until('the client is open', timeout, async () => (await this.state()) === 'open');
    this.reconnects = (await this.counters()).reconnects;
  }

  /** The client sees that its socket is gone. It may be open again before anybody looks. @param {number} timeout ms */
  async loses(timeout) {
    await until('the client has lost its socket', timeout, async () => (await this.state()) === 'reconnecting' || (await this.counters()).reconnects > this.reconnects);
  }

  /** More lines at once than a frame holds. @param {number} count */
  burst(count) {
    return this.page.evaluate(async (lines) => (await /** @type {any} */ (window).running).burst(lines), count);
  }

  /** Ends the call and the recording, and returns the page's word on it. @returns {Promise<Outcome>} */
  end() {
    return this.page.evaluate(async () => (await /** @type {any} */ (window).running).end());
  }

  /** The stored session. @param {string} id @param {number} [timeout] ms */
  async stored(id, timeout = 30_000) {
    const listed = await this.collector.endedSession((session) => session.id === id, timeout);
    const text = readDump(this.collector.dumpPath(id, listed.startTime));
    return { listed, text, ...decodeDump(text) };
  }

  /**
   * Ends the call; the dump must equal the page's record.
   * @param {{ lossy?: boolean }} [options] lossy: reports may have been dropped, if the dump says so
   */
  async endAndCompare({ lossy = false } = {}) {
    const outcome = await this.end();
    const stored = await this.stored(outcome.session);
    assert.equal(stored.listed.closeCode, 1000);
    assert.equal((await this.collector.sessions()).filter(({ id }) => id === outcome.session).length, 1, 'it stays one session');
    assert.equal(outcome.counters.acknowledged, stored.lines.length, 'what the client counts as acknowledged is what is stored');
    assertTicks(stored.events, outcome.ticks);
    let dropped = 0;
    let { record } = outcome;
    let { events } = stored;
    if (lossy) ({ events, record, dropped } = withoutDropped(events, record));
    const { reports } = compareEvents(events, record, busyTolerance);
    assert.equal(outcome.counters.droppedReports, dropped);
    assert.equal(outcome.counters.droppedEvents, 0);
    return { outcome, stored, reports, dropped };
  }

  /** Nothing stays of it but what is stored. */
  async close() {
    if (!this.page.isClosed()) await this.page.close();
    await this.proxy.close();
  }
}

/** What is lost, doubled or out of order shows here first. @param {import('../decoder/dump.js').Event[]} events @param {number} count */
export function assertTicks(events, count) {
  const ticks = events.filter(({ method }) => method === ':tick').map(({ value }) => value);
  assert.deepEqual(ticks, Array.from({ length: count }, (_, index) => index));
}
