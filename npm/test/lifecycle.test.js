// A recording over the life of its page: before the module is there, in the back-forward cache, over a machine's sleep, among
// clocks and functions that the page has replaced.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { openBrowser, record, stillWorks, until, withPage } from './harness.js';

describe('a recording of a page', () => {
  let browser;
  before(async () => void (browser = await openBrowser()));
  after(() => browser?.close());
  const onPage = (work) => withPage(browser, work);

  it('holds what happened before the module was there, in order and with its own times', () =>
    onPage(async (page, collector) => {
      let arrive;
      collector.delays.set('/rtctrace_bg.wasm', new Promise((resolve) => (arrive = resolve)));
      const began = Date.now();
      await page.evaluate(async () => {
        const { init } = await import('/index.js');
        const { prototype } = RTCPeerConnection;
        const native = prototype.createOffer;
        window.pending = init({ endpoint: location.origin });
        window.isWrapped = prototype.createOffer !== native;
        window.pc = new RTCPeerConnection();
        window.pc.createDataChannel('x');
        await window.pc.setLocalDescription();
      });
      assert.equal(await page.evaluate(() => window.isWrapped), true);
      await sleep(700);
      await page.evaluate(() => void window.pc.close());
      const arrived = Date.now();
      arrive();
      const [session, counters] = await page.evaluate(async () => {
        const recorder = await window.pending;
        recorder.event('ready');
        await recorder.close();
        return [recorder.session, recorder.counters];
      });
      const lines = collector.linesOf(session);
      // In the table: create, createDataChannel, setLocalDescription, close.
      const names = lines.map(([method, id]) => `${method} ${id}`);
      const positions = ['39 null', '39 PC_0', '35 PC_0', '6 PC_0', '36 PC_0', ':ready null'].map((name) => names.indexOf(name));
      assert.ok(positions.every((position, index) => position > (positions[index - 1] ?? -1)), names.join());
      let time = 0;
      const times = lines.map((line) => (time += line.at(-1)));
      assert.ok(times[0] >= began && times[0] < arrived, 'it began with the call of init, not with the module');
      assert.ok(times[names.indexOf('36 PC_0')] - times[names.indexOf('6 PC_0')] >= 600, 'the close was later');
      assert.equal(counters.acknowledged, lines.length);
    }));

  it('is bounded before the module is there, and says what had no room', () =>
    onPage(async (page, collector) => {
      let arrive;
      collector.delays.set('/rtctrace_bg.wasm', new Promise((resolve) => (arrive = resolve)));
      const early = await page.evaluate(async () => {
        const { init } = await import('/index.js');
        window.pending = init({ endpoint: location.origin, bufferBytes: 64 * 1024 });
        window.pc = new RTCPeerConnection();
        for (let count = 0; count < 200; count += 1) window.pc.createDataChannel('x'.repeat(1000));
        // There is no recorder yet, but the page keeps it where other copies of the package find it.
        const recorder = window[Symbol.for('rtctrace.recording')];
        recorder.event('kept');
        return recorder.counters;
      });
      assert.ok(early.bufferedBytes <= 65 * 1024 && early.lines > 50, JSON.stringify(early));
      // The connection, the channels and the application's event: each is there or counted. The client's own line comes with the module.
      assert.equal(early.lines + early.droppedEvents, 1 + 200 + 1);
      arrive();
      const [session, counters] = await page.evaluate(async () => {
        const recorder = await window.pending;
        await recorder.close();
        return [recorder.session, recorder.counters];
      });
      const lines = collector.linesOf(session);
      assert.equal(lines[0][1], null);
      const [dropped] = lines.filter(([method]) => method === ':rtctrace.dropped');
      assert.ok(dropped[2].lines >= early.droppedEvents && dropped[2].bytes > 100_000);
      assert.equal(counters.droppedEvents, dropped[2].lines);
      assert.equal(lines.filter(([method]) => method === ':kept').length, 1);
    }));

  it('may be closed before the module is there, and ends complete', () =>
    onPage(async (page, collector) => {
      let arrive;
      collector.delays.set('/rtctrace_bg.wasm', new Promise((resolve) => (arrive = resolve)));
      await page.evaluate(async () => {
        const { init } = await import('/index.js');
        window.pending = init({ endpoint: location.origin });
        window.recorder = window[Symbol.for('rtctrace.recording')];
        window.recorder.event('early');
        window.ended = window.recorder.close();
      });
      arrive();
      const session = await page.evaluate(async () => {
        await window.ended;
        return window.recorder.session;
      });
      const methods = collector.linesOf(session).map(([method]) => method);
      assert.deepEqual([methods.includes(':early'), methods.at(-1)], [true, 'close']);
    }));

  it('goes on when the page comes back from the back-forward cache, and does not keep it out of there', async () => {
    const args = ['--disable-back-forward-cache'];
    const other = await openBrowser({ ignoreDefaultArgs: args });
    try {
      await withPage(other, async (page, collector) => {
        const { session } = await record(page);
        await page.evaluate(() => {
          addEventListener('pageshow', ({ persisted }) => window.recorder.event('shown', persisted));
          window.recorder.event('n', 1);
        });
        await until(() => page.evaluate(() => window.recorder.counters.bufferedBytes === 0));
        await page.evaluate(() => window.recorder.event('n', 2));
        await page.goto(`${collector.url.replace('127.0.0.1', 'localhost')}/`);
        await until(() => collector.linesOf(session).some(([method, , value]) => method === ':n' && value === 2));
        await sleep(300);
        // Not `goBack`, which waits for a load that a page from the cache does not have.
        await page.evaluate(() => void history.back()).catch(() => {});
        await until(() => page.evaluate(() => window.recorder?.state === 'open').catch(() => false));
        await page.evaluate(async () => {
          window.recorder.event('n', 3);
          await window.recorder.close();
        });
        const own = collector.linesOf(session).filter(([method]) => String(method).startsWith(':'));
        assert.deepEqual(own.map(([method, , value]) => [method, value]), [[':n', 1], [':n', 2], [':shown', true], [':n', 3]]);
        assert.equal(collector.connections, 2);
        assert.ok(collector.beacons.length > 0);
      });
    } finally {
      await other.close();
    }
  });

  it('follows the wall clock over a sleep, and nothing else', () =>
    onPage(async (page, collector) => {
      // Both clocks of the page, as the recorder finds them when it is loaded.
      await page.evaluate(() => {
        const start = { wall: Date.now(), monotonic: performance.now() };
        window.shift = { wall: 0, monotonic: 0 };
        const [wall, monotonic] = [Date.now, performance.now.bind(performance)];
        Date.now = () => wall() + window.shift.wall;
        performance.now = () => monotonic() + window.shift.monotonic;
        window.start = start;
      });
      const { session } = await record(page);
      await page.evaluate(async () => {
        const mark = (name) => window.recorder.event(name);
        mark('begin');
        // An hour in which the monotonic clock stood still.
        window.shift.wall += 3_600_000;
        mark('after sleep');
        // NTP, by small steps, and a user who sets the clock back.
        for (let step = 0; step < 10; step += 1) {
          window.shift.wall += 1_500;
          mark('step');
        }
        window.shift.wall -= 7_200_000;
        mark('set back');
        // Time that both saw pass: a throttled tab, a long task.
        window.shift.wall += 60_000;
        window.shift.monotonic += 60_000;
        mark('after a pause');
        await window.recorder.close();
      });
      const lines = collector.linesOf(session);
      let time = 0;
      const at = {};
      for (const line of lines) {
        time += line.at(-1);
        at[line[0]] = time;
        assert.ok(line.at(-1) >= 0, 'time never goes back');
      }
      const suspended = lines.filter(([method]) => method === ':rtctrace.suspended');
      assert.equal(suspended.length, 1);
      assert.ok(Math.abs(suspended[0][2].duration - 3_600_000) < 50, JSON.stringify(suspended[0]));
      assert.deepEqual(lines.indexOf(suspended[0]) + 1, lines.findIndex(([method]) => method === ':after sleep'), 'it stands where the gap is');
      const between = (from, to, expected) => assert.ok(Math.abs(at[to] - at[from] - expected) < 500, `${from} to ${to}: ${at[to] - at[from]} ms`);
      between(':begin', ':after sleep', 3_600_000);
      between(':after sleep', ':step', 0);
      between(':step', ':set back', 0);
      between(':set back', ':after a pause', 60_000);
    }));

  it('begins with the wall clock where the page is older than the last sleep', () =>
    onPage(async (page, collector) => {
      await page.evaluate(() => {
        const wall = Date.now;
        Date.now = () => wall() + 86_400_000;
      });
      const { session } = await record(page);
      await page.evaluate(() => window.recorder.close());
      const [first, ...rest] = collector.linesOf(session);
      assert.ok(Math.abs(first.at(-1) - Date.now() - 86_400_000) < 10_000);
      assert.ok(rest.every(([method]) => method !== ':rtctrace.suspended'));
    }));

  it('does not mind what the page replaces later, nor does the page', () =>
    onPage(async (page, collector) => {
      const errors = [];
      page.on('pageerror', (error) => errors.push(error));
      const { session } = await record(page);
      const calls = await page.evaluate(async () => {
        const calls = [];
        const sabotage = (object, ...names) => {
          for (const name of names) {
            object[name] = () => {
              calls.push(name);
              throw new Error(`sabotaged ${name}`);
            };
          }
        };
        const wait = setTimeout.bind(window);
        sabotage(WebSocket.prototype, 'send', 'close');
        sabotage(window, 'setTimeout', 'clearTimeout', 'setInterval', 'WebSocket', 'queueMicrotask', 'Event', 'fetch');
        sabotage(EventTarget.prototype, 'addEventListener', 'removeEventListener');
        sabotage(JSON, 'stringify', 'parse');
        sabotage(Date, 'now');
        sabotage(performance, 'now');
        sabotage(navigator, 'sendBeacon');
        sabotage(TextEncoder.prototype, 'encode', 'encodeInto');
        sabotage(TextDecoder.prototype, 'decode');
        sabotage(Reflect, 'apply', 'construct');
        const pc = new RTCPeerConnection();
        pc.createDataChannel('x');
        await pc.setLocalDescription();
        window.recorder.event('sabotaged', { ß: 1 });
        await new Promise((resolve) => wait(resolve, 300));
        pc.close();
        return calls;
      });
      await until(() => collector.linesOf(session).some(([method, id]) => method === 36 && id === 'PC_0'));
      assert.deepEqual(calls, []);
      assert.deepEqual(errors, []);
      await page.reload();
      assert.equal(await stillWorks(page), 'offer');
    }));

  it('stops where the page has taken away what it cannot do without, and the page goes on', () =>
    onPage(async (page) => {
      const errors = [];
      page.on('pageerror', (error) => errors.push(error));
      await record(page);
      await page.evaluate(() => {
        window.Uint8Array = function () {
          throw new Error('sabotaged bytes');
        };
      });
      assert.equal(await stillWorks(page), 'offer');
      await until(() => page.evaluate(() => window.recorder.state === 'closed'));
      assert.deepEqual(await page.evaluate(() => window.heard), ['rtctrace: a fault inside the recorder, which stops it: sabotaged bytes']);
      assert.equal(await stillWorks(page), 'offer');
      assert.deepEqual(errors, []);
    }));
});
