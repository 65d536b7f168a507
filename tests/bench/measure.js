// One measurement: a call in a page with the client, poll by poll.

import { writeFile } from 'node:fs/promises';
import { openBrowser, openPage } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { until } from '../harness/wait.js';
import { openBenchSite } from './site.js';
import { mean, median, quantile } from './figures.js';
import { INTERVAL, profileTable } from './profile.js';
import { running, startTrace } from './trace.js';

/** Number of video transceivers beside the audio one. */
export const CALLS = { av: 1, '20video': 20 };

/**
 * @typedef {object} Settings
 * @property {keyof typeof CALLS} call
 * @property {number} polls that count
 * @property {number} [warmUp] polls before them
 * @property {number} [interval] ms
 * @property {'index' | 'inline' | 'none'} [client]
 * @property {boolean} [both] both ends are recorded: two reports in a poll
 * @property {boolean} [realCollector] instead of one that only counts
 * @property {string} [dist] another build of the client
 * @property {boolean | string} [profile] true, or a file for the raw profile
 *
 * @typedef {object} Poll times in ms
 * @property {number} ask until `getStats` was called
 * @property {number} report from the resolved `getStats` to the end of that task
 * @property {number} later timer tasks that follow: framing and sending
 * @property {number} socket what the collector's messages cost
 * @property {number} bare `JSON.stringify(Object.fromEntries(report))`
 * @property {boolean} bareFirst the comparison ran before the client
 * @property {number} entries
 * @property {number} sends
 * @property {number} bytes
 */

/** Opens the page; `begin` starts to record there, `dial` calls. @param {Settings} settings */
export async function openCall({ call, both = false, client = 'index', interval = 250, realCollector = false, dist }) {
  const [site, browser, collector] = await Promise.all([openBenchSite(dist), openBrowser(), realCollector ? Collector.start() : null]);
  const close = async () => {
    await browser.close();
    await site.close();
    await collector?.dispose();
  };
  try {
    const { page, faults } = await openPage(browser);
    await page.goto(`${site.url}/index.html`);
    if (!(await page.evaluate(() => crossOriginIsolated))) throw new Error('the page is not isolated: its clock is coarse');
    const options = { endpoint: collector?.url ?? site.url, getStatsInterval: interval };
    const begin = () => (client === 'none' ? null : page.evaluate(([build, given]) => /** @type {any} */ (window).bench.startClient(build, given), /** @type {const} */ ([client, options])));
    return { page, faults, begin, received: site.received, close, dial: () => page.evaluate(([videos, recorded]) => /** @type {any} */ (window).bench.call(videos, recorded), /** @type {const} */ ([CALLS[call], both])) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Sorts spans into polls: a poll ends where the next one is asked for. @param {any[]} spans @returns {Poll[]} */
export function pollsOf(spans) {
  /** @type {Poll[]} */
  const polls = [];
  /** @type {Poll | undefined} */
  let poll;
  let isNew = true;
  let asked = 0;
  for (const span of spans) {
    if (span.asked) isNew = true;
    if (span.asked && !span.sends) {
      asked += span.time;
      continue;
    }
    if (span.kind === 'report') {
      if (isNew || !poll) {
        poll = { ask: asked, report: 0, later: 0, socket: 0, bare: 0, bareFirst: span.bareFirst, entries: 0, sends: 0, bytes: 0 };
        polls.push(poll);
      }
      isNew = false;
      asked = 0;
      poll.report += span.time;
      poll.bare += span.bare;
      poll.entries += span.entries;
    } else if (poll) {
      poll[span.kind === 'socket' ? 'socket' : 'later'] += span.time;
    }
    if (poll) {
      poll.sends += span.sends;
      poll.bytes += span.bytes;
    }
  }
  // The last one may still wait to be sent.
  return polls.slice(0, -1);
}

/** @param {Poll} poll */
const workOf = ({ report, later }) => report + later;

/** @param {Poll} poll */
const isColdSend = ({ sends, bareFirst }) => sends > 0 && !bareFirst;

/**
 * The client and the bare stringify take turns in being first. Who is first after an idle time pays for cold caches, so
 * like is compared with like: `cold` holds each where it came first, `warm` each where it came second.
 * @param {Poll[]} polls
 */
export function summary(polls) {
  /** @param {boolean} bareFirst @param {(poll: Poll) => number} value */
  const values = (bareFirst, value) => polls.filter((poll) => poll.bareFirst === bareFirst).map(value);
  /** @param {boolean} cold */
  const comparison = (cold) => {
    const [work, bare] = [values(!cold, workOf), values(cold, (poll) => poll.bare)];
    return {
      work: { median: median(work), p95: quantile(work, 0.95), max: Math.max(...work) },
      bare: { median: median(bare), p95: quantile(bare, 0.95) },
      ratio: median(work) / median(bare),
      report: median(values(!cold, ({ report }) => report)),
      later: median(values(!cold, ({ later }) => later)),
    };
  };
  return {
    polls: polls.length,
    entries: median(polls.map(({ entries }) => entries)),
    sends: polls.reduce((sum, { sends }) => sum + sends, 0),
    bytes: Math.round(mean(polls.map(({ bytes }) => bytes))),
    cold: comparison(true),
    warm: comparison(false),
    // A client that sends seldom has polls without a send, and then the median knows nothing of sending.
    meanRatio: mean(polls.map(workOf)) / mean(polls.map(({ bare }) => bare)),
    sendingRatio: median(polls.filter(isColdSend).map(workOf)) / median(values(true, (poll) => poll.bare)),
    ask: median(polls.map(({ ask }) => ask)),
    all: median(polls.map((poll) => poll.ask + workOf(poll) + poll.socket)),
  };
}

/** @param {Settings} settings */
export async function measure(settings) {
  const { warmUp = 20, interval = 250, profile } = settings;
  const wanted = settings.polls * (settings.both ? 2 : 1);
  const call = await openCall(settings);
  const { page, faults, received } = call;
  try {
    const session = await page.context().newCDPSession(page);
    const endTrace = await startTrace(session);
    await page.evaluate(() => /** @type {any} */ (window).probe.collect(true));
    const cost = await call.begin();
    await call.dial();
    /** @param {number} count */
    const reports = (count) =>
      until(`${count} reports came`, 30_000 + count * interval * 3, async () => (await page.evaluate(() => /** @type {any} */ (window).probe.reports())) >= count);
    if (settings.client === 'none') await page.waitForTimeout((warmUp + settings.polls) * interval);
    else await reports(warmUp);
    if (profile) {
      await session.send('Profiler.enable');
      await session.send('Profiler.setSamplingInterval', { interval: INTERVAL });
      await session.send('Profiler.start');
    }
    if (settings.client !== 'none') await reports(warmUp + wanted + 2);
    const recorded = profile && (await session.send('Profiler.stop')).profile;
    if (typeof profile === 'string') await writeFile(profile, JSON.stringify(recorded));

    const passed = await page.evaluate(() => /** @type {any} */ (window).probe.take());
    const longTasks = await page.evaluate(() => /** @type {any} */ (window).probe.longTasks);
    const spans = running(passed, await endTrace());
    const polls = pollsOf(spans);
    const passedPolls = pollsOf(passed);
    /** @param {string} kind */
    const total = (kind) => spans.reduce((sum, span) => sum + (span.kind === kind ? span.time : 0), 0);
    return {
      settings,
      cost: cost && { ...cost, ran: total('begin'), module: total('module') },
      polls: summary(polls.slice(warmUp)),
      passed: summary(passedPolls.slice(warmUp)),
      warmUp: summary(polls.slice(0, warmUp)),
      // Of a long task, the part that a span of ours took.
      longTasks: longTasks.map((/** @type {{ start: number, duration: number }} */ { start, duration }) => ({
        start,
        duration,
        ours: spans.reduce((sum, span) => sum + (span.start >= start && span.start < start + duration ? span.time : 0), 0),
      })),
      profile: recorded && profileTable(recorded, settings.polls),
      received: { ...received },
      faults,
    };
  } finally {
    await call.close();
  }
}
