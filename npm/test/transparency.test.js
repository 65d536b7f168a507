// What a page sees of the browser's functions while it is recorded is what it sees without.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { openBrowser, openCollector } from './harness.js';

/** Runs in a page: everything that can go wrong, and how the page hears of it. */
async function provoke() {
  const unhandled = [];
  window.addEventListener('unhandledrejection', (event) => unhandled.push(String(event.reason)));
  const describeError = (error) => `${error.constructor.name} ${error.name}: ${error.message}`;
  const outcome = async (make) => {
    let promise;
    try {
      promise = make();
    } catch (error) {
      return `threw ${describeError(error)}`;
    }
    return promise.then(() => 'fulfilled', describeError);
  };
  const pc = new RTCPeerConnection();
  const results = {
    badDescription: await outcome(() => pc.setRemoteDescription({ type: 'answer', sdp: 'x' })),
    badType: await outcome(() => pc.setRemoteDescription({ type: 'what', sdp: 'x' })),
    wrongThis: await outcome(() => RTCPeerConnection.prototype.createOffer.call({})),
    wrongThisStop: await outcome(() => MediaStreamTrack.prototype.stop.call({})),
    badCandidate: await outcome(() => pc.addIceCandidate({ candidate: 'candidate:1' })),
    noDevice: await outcome(() => navigator.mediaDevices.getUserMedia({ video: { width: { exact: 99999 } } })),
    noArguments: await outcome(() => pc.addTrack()),
    getter: await outcome(() => pc.createOffer({ get iceRestart() { throw new RangeError('mine'); } })),
  };
  pc.close();
  results.closed = await outcome(() => pc.createOffer());
  await new Promise((resolve) => setTimeout(resolve, 50));
  return { results, unhandled };
}

describe('a page that is recorded', () => {
  let browser;
  let collector;
  let page;
  const errors = [];

  before(async () => {
    [browser, collector] = await Promise.all([openBrowser(), openCollector()]);
    page = await browser.context.newPage();
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(collector.url);
  });

  after(async () => {
    await browser?.close();
    collector?.close();
  });

  it('finds every interface as it was', async () => {
    const [before, during] = await page.evaluate(async () => {
      const names = ['RTCPeerConnection', 'RTCRtpSender', 'RTCRtpTransceiver', 'MediaStreamTrack', 'MediaDevices', 'HTMLMediaElement'];
      const describeFunction = (f) => f && { name: f.name, length: f.length, own: Reflect.ownKeys(f).map(String).sort() };
      const describeObject = (object) =>
        Reflect.ownKeys(object).map((key) => {
          const { value, get, set, ...flags } = Reflect.getOwnPropertyDescriptor(object, key);
          const shown = typeof value === 'function' ? describeFunction(value) : String(value);
          return [String(key), shown, describeFunction(get), describeFunction(set), flags];
        });
      const all = () =>
        names.map((name) => {
          const { value, ...flags } = Reflect.getOwnPropertyDescriptor(globalThis, name);
          return [name, flags, describeFunction(value), describeObject(value), describeObject(value.prototype)];
        });
      const seen = all();
      window.natives = { RTCPeerConnection, prototype: RTCPeerConnection.prototype, globals: Object.keys(window) };
      window.existing = new RTCPeerConnection();
      const { init } = await import('/index.js');
      window.init = init;
      window.recorder = await init({ endpoint: location.origin, getStatsInterval: 200 });
      return [seen, all()];
    });
    assert.deepEqual(during, before);
  });

  it('constructs, subclasses and compares connections as before', async () => {
    const seen = await page.evaluate(() => {
      const { natives, existing } = window;
      const pc = new RTCPeerConnection({});
      class Mine extends RTCPeerConnection {
        own = 7;
        createOffer(...args) {
          return super.createOffer(...args);
        }
      }
      const mine = new Mine();
      const thrown = (work) => {
        try {
          work();
          return 'nothing';
        } catch (error) {
          return `${error.constructor.name}: ${error.message}`;
        }
      };
      return {
        wrapped: RTCPeerConnection !== natives.RTCPeerConnection,
        prototype: RTCPeerConnection.prototype === natives.prototype,
        constructor: pc.constructor === RTCPeerConnection,
        alias: window.webkitRTCPeerConnection === RTCPeerConnection,
        instance: pc instanceof RTCPeerConnection && existing instanceof RTCPeerConnection && pc instanceof natives.RTCPeerConnection,
        subclass: mine instanceof Mine && mine instanceof RTCPeerConnection && mine.own === 7 && mine.constructor === Mine,
        tag: Object.prototype.toString.call(pc),
        text: String(RTCPeerConnection).includes('[native code]') && String(pc.createOffer).includes('[native code]'),
        certificate: RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' }) instanceof Promise,
        withoutNew: thrown(() => RTCPeerConnection()) === thrown(() => natives.RTCPeerConnection()),
        badArgument: thrown(() => new RTCPeerConnection({ iceServers: [{ urls: 'x' }] })) === thrown(() => new natives.RTCPeerConnection({ iceServers: [{ urls: 'x' }] })),
        notConstructors: thrown(() => new pc.createOffer()),
        fields: Object.keys(pc).length,
        globals: Object.keys(window).filter((key) => !natives.globals.includes(key) && !['natives', 'existing', 'init', 'recorder'].includes(key)),
      };
    });
    const { tag, notConstructors, fields, globals, ...same } = seen;
    for (const [what, holds] of Object.entries(same)) assert.equal(holds, true, what);
    assert.equal(tag, '[object RTCPeerConnection]');
    assert.match(notConstructors, /TypeError: .*not a constructor/);
    assert.equal(fields, 0);
    assert.deepEqual(globals, []);
  });

  it('gets the same errors, and no unhandled rejection of those it handles', async () => {
    const plain = await browser.context.newPage();
    await plain.goto(collector.url);
    const [without, during] = [await plain.evaluate(provoke), await page.evaluate(provoke)];
    await plain.close();
    assert.deepEqual(during, without);
    assert.equal(Object.keys(during.results).length, 9);
    assert.deepEqual(during.unhandled, []);
  });

  it('has its promises settle in the order in which they always did', async () => {
    const order = await page.evaluate(async () => {
      const { natives } = window;
      // The browser's own function, taken from a frame that is not recorded.
      const frame = document.body.appendChild(document.createElement('iframe'));
      const pristine = frame.contentWindow.RTCPeerConnection.prototype.setLocalDescription;
      const run = async (set) => {
        const pc = new RTCPeerConnection();
        const order = [];
        pc.addEventListener('signalingstatechange', () => order.push('event'));
        const done = set(pc).then(() => order.push('then'));
        queueMicrotask(() => order.push('microtask'));
        await done;
        queueMicrotask(() => order.push('after'));
        await null;
        await new Promise((resolve) => setTimeout(resolve, 20));
        pc.close();
        return [natives.prototype === Object.getPrototypeOf(pc), ...order].join();
      };
      return [await run((pc) => pc.setLocalDescription()), await run((pc) => pristine.call(pc))];
    });
    assert.equal(order[0], order[1]);
  });

  it('may use the callbacks of old', async () => {
    const seen = await page.evaluate(async () => {
      const pc = new RTCPeerConnection();
      const seen = [];
      pc.createDataChannel('x');
      await pc.createOffer(
        function (offer) {
          seen.push(offer.type, this === undefined || this === window, arguments.length);
          pc.setLocalDescription(offer, () => seen.push('set'), () => seen.push('failed'));
        },
        () => seen.push('failed'),
        { iceRestart: true },
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
      await pc.setRemoteDescription({ type: 'answer', sdp: 'x' }, () => seen.push('set'), (error) => seen.push(error.name));
      pc.close();
      return seen;
    });
    assert.deepEqual(seen, ['offer', true, 1, 'set', 'OperationError']);
    const lines = collector.linesOf(await page.evaluate(() => window.recorder.session));
    const [call] = lines.filter(([method, , value]) => method === 2 && value?.iceRestart);
    const outcome = lines.find(([method, , , tracking]) => method === 3 && tracking === call[3]);
    assert.equal(outcome[2].type, 'offer');
  });

  it('may call back into the recorder from its own arguments', async () => {
    const value = await page.evaluate(async () => {
      const pc = new RTCPeerConnection();
      const inner = new RTCPeerConnection();
      await pc.createOffer({ get iceRestart() { inner.restartIce(); return true; } });
      const cyclic = { label: 'x' };
      cyclic.self = cyclic;
      pc.createDataChannel('cyclic', cyclic);
      window.recorder.event('cyclic', cyclic, pc);
      pc.close();
      inner.close();
      return window.recorder.counters.faults;
    });
    assert.equal(value, 0);
  });

  it('is not kept in memory', async () => {
    const left = await page.evaluate(async () => {
      const references = [];
      await (async () => {
        for (let index = 0; index < 20; index += 1) {
          const pc = new RTCPeerConnection();
          pc.addTransceiver('video');
          const channel = pc.createDataChannel('x');
          await pc.setLocalDescription();
          references.push(new WeakRef(pc), new WeakRef(channel));
          pc.close();
        }
      })();
      for (let round = 0; round < 20 && references.some((reference) => reference.deref()); round += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        globalThis.gc();
      }
      return references.filter((reference) => reference.deref()).length;
    });
    assert.ok(left <= 2, `${left} of 40 objects are still there`);
  });

  it('has seen no fault and no stray error', async () => {
    assert.deepEqual(errors, []);
    assert.equal(await page.evaluate(() => window.recorder.counters.faults), 0);
  });
});
