// The recorder among what goes wrong: no collector, a lost one, policies that forbid it, a page that leaves.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { call, openBrowser, openCollector, record, stillWorks, until, withPage } from './harness.js';

describe('a recording', () => {
  let browser;
  before(async () => void (browser = await openBrowser()));
  after(() => browser?.close());

  const onPage = (work, policy) => withPage(browser, work, policy);

  it('holds each line once and in order, whatever happens to its sockets', () =>
    onPage(async (page, collector) => {
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
    onPage(async (page, collector) => {
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
    onPage(async (page) => {
      await record(page, { endpoint: 'ws://127.0.0.1:9' });
      await page.evaluate(() => window.recorder.close());
      assert.deepEqual(await page.evaluate(() => [window.recorder.state, ...window.heard]), [
        'closed',
        'rtctrace: closed before the collector had acknowledged all of the recording',
      ]);
    }));

  it('holds no report if the application wants none', () =>
    onPage(async (page, collector) => {
      const { session } = await record(page, { getStatsInterval: 0 });
      await call(page);
      await sleep(100);
      await page.evaluate(() => window.recorder.close());
      const lines = collector.linesOf(session);
      assert.ok(lines.some(([, , value]) => value === 'connected'));
      assert.deepEqual(lines.filter(([method]) => method === 'g'), []);
    }));

  it('hands what was not sent to a beacon when the page goes', () =>
    onPage(async (page, collector) => {
      const { session } = await record(page);
      await until(() => page.evaluate(() => window.recorder.counters.acknowledged > 0));
      await page.evaluate(() => {
        window.recorder.event('before');
        addEventListener('pagehide', () => window.recorder.event('late'), { capture: true });
      });
      await page.goto('about:blank');
      await until(() => collector.linesOf(session).some(([method]) => method === ':late'));
      const methods = collector.linesOf(session).map(([method]) => method);
      assert.deepEqual([methods.filter((method) => method === ':before').length, methods.filter((method) => method === ':late').length], [1, 1]);
    }));

  it('leaves the page half of the room that the browser has for beacons', () =>
    onPage(async (page, collector) => {
      // Before the recorder's own listener, and after it.
      const work = () => {
        for (let count = 0; count < 18; count += 1) window.recorder.event('n', 'x'.repeat(1000));
      };
      await page.evaluate((work) => addEventListener('pagehide', (0, eval)(`(${work})`)), String(work));
      const { session } = await record(page);
      await until(() => collector.linesOf(session).length > 0);
      await page.evaluate((work) => {
        addEventListener('pagehide', (0, eval)(`(${work})`));
        addEventListener('pagehide', () => (sessionStorage.own = navigator.sendBeacon('/own', 'x'.repeat(28 * 1024))));
      }, String(work));
      await page.goto(`${collector.url}/?next`);
      await until(() => collector.linesOf(session).filter(([method]) => method === ':n').length >= 18);
      assert.equal(await page.evaluate(() => sessionStorage.own), 'true');
    }));

  it('halves a beacon that the browser refuses', () =>
    onPage(async (page, collector) => {
      await page.evaluate(() => {
        window.sizes = [];
        addEventListener('pagehide', () => {
          for (let count = 0; count < 20; count += 1) window.recorder.event('n', 'x'.repeat(1000));
        });
        const { sendBeacon } = navigator;
        navigator.sendBeacon = (url, body) => {
          window.sizes.push(body.length);
          return body.length < 6000 && sendBeacon.call(navigator, url, body);
        };
        navigator.constructor.prototype.sendBeacon = navigator.sendBeacon;
      });
      const { session } = await record(page);
      await until(() => page.evaluate(() => window.recorder.counters.bufferedBytes === 0));
      await page.evaluate(() => addEventListener('pagehide', () => (sessionStorage.sizes = JSON.stringify(window.sizes))));
      await page.goto(`${collector.url}/?next`);
      const offered = JSON.parse(await page.evaluate(() => sessionStorage.sizes));
      assert.ok(offered.length === 3 && offered[0] > 20_000 && offered[2] < 6000, `${offered}`);
      await until(() => collector.beacons.length > 0);
      assert.ok(collector.linesOf(session).some(([method]) => method === ':n'));
    }));

  it('sends the reports of a connection while another never has any', () =>
    onPage(async (page, collector) => {
      await page.evaluate(() => {
        const { getStats } = RTCPeerConnection.prototype;
        RTCPeerConnection.prototype.getStats = function (...args) {
          return this === window.connections?.[0] ? new Promise(() => {}) : getStats.apply(this, args);
        };
      });
      // Often enough to be sent, and so rarely that no acknowledgement comes upon a report that waits.
      const { session } = await record(page);
      await call(page);
      await sleep(3000);
      const reports = () => collector.linesOf(session).filter(([method]) => method === 'g').length;
      const before = reports();
      await until(() => reports() > before + 3);
    }));

  it('ends for good when the collector says so, and the page goes on', () =>
    onPage(async (page, collector) => {
      await record(page);
      await until(() => page.evaluate(() => window.recorder.state === 'open'));
      collector.closeAll(1008);
      await until(() => page.evaluate(() => window.recorder.state === 'closed'));
      assert.match(await page.evaluate(() => window.heard.join()), /refused the recording: .*not allowed/);
      assert.equal(await stillWorks(page), 'offer');
      assert.equal(collector.connections, 1);
    }));

  it('puts everything back if the module is not to be had, and says so once', () =>
    onPage(async (page, collector) => {
      const warnings = [];
      page.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()));
      const natives = () =>
        page.evaluate(() => {
          const methods = ['createOffer', 'close', 'addTrack'].map((name) => RTCPeerConnection.prototype[name]);
          const all = [RTCPeerConnection, ...methods, MediaDevices.prototype.getUserMedia];
          window.natives ??= all;
          return all.every((value, index) => value === window.natives[index]);
        });
      assert.equal(await natives(), true);
      collector.pages.set('/no-module.wasm', '<!doctype html>');
      for (const [wasmUrl, reason] of [
        ['/missing.wasm', /not recording: .*missing\.wasm answered 404/],
        ['http://127.0.0.1:9/x.wasm', /not recording: /],
        ['/no-module.wasm', /not recording: /],
      ]) {
        const { state, session, heard } = await record(page, { wasmUrl });
        assert.deepEqual([state, session, heard.length], ['closed', '', 1], wasmUrl);
        assert.match(heard[0], reason);
        assert.equal(await natives(), true, wasmUrl);
        assert.equal(await stillWorks(page), 'offer');
      }
      assert.deepEqual(warnings, []);
      // And then it may begin after all.
      assert.equal((await record(page)).state, 'connecting');
      assert.equal(await natives(), false);
    }));

  it('never hears of a log that throws', () =>
    onPage(async (page) => {
      const errors = [];
      page.on('pageerror', (error) => errors.push(error));
      const state = await page.evaluate(async () => {
        const { init } = await import('/index.js');
        const log = () => {
          throw new Error('log');
        };
        return (await init({ endpoint: location.origin, wasmUrl: '/missing.wasm', log })).state;
      });
      assert.equal(state, 'closed');
      assert.deepEqual(errors, []);
    }));

  it('does not begin where the policy forbids WebAssembly', () =>
    onPage(async (page) => {
      const { state, session, heard } = await record(page);
      assert.deepEqual([state, session], ['closed', '']);
      assert.equal(heard.length, 1);
      assert.match(heard[0], /not recording/);
      assert.equal(await stillWorks(page), 'offer');
    }, "default-src 'self'"));

  it('loads in a browser that lacks what it needs, and says so', () =>
    onPage(async (page, collector) => {
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
    onPage(async (page, collector) => {
      const { session } = await record(page);
      await until(() => collector.linesOf(session).length > 0);
    }, "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"));

  it('gives up where the policy forbids its socket', () =>
    onPage(async (page, collector) => {
      await record(page, { endpoint: 'ws://127.0.0.1:9' });
      await until(() => page.evaluate(() => window.recorder.state === 'closed'));
      assert.deepEqual(await page.evaluate(() => window.heard), [
        'rtctrace: not recording any more: the browser forbids this page a connection to the collector',
      ]);
      assert.equal(await stillWorks(page), 'offer');
      assert.equal(collector.connections, 0);
    }, "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"));

  it('swallows a fault of its own, counts it and says so once', () =>
    onPage(async (page, collector) => {
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
    onPage(async (page, collector) => {
      await page.evaluate(() => {
        const { instantiateStreaming } = WebAssembly;
        WebAssembly.instantiateStreaming = async (...args) => {
          const { instance, module } = await instantiateStreaming.apply(WebAssembly, args);
          const record = (...args) => {
            if (window.isBroken) throw new WebAssembly.RuntimeError('unreachable');
            return instance.exports.record(...args);
          };
          return { instance: { exports: { ...instance.exports, record } }, module };
        };
      });
      const { session } = await record(page);
      await until(() => collector.linesOf(session).length > 0);
      const seen = await page.evaluate(async () => {
        const native = Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, 'createOffer').value;
        const pc = new RTCPeerConnection();
        window.isBroken = true;
        const offer = await pc.createOffer();
        window.isBroken = false;
        await pc.setLocalDescription();
        window.recorder.event('unheard');
        await window.recorder.close();
        pc.close();
        return {
          heard: window.heard,
          state: window.recorder.state,
          faults: window.recorder.counters.faults,
          type: offer.type,
          isBack: RTCPeerConnection.prototype.createOffer !== native,
        };
      });
      assert.deepEqual(seen.heard, ['rtctrace: a fault inside the recorder, which stops it: unreachable']);
      assert.deepEqual([seen.state, seen.faults, seen.type, seen.isBack], ['closed', 1, 'offer', true]);
      assert.equal(await stillWorks(page), 'offer');
      const again = await record(page);
      assert.equal(again.state, 'closed');
      assert.match(again.heard.join(), /not recording: a fault has stopped the module/);
    }));

  it('refuses what no collector takes before its memory grows for it, and says so', () =>
    onPage(async (page, collector) => {
      await page.evaluate(() => {
        const { instantiateStreaming } = WebAssembly;
        WebAssembly.instantiateStreaming = async (...args) => {
          const made = await instantiateStreaming.apply(WebAssembly, args);
          window.memory = made.instance.exports.memory;
          return made;
        };
        const { getStats } = RTCPeerConnection.prototype;
        RTCPeerConnection.prototype.getStats = async function () {
          const report = new Map(await getStats.call(this));
          if (window.huge) report.set('huge', { id: 'huge', type: 'codec', timestamp: 1, mimeType: window.huge });
          return report;
        };
      });
      const { session } = await record(page, { getStatsInterval: 50, bufferBytes: 64 * 1024 * 1024 });
      await call(page);
      const reports = () => page.evaluate(() => window.recorder.counters.reports);
      await until(async () => (await reports()) > 20);
      const grown = await page.evaluate(async () => {
        const { memory, recorder } = window;
        const before = memory.buffer.byteLength;
        const huge = 'x'.repeat(8 * 1024 * 1024);
        recorder.event('huge', huge);
        recorder.event(huge);
        await window.connections[0].setRemoteDescription({ type: 'answer', sdp: huge }).catch(() => {});
        window.huge = huge;
        while (recorder.counters.droppedReports < 4) await new Promise((resolve) => setTimeout(resolve, 20));
        window.huge = undefined;
        return memory.buffer.byteLength - before;
      });
      assert.ok(grown <= 256 * 1024, `${grown} bytes`);
      const before = await reports();
      await until(async () => (await reports()) > before + 4);
      const { droppedEvents, droppedReports, faults } = await page.evaluate(async () => {
        await window.recorder.close();
        return window.recorder.counters;
      });
      const dropped = collector.linesOf(session).filter(([method]) => method === ':rtctrace.dropped');
      for (const [, , { lines, bytes }] of dropped) assert.ok(lines === 1 && bytes > 8 * 1024 * 1024, `${lines} of ${bytes} bytes`);
      assert.deepEqual([faults, dropped.length], [0, droppedEvents + droppedReports]);
      const [event, name, description] = dropped.map(([, connection]) => connection);
      assert.deepEqual([event, name, description], [null, null, 'PC_0']);
    }));

  it('keeps credentials in the page', () =>
    onPage(async (page, collector) => {
      const { session } = await record(page);
      await page.evaluate(async () => {
        const iceServers = [{ urls: 'turn:127.0.0.1:9', username: 'someone', credential: 'top-secret' }];
        const pc = new RTCPeerConnection({ iceServers });
        pc.setConfiguration({ iceServers });
        for (const server of [{ urls: 'turn:user:top-secret@127.0.0.1:9', username: 'a' }, { url: 'turn:x', urls: ['turn:127.0.0.1:9'], password: 'top-secret' }]) {
          try {
            pc.setConfiguration({ iceServers: [server] });
          } catch {
            // What the browser refuses is recorded, too.
          }
        }
        pc.close();
        await window.recorder.close();
      });
      const text = collector.textOf(session);
      assert.ok(text.includes('someone') && text.includes('turn:127.0.0.1:9') && !text.includes('top-secret'));
    }));

  it('holds calls with the callbacks of old as any others', () =>
    onPage(async (page, collector) => {
      const { session } = await record(page);
      await page.evaluate(async () => {
        const pc = new RTCPeerConnection();
        pc.createDataChannel('x');
        const offer = await new Promise((resolve, reject) => pc.createOffer(resolve, reject, { iceRestart: true }));
        await new Promise((resolve, reject) => pc.setLocalDescription(offer, resolve, reject));
        await pc.setRemoteDescription({ type: 'answer', sdp: 'x' }, () => {}, () => {});
        pc.close();
        await window.recorder.close();
      });
      const lines = collector.linesOf(session);
      const outcomeOf = (call, method) => lines.find(([name, , , tracking]) => name === method && tracking === call[3]);
      const offer = lines.find(([method]) => method === 2);
      assert.deepEqual(offer[2], { iceRestart: true });
      assert.equal(outcomeOf(offer, 3)[2].type, 'offer');
      assert.ok(outcomeOf(lines.find(([method]) => method === 6), 7));
      const refused = lines.findLast(([method]) => method === 8);
      assert.match(String(outcomeOf(refused, 15)[2]), /Operation/);
    }));

  it('may be called from the arguments of what it records, and with data that is no JSON', () =>
    onPage(async (page, collector) => {
      const { session } = await record(page);
      const seen = await page.evaluate(async () => {
        const { recorder } = window;
        const pc = new RTCPeerConnection();
        const inner = new RTCPeerConnection();
        const options = {
          get iceRestart() {
            inner.restartIce();
            recorder.event('from within');
            return true;
          },
        };
        await pc.createOffer(options);
        const cyclic = { label: 'x' };
        cyclic.self = cyclic;
        pc.createDataChannel('cyclic', cyclic);
        recorder.event('cyclic', cyclic, pc);
        recorder.event('cyclic', cyclic);
        pc.close();
        inner.close();
        await recorder.close();
        return { faults: recorder.counters.faults, heard: window.heard };
      });
      assert.equal(seen.faults, 0);
      assert.equal(seen.heard.length, 1);
      assert.match(seen.heard[0], /no JSON is recorded as null/);
      const lines = collector.linesOf(session);
      const of = (name) => lines.filter(([method]) => method === name).map(([, connection, value]) => [connection, value]);
      assert.deepEqual(of(37), [['PC_1', null]], 'restartIce, once');
      assert.deepEqual(of(':from within'), [[null, null]]);
      assert.deepEqual(of(':cyclic'), [['PC_0', null], [null, null]]);
    }));

  it('takes in a connection that was there before', () =>
    onPage(async (page, collector) => {
      await page.evaluate(() => void (window.early = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })));
      const { session } = await record(page);
      await page.evaluate(async () => {
        window.early.getSenders();
        window.early.createDataChannel('x');
        await window.early.setLocalDescription();
        await window.recorder.close();
      });
      const [, create, channel] = collector.linesOf(session).filter(([method]) => [39, 35].includes(method));
      assert.deepEqual([create[0], create[1], create[2].bundlePolicy], [39, 'PC_0', 'max-bundle']);
      assert.deepEqual(channel.slice(0, 3), [35, 'PC_0', ['x']]);
    }));
});
