// What each option does, and what is said of one that is wrong.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { call, openBrowser, record, stillWorks, until, withPage } from './harness.js';

/** Records with options that hold functions, which no `evaluate` can carry: `make` runs in the page. */
async function recordWith(page, make) {
  return page.evaluate(async (source) => {
    const { init } = await import('/index.js');
    window.heard = [];
    const log = (message) => window.heard.push(message);
    window.recorder = await init({ endpoint: location.origin, log, ...(0, eval)(`(${source})`)() });
    return window.recorder.session;
  }, String(make));
}

const close = (page) => page.evaluate(() => window.recorder.close());

describe('an option', () => {
  let browser;
  before(async () => void (browser = await openBrowser()));
  after(() => browser?.close());
  const onPage = (work) => withPage(browser, work);

  it('that is wrong is named, and nothing is recorded', () =>
    onPage(async (page) => {
      for (const [options, reason] of [
        [{ endpoint: '' }, /no endpoint was given/],
        [{ endpoint: 'ftp://x' }, /neither ws, wss, http nor https/],
        [{ endpoint: 'http://:::' }, /not a URL/],
        [{ session: 'abc' }, /session is not a UUID: abc/],
        [{ token: 7 }, /token is neither a string nor a function/],
        [{ getStatsInterval: -1 }, /getStatsInterval is not a number from 0/],
        [{ getStatsInterval: '1000' }, /getStatsInterval/],
        [{ bufferBytes: NaN }, /bufferBytes/],
        [{ sampleRate: 1.5 }, /sampleRate is not a number from 0 to 1: 1.5/],
        [{ connectionFilter: true }, /connectionFilter is not a function/],
        [{ endpoint: 'ws://127.0.0.1:9/?tenant=1' }, /endpoint has a query/],
        [{ redact: true }, /redact is not an object of addresses, labels, sdp/],
        [{ redact: { address: true } }, /redact has no address, only addresses, labels, sdp/],
        [{ redact: { sdp: 'yes' } }, /redact.sdp is neither true nor false/],
        [{ wrap: null }, /wrap is not an object/],
        [{ identity: 'ada' }, /identity is not an object/],
      ]) {
        const { state, session, heard } = await record(page, options);
        assert.deepEqual([state, session], ['closed', '']);
        assert.equal(heard.length, 1);
        assert.match(heard[0], reason);
      }
      assert.equal((await record(page)).state, 'connecting');
      await page.evaluate(() => window.recorder.close());
      const none = await page.evaluate(async () => {
        const { warn } = console;
        let warning;
        console.warn = (text) => (warning = text);
        const { init } = await import('/index.js');
        const { state } = await init();
        console.warn = warn;
        return [state, warning];
      });
      assert.deepEqual(none, ['closed', 'rtctrace: not recording: no endpoint was given']);
    }));

  it('endpoint may be of any of four schemes, with a path, as text or URL', () =>
    onPage(async (page, collector) => {
      const { host } = new URL(collector.url);
      for (const endpoint of [`ws://${host}`, `http://${host}/`, `ws://${host}/rtc/`, `http://${host}/#y`]) {
        const { session } = await record(page, { endpoint });
        await close(page);
        assert.ok(collector.linesOf(session).length > 0, endpoint);
      }
      const session = await recordWith(page, () => ({ endpoint: new URL(location.href) }));
      await close(page);
      assert.ok(collector.linesOf(session).length > 0);
    }));

  it('session names the recording', () =>
    onPage(async (page, collector) => {
      const given = '0199b0c4-7d3e-7abc-8def-0123456789ab';
      const { session } = await record(page, { session: given });
      assert.equal(session, given);
      await close(page);
      assert.ok(collector.linesOf(given).length > 0);
    }));

  it('identity follows the first event', () =>
    onPage(async (page, collector) => {
      const identity = { user: 'ada', conference: 'blue', session: '7', seat: 4 };
      const { session } = await record(page, { identity });
      await close(page);
      const [create, second] = collector.linesOf(session);
      assert.deepEqual([create[1], typeof create[2].hardwareConcurrency], [null, 'number']);
      assert.deepEqual(second.slice(0, 3), ['identity', null, identity]);
    }));

  it('getStatsInterval paces the reports', () =>
    onPage(async (page, collector) => {
      const { session } = await record(page, { getStatsInterval: 100 });
      await call(page);
      await page.waitForTimeout(1000);
      await close(page);
      const reports = collector.linesOf(session).filter(([method, id]) => method === 'g' && id === 'PC_0');
      assert.ok(reports.length >= 7 && reports.length <= 12, `${reports.length} reports`);
    }));

  it('connectionFilter picks the connections to record; one that throws picks none', () =>
    onPage(async (page, collector) => {
      const session = await recordWith(page, () => ({
        connectionFilter(configuration) {
          if (configuration?.iceTransportPolicy) throw new Error('no idea');
          return configuration?.bundlePolicy === 'max-bundle';
        },
      }));
      await page.evaluate(async () => {
        for (const configuration of [undefined, { bundlePolicy: 'max-bundle' }, { bundlePolicy: 'balanced' }, { iceTransportPolicy: 'all' }]) {
          const pc = new RTCPeerConnection(configuration);
          pc.createDataChannel('x');
          await pc.setLocalDescription();
          pc.close();
        }
        await window.recorder.close();
      });
      const ids = new Set(collector.linesOf(session).map(([, id]) => id));
      assert.deepEqual([...ids], [null, 'PC_0']);
      const creates = collector.linesOf(session).filter(([, id, value]) => id && value?.bundlePolicy);
      assert.deepEqual(creates.map(([, , value]) => value.bundlePolicy), ['max-bundle']);
      assert.deepEqual(await page.evaluate(() => window.heard), ['rtctrace: a fault inside the recorder: no idea']);
    }));

  it('wrap leaves out what is not wanted, untouched', () =>
    onPage(async (page, collector) => {
      for (const [group, left] of [
        ['peerConnection', () => [RTCPeerConnection, RTCPeerConnection.prototype.createOffer, RTCRtpSender.prototype.setParameters]],
        ['userMedia', () => [MediaDevices.prototype.getUserMedia, MediaDevices.prototype.getDisplayMedia, MediaStreamTrack.prototype.stop]],
        ['devices', () => [MediaDevices.prototype.enumerateDevices]],
      ]) {
        const look = (key) =>
          page.evaluate(([source, key]) => {
            const found = (0, eval)(`(${source})`)();
            window[key] ??= found;
            return found.map((value, index) => value === window[key][index]);
          }, [String(left), key]);
        await look(group);
        await record(page, { wrap: { [group]: false } });
        assert.ok((await look(group)).every((isSame) => isSame), group);
        await close(page);
        await record(page);
        assert.ok((await look(group)).every((isSame) => !isSame), group);
        await close(page);
        assert.ok((await look(group)).every((isSame) => isSame), group);
      }
      const { session } = await record(page, { wrap: { peerConnection: false, devices: false } });
      await page.evaluate(async () => {
        new RTCPeerConnection().close();
        await navigator.mediaDevices.enumerateDevices();
        const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
        stream.getTracks()[0].stop();
        await window.recorder.close();
      });
      const lines = collector.linesOf(session);
      assert.ok(lines.every(([, id]) => id === null));
      assert.ok(lines.some(([, , value]) => value?.audio === true));
    }));

  it('bufferBytes bounds what is kept, and what was dropped is recorded', () =>
    onPage(async (page, collector) => {
      const { session } = await record(page, { bufferBytes: 1 });
      await until(() => page.evaluate(() => window.recorder.state === 'open'));
      collector.gate.judge = () => 1013;
      collector.cut();
      await until(() => page.evaluate(() => window.recorder.state === 'reconnecting'));
      const counters = await page.evaluate(async () => {
        const pc = new RTCPeerConnection();
        for (let count = 0; count < 200; count += 1) pc.createDataChannel('x'.repeat(1000));
        pc.close();
        window.recorder.event('kept', 1);
        return window.recorder.counters;
      });
      assert.ok(counters.droppedEvents > 100, `${counters.droppedEvents} dropped`);
      assert.ok(counters.bufferedBytes < 80_000, `${counters.bufferedBytes} bytes kept`);
      collector.gate.judge = () => {};
      await close(page);
      // The channels tell of their end, too.
      const { droppedEvents } = await page.evaluate(() => window.recorder.counters);
      const lines = collector.linesOf(session);
      const dropped = lines.filter(([method]) => method === ':rtctrace.dropped');
      assert.equal(dropped.reduce((sum, [, , value]) => sum + value.lines, 0), droppedEvents);
      assert.equal(lines.filter(([method]) => method === ':kept').length, 1);
    }));

  it('sampleRate decides by the session, the same for ever, and leaves out the rest entirely', () =>
    onPage(async (page, collector) => {
      const { session, state } = await record(page, { sampleRate: 0 });
      assert.deepEqual([session, state], ['', 'closed']);
      const left = await page.evaluate(async () => {
        const { init } = await import('/index.js');
        window.recorder.event('x');
        window.recorder.identify({});
        window.recorder.flush();
        const same = (await init({ endpoint: location.origin })) === window.recorder;
        await window.recorder.close();
        const { sampled, counters } = window.recorder;
        return { same, sampled, lines: counters.lines, heard: window.heard, isNative: !('rtctrace' in window) };
      });
      assert.deepEqual(left, { same: true, sampled: false, lines: 0, heard: [], isNative: true });
      assert.equal(collector.connections, 0);
      assert.equal(await stillWorks(page), 'offer');

      // The share of many sessions of one minute, whose ids differ in few places; and each twice.
      const share = await page.evaluate(async () => {
        const { init } = await import('/index.js');
        const decide = async (session, sampleRate) => {
          const recorder = await init({ endpoint: location.origin, session, sampleRate, log() {}, wasmUrl: new Uint8Array() });
          await recorder.close();
          return recorder.sampled;
        };
        const count = 3000;
        let sampled = 0;
        let differing = 0;
        for (let index = 0; index < count; index += 1) {
          const session = `0199b0c4-7d3e-7abc-8def-${index.toString(16).padStart(12, '0')}`;
          const first = await decide(session, 0.3);
          sampled += first;
          differing += first !== (await decide(session.toUpperCase(), 0.3));
          // Who is in a sample is in every larger one.
          differing += first && !(await decide(session, 0.5));
        }
        return { share: sampled / count, differing };
      });
      // Three standard deviations of a binomial distribution.
      assert.ok(Math.abs(share.share - 0.3) < 3 * Math.sqrt((0.3 * 0.7) / 3000), `${share.share} instead of 0.3`);
      assert.equal(share.differing, 0);
      assert.equal((await record(page, { sampleRate: 1 })).state, 'connecting');
    }));

  it('countReloads counts recordings of this tab that were not ended', () =>
    onPage(async (page, collector) => {
      const counts = [];
      for (let round = 0; round < 3; round += 1) {
        const { session } = await record(page);
        await until(() => collector.linesOf(session).length > 0);
        counts.push(collector.linesOf(session)[0][2].reloadCount);
        await page.reload();
      }
      const { session } = await record(page, { countReloads: false });
      await close(page);
      const last = await record(page);
      await close(page);
      assert.deepEqual([...counts, collector.linesOf(session)[0][2].reloadCount, collector.linesOf(last.session)[0][2].reloadCount], [0, 1, 2, undefined, 0]);
    }));

  it('wasmUrl may be an address, bytes or a module', () =>
    onPage(async (page, collector) => {
      for (const make of [
        () => ({ wasmUrl: '/rtctrace_bg.wasm' }),
        () => ({ wasmUrl: new Request('/rtctrace_bg.wasm') }),
      ]) {
        await page.reload();
        const session = await recordWith(page, make);
        await close(page);
        assert.ok(collector.linesOf(session).length > 0, String(make));
      }
      for (const compile of [false, true]) {
        await page.reload();
        const session = await page.evaluate(async (compile) => {
          const { init } = await import('/index.js');
          const bytes = new Uint8Array(await (await fetch('/rtctrace_bg.wasm')).arrayBuffer());
          const recorder = await init({ endpoint: location.origin, wasmUrl: compile ? await WebAssembly.compile(bytes) : bytes });
          await recorder.close();
          return recorder.session;
        }, compile);
        assert.ok(collector.linesOf(session).length > 0);
      }
    }));
});
