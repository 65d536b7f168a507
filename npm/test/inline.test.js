// The module inside a script: `rtctrace/inline` and the script of a plain page, which record before anything else runs.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { openBrowser, stillWorks, until, withPage } from './harness.js';

/** Median and largest of some numbers. */
const summary = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], largest: sorted.at(-1) };
};

/** A page whose scripts run in this order. @param {...string} scripts */
const pageOf = (...scripts) => `<!doctype html><title>page</title><link rel="icon" href="data:,">${scripts.join('')}`;

describe('the module inside', () => {
  let browser;
  before(async () => void (browser = await openBrowser()));
  after(() => browser?.close());
  const onPage = (work, policy) => withPage(browser, work, policy);

  it('starts at once', (context) =>
    onPage(async (page, collector) => {
      const times = [];
      for (let round = 0; round < 7; round += 1) {
        await page.goto(collector.url);
        const { took, state, isWrapped, session } = await page.evaluate(async () => {
          const native = RTCPeerConnection;
          const { start } = await import('/inline.js');
          const began = performance.now();
          window.recorder = start({ endpoint: location.origin });
          const took = performance.now() - began;
          return { took, state: window.recorder.state, session: window.recorder.session, isWrapped: RTCPeerConnection !== native };
        });
        times.push(took);
        assert.deepEqual([state, isWrapped], ['connecting', true]);
        assert.ok(session);
      }
      const { median, largest } = summary(times);
      context.diagnostic(`start() took ${median.toFixed(1)} ms, ${largest.toFixed(1)} ms at most`);
      assert.equal(await stillWorks(page), 'offer');
      await page.evaluate(() => window.recorder.close());
    }));

  it('loads in the background where the browser compiles no large module at once', () =>
    onPage(async (page, collector) => {
      // As Chromium did for years.
      const session = await page.evaluate(async () => {
        const { Module } = WebAssembly;
        WebAssembly.Module = new Proxy(Module, {
          construct(target, [bytes]) {
            if (bytes.byteLength > 4096) throw new RangeError('WebAssembly.Compile is disallowed on the main thread, if the buffer size is larger than 4KB');
            return new target(bytes);
          },
        });
        const { start } = await import('/inline.js');
        window.recorder = start({ endpoint: location.origin });
        const pc = new RTCPeerConnection();
        window.recorder.event('early', 1, pc);
        const early = window.recorder.counters;
        pc.close();
        await window.recorder.close();
        return [window.recorder.session, early.lines];
      });
      // The connection and the event; the first line is written once the module is there.
      assert.equal(session[1], 2);
      const methods = collector.linesOf(session[0]).map(([method, id]) => [method, id]);
      assert.deepEqual(methods.slice(0, 3), [[methods[0][0], null], [methods[0][0], 'PC_0'], [':early', 'PC_0']]);
      assert.deepEqual(methods.at(-1), ['close', null]);
    }));

  it('says once that the policy forbids it, and puts everything back', () =>
    onPage(async (page) => {
      const seen = await page.evaluate(async () => {
        const native = RTCPeerConnection;
        const { start, init } = await import('/inline.js');
        const heard = [];
        const log = (message) => heard.push(message);
        const recorder = start({ endpoint: location.origin, log });
        await new Promise((resolve) => recorder.addEventListener('statechange', resolve));
        const { state } = recorder;
        const first = heard.length;
        return { state, first, isBack: RTCPeerConnection === native, second: (await init({ endpoint: location.origin, log })).state, heard };
      });
      assert.deepEqual([seen.state, seen.first, seen.isBack, seen.second, seen.heard.length], ['closed', 1, true, 'closed', 2]);
      assert.match(seen.heard[0], /not recording: .*Content Security Policy/);
      assert.equal(await stillWorks(page), 'offer');
    }, "default-src 'self'"));

  it('is a script that records a plain page by its attributes', () =>
    onPage(async (page, collector) => {
      const session = '0199b0c4-7d3e-7abc-8def-0123456789ab';
      collector.pages.set(
        '/plain',
        pageOf(
          `<script src="/rtctrace.global.js" data-endpoint="${collector.url}" data-session="${session}" data-token="a&amp;b" data-user="ada"
             data-conference="blue" data-get-stats-interval="100" data-sample-rate="1" data-buffer-bytes="100000" data-count-reloads="false"
             data-redact="
               labels,
               sdp "></script>`,
          `<script>window.pc = new RTCPeerConnection(); pc.createDataChannel('x'); pc.setLocalDescription();</script>`,
        ),
      );
      await page.goto(`${collector.url}/plain`);
      assert.equal(await page.evaluate(() => window.rtctrace.recorder.session), session);
      await until(() => collector.linesOf(session).some(([, id]) => id === 'PC_0'));
      await page.evaluate(() => window.rtctrace.recorder.close());
      const [create, identity, connection, channel] = collector.linesOf(session);
      assert.deepEqual([create[1], 'reloadCount' in create[2]], [null, false]);
      assert.deepEqual(identity.slice(0, 3), ['identity', null, { user: 'ada', conference: 'blue' }]);
      assert.deepEqual([connection[1], channel[1], channel[2]], ['PC_0', 'PC_0', ['x']]);
      assert.equal(collector.upgrades[0].get('token'), 'a&b');
      assert.ok(!collector.textOf(session).includes('v=0'));
    }));

  it('is a script that waits to be called where it has no endpoint', () =>
    onPage(async (page, collector) => {
      collector.pages.set('/later', pageOf('<script src="/rtctrace.global.js"></script>'));
      await page.goto(`${collector.url}/later`);
      const [before, session] = await page.evaluate(async () => {
        const { init, start, recorder } = window.rtctrace;
        const before = [typeof init, typeof recorder];
        const own = start({ endpoint: location.origin });
        await own.close();
        return [before, own.session];
      });
      assert.deepEqual(before, ['function', 'undefined']);
      assert.ok(collector.linesOf(session).length > 0);
    }));

  it('is a script that spares a page without an endpoint that can be used', () =>
    onPage(async (page, collector) => {
      const errors = [];
      page.on('pageerror', (error) => errors.push(error));
      collector.pages.set('/wrong', pageOf('<script src="/rtctrace.global.js" data-endpoint="ftp://x" data-get-stats-interval="often"></script>'));
      await page.goto(`${collector.url}/wrong`);
      assert.equal(await page.evaluate(() => window.rtctrace.recorder.state), 'closed');
      assert.equal(await stillWorks(page), 'offer');
      assert.deepEqual(errors, []);
    }));
});
