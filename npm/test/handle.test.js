// What an application can do with its recorder.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { openBrowser, record, stillWorks, until, withPage } from './harness.js';

describe('a recorder', () => {
  let browser;
  before(async () => void (browser = await openBrowser()));
  after(() => browser?.close());
  const onPage = (work) => withPage(browser, work);

  it('takes events of the application, with any data and of a connection', () =>
    onPage(async (page, collector) => {
      const { session } = await record(page);
      await page.evaluate(async () => {
        const pc = new RTCPeerConnection();
        const cycle = {};
        cycle.self = cycle;
        window.recorder.event('plain');
        window.recorder.event('data', { öß: ['"\n', 7, null], no: undefined, date: new Date(0) });
        window.recorder.event('of', 'caller', pc);
        window.recorder.event('cycle', cycle);
        window.recorder.event('big', 10n);
        window.recorder.event('of no connection', 1, {});
        window.recorder.event(Symbol('no name'));
        window.recorder.event({ toString: () => { throw new Error('no name'); } });
        pc.close();
        await window.recorder.close();
        window.recorder.event('too late');
      });
      const own = collector.linesOf(session).filter(([method]) => String(method).startsWith(':'));
      assert.deepEqual(own.map((line) => line.slice(0, -1)), [
        [':plain', null, null],
        [':data', null, { öß: ['"\n', 7, null], date: '1970-01-01T00:00:00.000Z' }],
        [':of', 'PC_0', 'caller'],
        [':cycle', null, null],
        [':big', null, null],
        [':of no connection', null, 1],
      ]);
    }));

  it('takes in the connection of an event, made before the recording began', () =>
    onPage(async (page, collector) => {
      await page.evaluate(() => void (window.early = new RTCPeerConnection()));
      const { session } = await record(page);
      await page.evaluate(async () => {
        window.recorder.event('rating', 4, window.early);
        window.recorder.event('rating', 5, {});
        await window.recorder.close();
        // Of a recording that has ended nobody joins anything.
        window.recorder.event('rating', 6, new RTCPeerConnection());
      });
      const lines = collector.linesOf(session).map(([method, connection, value]) => [method, connection, value]);
      // 39 is create.
      assert.deepEqual(lines.filter(([method]) => method === 39).map(([, connection]) => connection), [null, 'PC_0']);
      assert.deepEqual(lines.filter(([method]) => method === ':rating'), [[':rating', 'PC_0', 4], [':rating', null, 5]]);
    }));

  it('has no part any more in what the page records after its end', () =>
    onPage(async (page, collector) => {
      await record(page);
      const session = await page.evaluate(async () => {
        const ended = window.recorder;
        await ended.close();
        const { init } = await import('/index.js');
        window.recorder = await init({ endpoint: location.origin });
        for (let index = 0; index < 50; index += 1) {
          window.recorder.event('count', index);
          ended.flush();
          ended.event('late');
          ended.identify({ user: 'late' });
          if (index % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 50));
        }
        const { session } = window.recorder;
        await window.recorder.close();
        return session;
      });
      const own = collector.linesOf(session).filter(([method]) => method === ':count' || method === ':late' || method === 'identity');
      assert.deepEqual(own.map(([method, , value]) => [method, value]), Array.from({ length: 50 }, (_, index) => [':count', index]));
    }));

  it('leaves out what no collector could read, and goes on', () =>
    onPage(async (page, collector) => {
      const { session } = await record(page);
      const dropped = await page.evaluate(async () => {
        let deep = 1;
        for (let level = 0; level < 1000; level += 1) deep = [deep];
        window.recorder.event('deep', deep);
        window.recorder.event('after');
        const { droppedEvents } = window.recorder.counters;
        await window.recorder.close();
        return droppedEvents;
      });
      assert.equal(dropped, 1);
      const own = collector.linesOf(session).filter(([method]) => String(method).startsWith(':'));
      assert.deepEqual(own.map(([method]) => method), [':rtctrace.dropped', ':after']);
    }));

  it('is told whom it is about, more each time', () =>
    onPage(async (page, collector) => {
      const { session } = await record(page, { identity: { user: 'ada' } });
      await page.evaluate(async () => {
        // As an application does it once the SDK of Sora is connected.
        const connection = { connectionId: 'C0FFEE', channelId: 'blue' };
        window.recorder.identify({ sora: { connection_id: connection.connectionId, channel_id: connection.channelId } });
        window.recorder.identify({ user: 'grace' });
        await window.recorder.close();
      });
      const sora = { connection_id: 'C0FFEE', channel_id: 'blue' };
      const told = collector.linesOf(session).filter(([method]) => method === 'identity');
      assert.deepEqual(told.map(([, , value]) => value), [{ user: 'ada' }, { user: 'ada', sora }, { user: 'grace', sora }]);
    }));

  it('tells its state, and of each change of it, outside of what the page is doing', () =>
    onPage(async (page, collector) => {
      const states = () => page.evaluate(() => window.states);
      await page.evaluate(async () => {
        const { init } = await import('/index.js');
        const pending = init({ endpoint: location.origin });
        // There is a recorder already, but only the promise gives it.
        window.recorder = await pending;
        window.states = [window.recorder.state];
        window.recorder.addEventListener('statechange', ({ target }) => window.states.push(target.state));
      });
      await until(async () => (await states()).length === 2);
      collector.cut();
      await until(async () => (await states()).length === 4);
      await page.evaluate(async () => {
        await window.recorder.close();
        window.states.push('after close()');
      });
      assert.deepEqual(await states(), ['connecting', 'open', 'reconnecting', 'open', 'closed', 'after close()']);
      assert.equal(await page.evaluate(() => window.recorder instanceof EventTarget), true);
    }));

  it('counts', () =>
    onPage(async (page, collector) => {
      const { session } = await record(page);
      await page.evaluate(() => {
        for (let count = 0; count < 10; count += 1) window.recorder.event('n', count);
      });
      await until(() => page.evaluate(() => window.recorder.counters.bufferedBytes === 0 && window.recorder.counters.lines > 10));
      const during = await page.evaluate(() => window.recorder.counters);
      assert.equal(during.lines, collector.linesOf(session).length);
      assert.deepEqual({ ...during, lines: 0 }, {
        lines: 0, reports: 0, acknowledged: during.lines, bufferedBytes: 0, droppedReports: 0, droppedEvents: 0, reconnects: 0, faults: 0,
      });
      const after = await page.evaluate(async () => {
        await window.recorder.close();
        return window.recorder.counters;
      });
      assert.equal(after.acknowledged, collector.linesOf(session).length);
      // A later recording does not change what this one counted.
      await page.evaluate(() => void (window.first = window.recorder));
      await record(page);
      assert.deepEqual(await page.evaluate(() => window.first.counters), after);
    }));

  it('flushes at once', () =>
    onPage(async (page, collector) => {
      await page.evaluate(() => {
        window.sent = [];
        const { send } = WebSocket.prototype;
        WebSocket.prototype.send = function (text) {
          window.sent.push(text);
          return send.call(this, text);
        };
      });
      await record(page);
      await until(() => page.evaluate(() => window.recorder.counters.acknowledged > 1));
      const [without, flushed] = await page.evaluate(async () => {
        const tick = () => new Promise((resolve) => setTimeout(resolve, 5));
        window.recorder.event('a');
        while (!window.sent.at(-1).includes(':a')) await tick();
        // Frames are 100 ms apart.
        window.recorder.event('b');
        await tick();
        const without = window.sent.at(-1);
        window.recorder.flush();
        await tick();
        return [without, window.sent.at(-1)];
      });
      assert.match(without, /":a"/);
      assert.match(flushed, /":b"/);
      assert.equal(collector.connections, 1);
    }));

  it('closes once, and then forever', () =>
    onPage(async (page, collector) => {
      const { session } = await record(page);
      await page.evaluate(async () => {
        const promises = [window.recorder.close(), window.recorder.close()];
        await Promise.all(promises);
        await window.recorder.close();
        window.recorder.flush();
        window.recorder.identify({ user: 'late' });
      });
      const lines = collector.linesOf(session);
      assert.deepEqual(lines.at(-1).slice(0, 3), ['close', null, null]);
      assert.equal(lines.filter(([method, id]) => method === 'close' && id === null).length, 1);
    }));

  it('puts every function back in its place', () =>
    onPage(async (page, collector) => {
      const { session } = await record(page);
      await page.evaluate(() => window.recorder.close());
      const [before, during, after, held] = await page.evaluate(async () => {
        const { init } = await import('/index.js');
        const owners = [
          'RTCPeerConnection', 'RTCRtpSender', 'RTCRtpReceiver', 'RTCRtpTransceiver', 'RTCDataChannel', 'RTCDtlsTransport',
          'RTCIceTransport', 'RTCSctpTransport', 'MediaStreamTrack', 'MediaDevices', 'Navigator', 'HTMLMediaElement', 'EventTarget',
        ];
        const functions = () => {
          const found = new Map();
          const take = (where, object) => {
            for (const key of Reflect.ownKeys(object)) {
              const { value, get, set } = Reflect.getOwnPropertyDescriptor(object, key);
              for (const [kind, each] of Object.entries({ value, get, set })) {
                if (typeof each === 'function') found.set(`${where}.${String(key)} ${kind}`, each);
              }
            }
          };
          for (const name of owners) {
            found.set(name, globalThis[name]);
            take(`${name}.prototype`, globalThis[name].prototype);
          }
          found.set('webkit', globalThis.webkitRTCPeerConnection);
          take('navigator.mediaDevices', navigator.mediaDevices);
          return found;
        };
        const differing = (a, b) => [...a.keys()].filter((key) => a.get(key) !== b.get(key));
        const first = functions();
        const pending = init({ endpoint: location.origin });
        const wrapped = functions();
        window.recorder = await pending;
        const { createOffer } = RTCPeerConnection.prototype;
        const pc = new RTCPeerConnection();
        window.recorder.restore();
        const last = functions();
        // Whoever kept a function of ours can go on using it.
        const offer = await createOffer.call(pc);
        return [first.size, differing(first, wrapped).length, differing(first, last), offer.type];
      });
      assert.ok(before > 200 && during > 30, `${during} of ${before} functions are wrapped`);
      assert.deepEqual(after, []);
      assert.equal(held, 'offer');
      const last = await page.evaluate(async () => {
        await window.recorder.close();
        return window.recorder.session;
      });
      assert.notEqual(last, session);
      assert.deepEqual(collector.linesOf(last).at(-1).slice(0, 3), ['close', null, null]);
      assert.equal(await stillWorks(page), 'offer');
    }));

  it('is one per page, also for another copy of the package', () =>
    onPage(async (page) => {
      const same = await page.evaluate(async () => {
        const { init } = await import('/index.js');
        const copy = await import('/inline.js');
        const options = { endpoint: location.origin };
        const [first, second] = await Promise.all([init(options), init(options)]);
        const third = copy.start(options);
        const fourth = await copy.init(options);
        return [second, third, fourth].every((recorder) => recorder === first);
      });
      assert.equal(same, true);
    }));

  it('may begin while the one before is ending, and both are complete', () =>
    onPage(async (page, collector) => {
      const sessions = await page.evaluate(async () => {
        const { init } = await import('/index.js');
        const options = { endpoint: location.origin };
        const first = await init(options);
        first.event('first');
        const ended = first.close();
        const begun = init(options);
        const pc = new RTCPeerConnection();
        pc.createDataChannel('x');
        const second = await begun;
        second.event('second', null, pc);
        await ended;
        await second.close();
        pc.close();
        return [first.session, second.session];
      });
      const [first, second] = sessions.map((session) => collector.linesOf(session));
      assert.notEqual(sessions[0], sessions[1]);
      assert.deepEqual(first.at(-1).slice(0, 3), ['close', null, null]);
      assert.deepEqual(first.at(-2).slice(0, 2), [':first', null]);
      assert.deepEqual(second.filter(([method]) => [39, 35, ':second'].includes(method)).map(([method, id]) => [method, id]), [
        [39, null], [39, 'PC_0'], [35, 'PC_0'], [':second', 'PC_0'],
      ]);
      assert.deepEqual(second.at(-1).slice(0, 3), ['close', null, null]);
    }));
});
