// The recorder among what goes wrong: no collector, a lost one, policies that forbid it, a page that leaves.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { openBrowser, openCollector, until } from './harness.js';

/** Begins to record a page. @param {import('playwright-core').Page} page */
async function record(page, options = {}) {
  return page.evaluate(async (options) => {
    const { init } = await import('/index.js');
    window.heard = [];
    window.recorder = await init({ endpoint: location.origin, log: (message) => window.heard.push(message), ...options });
    return { session: window.recorder.session, state: window.recorder.state, heard: window.heard };
  }, options);
}

const stillWorks = (page) =>
  page.evaluate(async () => {
    const pc = new RTCPeerConnection();
    pc.createDataChannel('x');
    await pc.setLocalDescription();
    const { type } = pc.localDescription;
    pc.close();
    return type;
  });

describe('a recording', () => {
  let browser;
  before(async () => void (browser = await openBrowser()));
  after(() => browser?.close());

  /**
   * @param {string | null} policy
   * @param {(page: import('playwright-core').Page, collector: Awaited<ReturnType<typeof openCollector>>) => Promise<void>} work
   */
  async function withPage(policy, work) {
    const collector = await openCollector(policy);
    const page = await browser.context.newPage();
    try {
      await page.goto(collector.url);
      await work(page, collector);
    } finally {
      await page.close();
      collector.close();
    }
  }

  it('holds each line once and in order, whatever happens to its sockets', () =>
    withPage(null, async (page, collector) => {
      const { session } = await record(page);
      await page.evaluate(() => {
        let count = 0;
        window.timer = setInterval(() => window.recorder.event('n', (count += 1)), 5);
      });
      for (let round = 0; round < 4; round += 1) {
        await sleep(300);
        collector.cut();
        await until(() => page.evaluate((round) => window.recorder.counters.reconnects > round, round));
      }
      const counters = await page.evaluate(async () => {
        clearInterval(window.timer);
        await window.recorder.close();
        return window.recorder.counters;
      });
      const lines = collector.linesOf(session);
      const numbers = lines.filter(([method]) => method === ':n').map(([, , value]) => value);
      assert.ok(numbers.length > 150, `${numbers.length} lines`);
      assert.deepEqual(numbers, numbers.map((_, index) => index + 1));
      assert.deepEqual(lines.at(-1).slice(0, 3), ['close', null, null]);
      assert.equal(counters.acknowledged, lines.length);
      assert.equal(counters.reconnects, 4);
      const [start, ...deltas] = lines.map((line) => line.at(-1));
      assert.ok(Math.abs(Date.now() - start) < 60_000 && deltas.every((delta) => Number.isInteger(delta) && delta >= 0));
    }));

  it('begins without a collector, keeps what happens, and delivers it later', () =>
    withPage(null, async (page, collector) => {
      const gone = await openCollector();
      gone.close();
      const { session, state } = await record(page, { endpoint: gone.url });
      assert.match(session, /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
      assert.equal(state, 'connecting');
      assert.equal(await stillWorks(page), 'offer');
      await page.evaluate(() => window.recorder.close());
      assert.equal(await page.evaluate(() => window.recorder.state), 'closed');
      assert.equal(collector.connections, 0);
      // Another one may follow in the same page.
      const next = await record(page);
      await until(() => page.evaluate(() => window.recorder.state === 'open'));
      assert.notEqual(next.session, session);
    }));

  it('closes without a collector after a while, and says that something is missing', () =>
    withPage(null, async (page) => {
      await record(page, { endpoint: 'ws://127.0.0.1:9' });
      await page.evaluate(() => window.recorder.close());
      assert.deepEqual(await page.evaluate(() => [window.recorder.state, ...window.heard]), [
        'closed',
        'rtctrace: closed before the collector had acknowledged all of the recording',
      ]);
    }));

  it('holds no report if the application wants none', () =>
    withPage(null, async (page, collector) => {
      const { session } = await record(page, { getStatsInterval: 0 });
      await page.evaluate(async () => {
        const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
        a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate);
        b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate);
        const connected = new Promise((resolve) => {
          a.onconnectionstatechange = () => a.connectionState === 'connected' && resolve();
        });
        a.createDataChannel('x');
        await a.setLocalDescription();
        await b.setRemoteDescription(a.localDescription);
        await b.setLocalDescription();
        await a.setRemoteDescription(b.localDescription);
        await connected;
        await new Promise((resolve) => setTimeout(resolve, 100));
        await window.recorder.close();
        for (const connection of [a, b]) connection.close();
      });
      const lines = collector.linesOf(session);
      assert.ok(lines.some(([, , value]) => value === 'connected'));
      assert.deepEqual(lines.filter(([method]) => method === 'g'), []);
    }));

  it('hands what was not sent to a beacon when the page goes', () =>
    withPage(null, async (page, collector) => {
      const { session } = await record(page);
      await until(() => page.evaluate(() => window.recorder.counters.acknowledged > 0));
      await page.evaluate(() => {
        window.recorder.event('before');
        addEventListener('pagehide', () => window.recorder.event('late'), { capture: true });
      });
      await page.goto('about:blank');
      await until(() => collector.linesOf(session).some(([method]) => method === ':before'));
    }));

  it('ends for good when the collector says so, and the page goes on', () =>
    withPage(null, async (page, collector) => {
      await record(page);
      await until(() => page.evaluate(() => window.recorder.state === 'open'));
      collector.closeAll(1008);
      await until(() => page.evaluate(() => window.recorder.state === 'closed'));
      assert.match(await page.evaluate(() => window.heard.join()), /refused the recording: .*not allowed/);
      assert.equal(await stillWorks(page), 'offer');
      assert.equal(collector.connections, 1);
    }));

  it('does not begin where the policy forbids WebAssembly', () =>
    withPage("default-src 'self'", async (page) => {
      const { state, session, heard } = await record(page);
      assert.deepEqual([state, session], ['closed', '']);
      assert.equal(heard.length, 1);
      assert.match(heard[0], /not recording/);
      assert.equal(await stillWorks(page), 'offer');
    }));

  it('loads in a browser that lacks what it needs, and says so', () =>
    withPage(null, async (page, collector) => {
      for (const missing of ['WebAssembly', 'FinalizationRegistry', 'RTCPeerConnection']) {
        const other = await browser.context.newPage();
        await other.addInitScript((name) => void delete window[name], missing);
        await other.goto(collector.url);
        const { state, heard } = await record(other);
        assert.equal(state, 'closed');
        assert.match(heard.join(), new RegExp(`not recording: .* no ${missing}`));
        if (missing !== 'RTCPeerConnection') assert.equal(await stillWorks(other), 'offer');
        await other.close();
      }
    }));

  it('needs no more than wasm-unsafe-eval', () =>
    withPage("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'", async (page, collector) => {
      const { session } = await record(page);
      await until(() => collector.linesOf(session).length > 0);
    }));

  it('gives up where the policy forbids its socket', () =>
    withPage("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'", async (page, collector) => {
      await record(page, { endpoint: 'ws://127.0.0.1:9' });
      await until(() => page.evaluate(() => window.recorder.state === 'closed'));
      assert.deepEqual(await page.evaluate(() => window.heard), ['rtctrace: not recording any more: the browser forbids this page a connection to the collector']);
      assert.equal(await stillWorks(page), 'offer');
      assert.equal(collector.connections, 0);
    }));

  it('says what is wrong with its options instead of throwing', () =>
    withPage(null, async (page) => {
      for (const [options, reason] of [
        [{ endpoint: 'ftp://x' }, /neither ws, wss, http nor https/],
        [{ endpoint: 'http://:::' }, /not a URL/],
        [{ session: 'abc' }, /not a UUID/],
        [{ getStatsInterval: -1 }, /getStatsInterval/],
        [{ wasmUrl: '/missing.wasm' }, /not recording/],
      ]) {
        const { state, heard } = await record(page, options);
        assert.equal(state, 'closed');
        assert.match(heard.join(), reason);
      }
      assert.equal((await record(page)).state, 'connecting');
    }));

  it('swallows a fault of its own, counts it and says so once', () =>
    withPage(null, async (page, collector) => {
      const { session } = await record(page);
      const seen = await page.evaluate(async () => {
        const { get } = WeakMap.prototype;
        const pc = new RTCPeerConnection();
        // The recorder looks connections up in such a map.
        WeakMap.prototype.get = () => {
          throw new Error('sabotage');
        };
        pc.createDataChannel('x');
        await pc.setLocalDescription();
        WeakMap.prototype.get = get;
        await pc.setLocalDescription();
        pc.close();
        await window.recorder.close();
        return { heard: window.heard, faults: window.recorder.counters.faults, type: pc.signalingState };
      });
      assert.equal(seen.heard.length, 1);
      assert.match(seen.heard[0], /a fault inside the recorder: .*sabotage/);
      assert.ok(seen.faults >= 2);
      assert.equal(seen.type, 'closed');
      // What came after the fault is recorded.
      assert.equal(collector.linesOf(session).filter(([method]) => method === 6).length, 1);
    }));

  it('stops after a trap, and the page goes on', () =>
    withPage(null, async (page) => {
      await record(page);
      const seen = await page.evaluate(async () => {
        const { get } = WeakMap.prototype;
        WeakMap.prototype.get = () => {
          throw new WebAssembly.RuntimeError('unreachable');
        };
        const pc = new RTCPeerConnection();
        const offer = await pc.createOffer();
        WeakMap.prototype.get = get;
        await pc.setLocalDescription();
        window.recorder.event('unheard');
        await window.recorder.close();
        pc.close();
        return { heard: window.heard, state: window.recorder.state, type: offer.type };
      });
      assert.equal(seen.heard.length, 1);
      assert.match(seen.heard[0], /which stops it/);
      assert.deepEqual([seen.state, seen.type], ['closed', 'offer']);
      assert.equal(await stillWorks(page), 'offer');
    }));

  it('keeps credentials in the page', () =>
    withPage(null, async (page, collector) => {
      const { session } = await record(page);
      await page.evaluate(async () => {
        const iceServers = [{ urls: 'turn:127.0.0.1:9', username: 'someone', credential: 'top-secret' }];
        const pc = new RTCPeerConnection({ iceServers });
        pc.setConfiguration({ iceServers });
        pc.close();
        await window.recorder.close();
      });
      const text = collector.textOf(session);
      assert.ok(text.includes('someone') && !text.includes('top-secret'));
    }));

  it('takes in a connection that was there before', () =>
    withPage(null, async (page, collector) => {
      await page.evaluate(() => void (window.early = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })));
      const { session } = await record(page);
      await page.evaluate(async () => {
        window.early.createDataChannel('x');
        await window.early.setLocalDescription();
        await window.recorder.close();
      });
      const [, create, channel] = collector.linesOf(session).filter(([method]) => [39, 35].includes(method));
      assert.deepEqual([create[0], create[1], create[2].bundlePolicy], [39, 'PC_0', 'max-bundle']);
      assert.deepEqual(channel.slice(0, 3), [35, 'PC_0', ['x']]);
    }));
});
