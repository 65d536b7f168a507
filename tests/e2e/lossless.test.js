// Calls on bad networks, each with a network of its own, all at the same time: most of it is waiting. Whatever happens between a page
// and its collector, the dump equals the page's own record: every event once, in order.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openBrowser } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { torment } from '../harness/faults.js';
import { RecordedCall } from '../harness/recorded-call.js';
import { openSite } from '../harness/site.js';
import { sleep, until } from '../harness/wait.js';

describe('a recorded call', { concurrency: true }, () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  /** @type {{ url: string, close: () => Promise<void> }} */ let site;

  before(async () => {
    [collector, browser, site] = await Promise.all([Collector.start({}, ['--verbose']), openBrowser(), openSite()]);
  });

  after(async () => {
    await browser?.close();
    await site?.close();
    await collector?.dispose();
  });

  /**
   * @param {Record<string, string | number>} parameters of the page
   * @param {(call: RecordedCall) => Promise<void>} work
   * @param {(proxy: import('../harness/proxy.js').Proxy) => void} [prepare] before the page loads
   */
  async function during(parameters, work, prepare) {
    const call = await RecordedCall.open({ browser, site, collector }, parameters, prepare);
    try {
      await call.opens(15_000);
      await work(call);
    } finally {
      await call.close();
    }
  }

  it('whose connection is cut for 20 seconds is complete', () =>
    during({ media: 1 }, async (call) => {
      await sleep(2000);
      await call.proxy.refuse();
      await call.loses(10_000);
      await sleep(20_000);
      assert.ok((await call.counters()).bufferedBytes > 10_000);
      await call.proxy.accept();
      // The backoff has grown to 16 s by then, or to 30 s.
      await call.opens(31_000);
      await sleep(1000);
      const { reports, outcome } = await call.endAndCompare();
      assert.ok(reports > 200, `${reports} reports were compared`);
      assert.equal(outcome.counters.reconnects, 1);
      assert.equal(call.proxy.asked.length, 2);
    }));

  it('whose connection goes silent without an end is complete', () =>
    during({}, async (call) => {
      await sleep(2000);
      call.proxy.silence();
      const silent = Date.now();
      // Long before TCP would give up; on a busy machine a little later than the client's own 20 s.
      await call.loses(45_000);
      const noticed = Date.now() - silent;
      assert.ok(noticed > 15_000, `noticed after ${noticed} ms`);
      await call.opens(20_000);
      await sleep(1000);
      const { outcome } = await call.endAndCompare();
      assert.equal(outcome.counters.reconnects, 1);
      assert.equal(call.proxy.asked.length, 2);
    }));

  it('whose collector says that it is overloaded, and again, is complete', async () => {
    /** @type {number[]} */
    const times = [];
    let refusals = 0;
    await during(
      {},
      async (call) => {
        await sleep(1500);
        times.length = 0;
        refusals = 1;
        const closed = Date.now();
        for (const link of call.proxy.links) link.close(1013);
        await call.loses(10_000);
        await call.opens(40_000);
        const [first, second] = [times[0] - closed, times[1] - times[0]];
        assert.equal(times.length, 2);
        assert.ok(first >= 500 && first < 20_000 && second >= 1000 && second < 30_000, `waited ${first} and ${second} ms`);
        await sleep(1000);
        await call.endAndCompare();
      },
      (proxy) => {
        proxy.verdict = () => {
          times.push(Date.now());
          return refusals-- > 0 ? { code: 1013 } : 'pass';
        };
      },
    );
  });

  it('whose collector is killed and comes back is complete', async () => {
    const mortal = await Collector.start();
    const call = await RecordedCall.open({ browser, site, collector: mortal }, { media: 1 });
    try {
      await call.opens(15_000);
      for (const pause of [2500, 2000, 1000]) {
        await sleep(pause);
        // In the middle of many lines: some are stored and not acknowledged, some on their way.
        await Promise.all([call.burst(2000), sleep(pause / 40).then(() => mortal.crash())]);
        await call.loses(10_000);
        await sleep(700);
        await mortal.run();
        await call.opens(20_000);
      }
      await sleep(1000);
      const { reports } = await call.endAndCompare();
      assert.ok(reports > 40, `${reports} reports were compared`);
    } finally {
      await call.close();
      await mortal.dispose();
    }
  });

  it('whose buffer overflows has every event, and says which reports it lacks', () =>
    during({ bufferBytes: 128 * 1024, interval: 100, media: 1 }, async (call) => {
      await sleep(2000);
      await call.proxy.refuse();
      await sleep(10_000);
      await until('many reports were dropped', 120_000, async () => (await call.counters()).droppedReports > 150);
      const counters = await call.counters();
      assert.ok(counters.bufferedBytes <= 128 * 1024, `${counters.bufferedBytes} bytes are held`);
      await call.proxy.accept();
      await call.page.evaluate(() => dispatchEvent(new Event('online')));
      // Left alone it would wait for up to 30 s.
      await call.opens(12_000);
      await sleep(2000);
      const { stored, reports, dropped } = await call.endAndCompare({ lossy: true });
      assert.ok(dropped > 150 && reports > 60, `${dropped} reports were dropped, ${reports} compared`);
      // Both connections were hit, and both go on.
      const told = stored.events.filter(({ method }) => method === ':rtctrace.dropped');
      assert.deepEqual([...new Set(told.map(({ connection }) => connection))].sort(), ['PC_0', 'PC_1']);
    }));

  it('whose tokens expire is complete, and its tokens are nowhere', async () => {
    let life = 4000;
    /** @type {Map<string, number>} */
    const tokens = new Map();
    /** @type {string[]} */
    const refused = [];
    const issue = () => {
      const token = `secret-${tokens.size}.${'x'.repeat(40)}+/=&`;
      // The application's server fails once, and once its clock is wrong.
      if (tokens.size === 1 && !refused.includes('no token')) {
        refused.push('no token');
        throw new Error('the server is away');
      }
      tokens.set(token, tokens.size === 2 ? Date.now() - 1 : Date.now() + life);
      return token;
    };
    await during(
      { token: 1 },
      async (call) => {
        await until('a token was refused and two expired', 120_000, async () => refused.includes('1008') && tokens.size >= 4 && (await call.counters()).reconnects >= 2);
        // The end is another test's subject: the next token lasts.
        life = 600_000;
        const soon = tokens.size;
        await until('the last token is in use', 60_000, async () => tokens.size > soon && (await call.state()) === 'open');
        const { stored } = await call.endAndCompare();
        const shown = call.proxy.asked.map((url) => url.searchParams.get('token'));
        assert.equal(new Set(shown).size, shown.length, 'every socket has a token of its own');
        for (const token of shown) assert.ok(tokens.has(token ?? ''), `${token} was never issued`);
        assert.match(collector.output, /socket open/, 'the log tells of sockets');
        for (const text of [collector.output, stored.text, JSON.stringify(stored.listed)]) assert.ok(!text.includes('secret-'));
      },
      (proxy) => {
        proxy.token = issue;
        proxy.verdict = (url) => {
          const left = (tokens.get(url.searchParams.get('token') ?? '') ?? 0) - Date.now();
          if (left > 0) return { code: 1008, after: left };
          refused.push('1008');
          return { code: 1008 };
        };
      },
    );
  });

  it('whose network breaks at random moments for 30 seconds is complete', (test) =>
    during({}, async (call) => {
      const seed = Number(process.env.SEED ?? 20_261_120);
      const done = await torment(call.proxy, { seed, until: Date.now() + 30_000 });
      test.diagnostic(`seed ${seed}: ${JSON.stringify(done)}, ${call.proxy.asked.length} sockets`);
      await call.opens(31_000);
      const { outcome } = await call.endAndCompare();
      // On a slow machine most of the time goes by between two sockets.
      assert.ok(outcome.counters.reconnects >= 3, `${outcome.counters.reconnects} reconnects`);
    }));
});
