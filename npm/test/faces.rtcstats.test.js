// The face of upstream's client. That client is not on npm: its own recordings, and what its code was read to do, are the measure.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { bundle, openServer } from './faces.js';
import { openBrowser, until } from './harness.js';

const FACE = `import * as rtcstats from 'rtctrace/rtcstats'; Object.assign(window, rtcstats);`;
const tables = JSON.parse(readFileSync(new URL('../../tests/fixtures/rtcstats-tables.json', import.meta.url), 'utf8'));
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

describe("upstream's client", () => {
  let browser;
  let server;
  let greet = () => {};
  let pages = 0;

  before(async () => {
    browser = await openBrowser();
    const script = await bundle(FACE);
    server = await openServer({ '/': script, '/forbidden': script }, (...given) => greet(...given), { '/forbidden': "script-src 'self'" });
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  /** A page with the face, in which `script` ran. Its sockets have a path of their own. */
  async function open(script, path = '/') {
    const page = await browser.context.newPage();
    const [errors, warnings] = [[], []];
    page.on('pageerror', (error) => errors.push(error));
    page.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()));
    const name = `/page${(pages += 1)}`;
    await page.addInitScript((url) => (window.url = url), `${server.endpoint}${name}?rtcstats-token=abc`);
    await page.goto(`${server.url}${path}`);
    const result = await page.evaluate(script);
    const sockets = () => server.at(name);
    const lines = (index = 0) => sockets()[index]?.messages.map((text) => JSON.parse(text)) ?? [];
    return { page, errors, warnings, result, sockets, lines };
  }

  describe('WebSocketTrace', () => {
    it('sends a line per frame: those before the socket, those while it opens, then how long it took', async () => {
      const before = Date.now();
      const { page, sockets, lines } = await open(async () => {
        const trace = new WebSocketTrace();
        window.trace = trace;
        trace(':early', null, { a: [1, undefined] }, 'x', undefined);
        trace('createOffer', 'PC_7');
        trace.connect(window.url);
        trace(':while', null, 'text');
      });
      await until(() => lines().length === 5);
      await page.evaluate(() => window.trace(':late', null, null));
      await until(() => lines().length === 6);
      assert.equal(sockets()[0].protocol, 'rtcstats#5.0');
      assert.equal(sockets()[0].url.search, '?rtcstats-token=abc');
      assert.deepEqual(lines().map((line) => line.slice(0, 2)), [
        [':early', null],
        [tables.methods.encode.createOffer, 'PC_7'],
        [tables.methods.encode.create, null],
        [':while', null],
        ['websocket', null],
        [':late', null],
      ]);
      assert.deepEqual(lines()[0].slice(2, -1), [{ a: [1, null] }, 'x', null]);
      assert.deepEqual(lines()[1].slice(2, -1), [null]);
      assert.deepEqual(Object.keys(lines()[4][2]), ['connectionTime']);
      const times = lines().map((line) => line.at(-1));
      assert.ok(times[0] >= before && times[0] <= Date.now(), 'the first is absolute');
      assert.ok(times.slice(1).every((time) => time >= 0 && time < 10_000), 'the others are steps');
      const about = lines()[2][2];
      assert.deepEqual(Object.keys(about.screen), ['width', 'height', 'devicePixelRatio']);
      assert.equal(about.hardwareConcurrency, await page.evaluate(() => navigator.hardwareConcurrency));
      assert.ok(!('reloadCount' in about));
      await page.close();
    });

    it('works with and without new, takes a connection for its id, and survives what is no JSON', async () => {
      const { page, lines } = await open(() => {
        const trace = WebSocketTrace();
        const connection = new RTCPeerConnection();
        connection.__rtcStatsId = 'PC_5';
        const cycle = {};
        cycle.self = cycle;
        trace(':a', connection, 1);
        trace(':b', new RTCPeerConnection(), 1n);
        trace(':c', null, cycle);
        trace.connect(new URL(window.url));
        return trace instanceof Function;
      });
      await until(() => lines().length === 5);
      assert.deepEqual(lines().slice(0, 3).map((line) => line.slice(0, 3)), [[':a', 'PC_5', 1], [':b', null, null], [':c', null, null]]);
      await page.close();
    });

    it('makes a session of each socket', async () => {
      const { page, sockets, lines } = await open(() => {
        window.trace = new WebSocketTrace();
        window.trace.connect(window.url);
      });
      await until(() => lines().length === 2);
      await page.evaluate(() => {
        window.trace.close();
        window.trace(':between', null, 1);
        window.trace.connect(window.url);
      });
      await until(() => lines(1).length === 3);
      await until(() => sockets()[0].closed === 1005);
      assert.deepEqual(lines(1).map(([method]) => method), [':between', tables.methods.encode.create, 'websocket']);
      assert.ok(lines(1)[0].at(-1) > 1e12, 'its first time is absolute');
      // Without a close in between, too, and however early.
      await page.evaluate(() => {
        window.trace.connect(window.url);
        window.trace(':kept', null, 1);
        window.trace.connect(window.url);
      });
      await until(() => lines(sockets().length - 1).length >= 4);
      const last = lines(sockets().length - 1);
      assert.deepEqual(last.map(([method]) => method), [tables.methods.encode.create, ':kept', tables.methods.encode.create, 'websocket']);
      assert.ok(last[0].at(-1) > 1e12 && last.slice(1).every((line) => line.at(-1) < 10_000));
      await page.close();
    });

    it('counts reloads where it is asked to', async () => {
      const { page } = await open(() => WebSocketTrace({ countReloads: false }));
      const stored = () => page.evaluate(() => sessionStorage.getItem('rtcstatsReloadCount'));
      assert.equal(await stored(), null);
      const count = () => page.evaluate(() => void (window.trace = WebSocketTrace({ countReloads: true })));
      await count();
      assert.equal(await stored(), '0');
      await page.evaluate(() => sessionStorage.setItem('rtcstatsReloadCount', '15'));
      await count();
      assert.equal(await stored(), '16');
      await page.evaluate(() => window.trace.connect(window.url));
      await page.evaluate(() => window.trace.close());
      assert.equal(await stored(), null);
      await page.close();
    });

    it('says that it was refused, and sends to the next server what waits', async () => {
      greet = (socket) => socket.close(1008);
      const { page, sockets, lines, errors } = await open(() => {
        window.said = [];
        window.trace = WebSocketTrace({ log: (...what) => { window.said.push(what.map(String)); throw new Error('log'); } });
        window.trace.connect(window.url);
      });
      await until(() => page.evaluate(() => window.said.length === 1));
      const told = 'rtcstats websocket connection closed with error=1008. Typically this means authorization is required and failed.';
      assert.equal(await page.evaluate(() => window.said[0][0]), told);
      greet = () => {};
      await page.evaluate(() => window.trace(':waits', null, 1));
      await sleep(1200);
      assert.equal(sockets().length, 1, 'no socket is opened by itself');
      await page.evaluate(() => window.trace.connect(window.url));
      await until(() => lines(1).length >= 3);
      assert.equal(lines(1)[0][0], ':waits');
      await page.evaluate(() => window.trace.connect('http:nonsense:'));
      assert.equal(errors.length, 0);
      await page.close();
    });

    it('opens another session when a socket is lost, and loses nothing that was traced since', async () => {
      const { page, sockets, lines, errors } = await open(() => {
        window.trace = WebSocketTrace();
        window.trace.connect(window.url);
      });
      await until(() => lines().length === 2);
      sockets()[0].socket.terminate();
      const sent = await page.evaluate(async () => {
        const sent = [];
        for (let n = 0; sent.length < 20; n += 1) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          window.trace(':n', null, n);
          sent.push(n);
        }
        return sent;
      });
      await until(() => lines(1).some(([, , value]) => value === 19));
      const numbers = [...lines(0), ...lines(1)].filter(([method]) => method === ':n').map(([, , value]) => value);
      assert.deepEqual(numbers, sent);
      const again = lines(1).map(([method]) => method).filter((method) => method !== ':n');
      assert.deepEqual(again, [tables.methods.encode.create, 'websocket']);
      assert.ok(lines(1)[0].at(-1) > 1e12);
      assert.deepEqual(errors, []);
      await page.close();
    });

    it('is bounded: reports go first, and the session says so', async () => {
      const { page, lines } = await open(() => {
        const trace = WebSocketTrace();
        const text = 'x'.repeat(1 << 16);
        for (let n = 0; n < 100; n += 1) trace(n % 2 ? 'getStats' : ':event', 'PC_0', text);
        trace.connect(window.url);
      });
      await until(() => lines().some(([method]) => method === 'websocket'), 20_000);
      const count = (wanted) => lines().filter(([method]) => method === wanted).length;
      const dropped = lines().filter(([method]) => method === ':rtctrace.dropped').map(([, , value]) => value);
      assert.equal(count(':event'), 50);
      assert.equal(dropped.length, 1);
      assert.equal(count(tables.methods.encode.getStats) + dropped[0].reports, 50);
      assert.ok(dropped[0].bytes >= dropped[0].reports << 16);
      await page.close();
    });
  });

  describe('what a function of the application is called with', () => {
    /** What was traced until now, as plain data; `undefined` becomes the text. */
    const take = (page) => page.evaluate(() => {
      const plain = (value) => (value === undefined ? 'undefined' : JSON.parse(JSON.stringify(value)));
      return window.traced.splice(0).map((args) => args.map(plain));
    });

    const observe = () => open(() => {
      window.traced = [];
      const trace = (...args) => window.traced.push(args);
      wrapRTCPeerConnection(trace, {}, {});
      wrapRTCPeerConnection(trace, { RTCPeerConnection: function mock() {} }, {});
      wrapGetUserMedia(trace, {});
      wrapGetUserMedia(trace, { navigator: { mediaDevices: {} } });
      wrapEnumerateDevices(trace, {});
      wrapEnumerateDevices(trace, { navigator: { mediaDevices: {} } });
      window.native = RTCPeerConnection;
      for (let twice = 0; twice < 2; twice += 1) {
        wrapRTCPeerConnection(trace, window, { getStatsInterval: 200 });
        wrapGetUserMedia(trace, window);
        wrapEnumerateDevices(trace, window);
      }
    });

    it('is upstream\'s: names, values, extras, undefined', async () => {
      const { page, errors } = await observe();
      const events = async (script) => {
        const result = await page.evaluate(script);
        return { result, events: await take(page) };
      };
      const U = 'undefined';

      const created = await events(() => {
        const configuration = { iceServers: [{ urls: 'turn:example.com', username: 'test', credential: 'test' }] };
        const ids = [new RTCPeerConnection(), new RTCPeerConnection(configuration), new RTCPeerConnection(null, { old: 'x' })].map((pc) => {
          const id = pc.__rtcStatsId;
          const own = Object.hasOwn(pc, '__rtcStatsId');
          pc.close();
          return [id, own];
        });
        return { ids, credential: configuration.iceServers[0].credential };
      });
      assert.deepEqual(created.result, { ids: [['PC_0', true], ['PC_1', true], ['PC_2', true]], credential: 'test' });
      assert.deepEqual(created.events, [
        ['create', 'PC_0', U],
        ['create', 'PC_1', { iceServers: [{ urls: 'turn:example.com', username: 'test' }] }],
        ['create', 'PC_2', U],
        ['constraints', 'PC_2', { old: 'x' }],
        ['close', 'PC_0', U],
        ['close', 'PC_1', U],
        ['close', 'PC_2', U],
      ]);

      const offered = await events(async () => {
        window.pc = new RTCPeerConnection({});
        const offer = await pc.createOffer();
        await pc.setLocalDescription(offer);
        pc.setConfiguration({ iceServers: [{ urls: 'turn:example.com', username: 'test', credential: 'test' }] });
        pc.restartIce();
        pc.createDataChannel('a');
        pc.createDataChannel('b', { ordered: true });
        return offer.sdp;
      });
      assert.deepEqual(offered.events, [
        ['create', 'PC_3', {}],
        ['createOffer', 'PC_3', U, '2-0'],
        ['createOfferOnSuccess', 'PC_3', { type: 'offer', sdp: offered.result }, '2-0'],
        ['setLocalDescription', 'PC_3', { type: 'offer', sdp: 'v=\r\n' }, '6-0'],
        ['onsignalingstatechange', 'PC_3', 'have-local-offer'],
        ['setLocalDescriptionOnSuccess', 'PC_3', U, '6-0'],
        ['setConfiguration', 'PC_3', { iceServers: [{ urls: 'turn:example.com', username: 'test' }] }],
        ['restartIce', 'PC_3', U],
        ['createDataChannel', 'PC_3', ['a']],
        ['createDataChannel', 'PC_3', ['b', { ordered: true }]],
      ]);

      const implicit = await events(async () => {
        pc.close();
        pc = new RTCPeerConnection();
        const transceiver = pc.addTransceiver('audio');
        await pc.setLocalDescription();
        const first = pc.localDescription.sdp;
        await pc.setLocalDescription({ type: 'rollback' });
        await pc.createAnswer().catch(() => {});
        await pc.addIceCandidate({ candidate: 'candidate:1 1 udp 1 192.0.2.1 1 typ host', sdpMid: '0' }).catch(() => {});
        pc.close();
        return { first, name: transceiver.receiver.track.id };
      });
      const { first, name } = implicit.result;
      const calls = implicit.events.filter(([method]) => !method.startsWith('on') && method !== 'close');
      assert.deepEqual(calls.map((event) => event.with(2, /OnFailure$/.test(event[0]) ? typeof event[2] : event[2])), [
        ['create', 'PC_4', U],
        ['addTransceiver', 'PC_4', ['audio']],
        ['addTransceiverOnSuccess', 'PC_4', null, name],
        ['setLocalDescription', 'PC_4', null, '6-1'],
        ['setLocalDescriptionOnSuccess', 'PC_4', { type: 'offer', sdp: first }, '6-1'],
        ['setLocalDescription', 'PC_4', { type: 'rollback' }, '6-2'],
        ['setLocalDescriptionOnSuccess', 'PC_4', U, '6-2'],
        ['createAnswer', 'PC_4', U, '4-0'],
        ['createAnswerOnFailure', 'PC_4', 'string', '4-0'],
        ['addIceCandidate', 'PC_4', { candidate: 'candidate:1 1 udp 1 192.0.2.1 1 typ host', sdpMid: '0' }, '10-0'],
        ['addIceCandidateOnFailure', 'PC_4', 'string', '10-0'],
      ]);
      assert.deepEqual(implicit.events.find(([method]) => method === 'onnegotiationneeded') ?? ['onnegotiationneeded', 'PC_4', U], ['onnegotiationneeded', 'PC_4', U]);

      const media = await events(async () => {
        await navigator.mediaDevices.getUserMedia({ video: { width: { min: 65536 }, height: 65536 } }).catch(() => {});
        const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
        const [track] = stream.getTracks();
        track.enabled = false;
        track.enabled = true;
        const devices = await navigator.mediaDevices.enumerateDevices();
        navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
        track.stop();
        track.stop();
        return { stream: stream.id, track: track.id, label: track.label, devices: JSON.parse(JSON.stringify(devices)) };
      });
      const { stream, track, label, devices } = media.result;
      assert.deepEqual(media.events, [
        ['navigator.mediaDevices.getUserMedia', null, { video: { width: { min: 65536 }, height: 65536 } }, '60-0'],
        ['navigator.mediaDevices.getUserMediaOnFailure', null, 'OverconstrainedError', '60-0'],
        ['navigator.mediaDevices.getUserMedia', null, { audio: true }, '60-1'],
        ['navigator.mediaDevices.getUserMediaOnSuccess', null, [['audio', track, label, stream]], '60-1'],
        ['MediaStreamTrack.enabled', null, false, track],
        ['MediaStreamTrack.enabled', null, true, track],
        ['navigator.mediaDevices.enumerateDevices', null, devices],
        ['navigator.mediaDevices.ondevicechange', null, null],
        ['MediaStreamTrack.stop', null, [], track, '60-1'],
      ]);
      assert.deepEqual(errors, []);
      await page.close();
    });

    it('holds candidates as they came, and reports that decode', async () => {
      const { page, errors } = await observe();
      const result = await page.evaluate(async () => {
        const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
        const candidates = [];
        a.onicecandidate = ({ candidate }) => { candidates.push(candidate); b.addIceCandidate(candidate).catch(() => {}); };
        b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate).catch(() => {});
        a.createDataChannel('test');
        const opened = new Promise((resolve) => (b.ondatachannel = resolve));
        await a.setLocalDescription();
        await b.setRemoteDescription(a.localDescription);
        await b.setLocalDescription();
        await a.setRemoteDescription(b.localDescription);
        const { channel } = await opened;
        await new Promise((resolve) => setTimeout(resolve, 700));
        a.close();
        b.close();
        await new Promise((resolve) => setTimeout(resolve, 400));
        const of = (method, id) => window.traced.filter((event) => event[0] === method && event[1] === id);
        return {
          same: of('onicecandidate', 'PC_0').every(([, , candidate], index) => candidate === candidates[index]),
          candidates: candidates.length,
          channel: [of('ondatachannel', 'PC_1')[0][2], [channel.id, channel.label]],
          reports: of('getStats', 'PC_0').map(([, , report, ...extra]) => ({ report, extra })),
          last: window.traced.filter((event) => event[1] === 'PC_0').at(-1)[0],
        };
      });
      assert.equal(result.same, true);
      assert.ok(result.candidates > 0);
      assert.deepEqual(...result.channel);
      assert.ok(result.reports.length >= 3, `${result.reports.length} reports`);
      assert.deepEqual(result.reports.map(({ extra }) => extra), [['connected-0'], ...Array(result.reports.length - 1).fill([])]);
      assert.ok(result.reports.every(({ report }) => report.t > 1e12));
      const types = Object.values(result.reports[0].report).map((entry) => entry[tables.properties?.encode?.type ?? 'type'] ?? entry.type);
      assert.ok(types.length > 3);
      assert.equal(result.last, 'close', 'nothing comes after the end');
      assert.deepEqual(errors, []);
      await page.close();
    });
  });

  it('runs a page as it is where WebAssembly is forbidden, and says so once', async () => {
    greet = () => {};
    const page = await browser.context.newPage();
    const warnings = [];
    page.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()));
    await page.goto(`${server.url}/forbidden`);
    const result = await page.evaluate((url) => {
      const native = [RTCPeerConnection, navigator.mediaDevices.getUserMedia, navigator.mediaDevices.enumerateDevices];
      const trace = wrapRTCStatsWithDefaultOptions();
      const now = [RTCPeerConnection, navigator.mediaDevices.getUserMedia, navigator.mediaDevices.enumerateDevices];
      trace.connect(url);
      trace(':still', null, 1);
      new RTCPeerConnection().close();
      return now.every((value, index) => value === native[index]);
    }, `${server.endpoint}/forbidden-socket`);
    assert.equal(result, true, 'nothing is wrapped');
    await until(() => server.at('/forbidden-socket')[0]?.messages.length === 3);
    assert.deepEqual(server.at('/forbidden-socket')[0].messages.map((text) => JSON.parse(text)[0]), ['create', ':still', 'websocket']);
    assert.equal(warnings.filter((text) => text.includes('rtctrace')).length, 1, String(warnings));
    await page.close();
  });

  it('writes lines as those in the recordings of that client', async () => {
    greet = () => {};
    const known = shapesOf(
      ['loopback-av-60s', 'rich-session'].flatMap((name) =>
        readFileSync(new URL(`../../tests/fixtures/recordings/${name}.jsonl`, import.meta.url), 'utf8').trim().split('\n').slice(2).map((line) => JSON.parse(line)),
      ),
    );
    const { page, lines, errors } = await open(async () => {
      const trace = wrapRTCStatsWithDefaultOptions({ getStatsInterval: 200, countReloads: true });
      trace.connect(window.url);
      await navigator.mediaDevices.enumerateDevices();
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 480 } });
      const [a, b] = [new RTCPeerConnection({ bundlePolicy: 'max-bundle' }), new RTCPeerConnection()];
      for (const track of stream.getTracks()) a.addTrack(track, stream);
      const video = document.body.appendChild(document.createElement('video'));
      b.ontrack = ({ streams }) => { video.srcObject = streams[0]; video.play().catch(() => {}); };
      a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate).catch(() => {});
      b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate).catch(() => {});
      const offer = await a.createOffer();
      await a.setLocalDescription(offer);
      await b.setRemoteDescription(offer);
      await b.setLocalDescription();
      await a.setRemoteDescription(b.localDescription);
      await new Promise((resolve) => setTimeout(resolve, 2500));
      const sender = a.getSenders()[1];
      await sender.setParameters(sender.getParameters());
      await sender.replaceTrack(null);
      a.removeTrack(sender);
      a.close();
      b.close();
      for (const track of stream.getTracks()) track.stop();
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    const ours = shapesOf(lines());
    for (const [method, shapes] of ours) {
      for (const shape of shapes) assert.ok(known.get(method)?.has(shape), `${method}: ${shape}; known are ${[...(known.get(method) ?? [])].slice(0, 5).join(' | ')}`);
    }
    assert.ok(ours.size > 25, `${ours.size} methods`);
    assert.deepEqual(errors, []);
    await page.close();
  });
});

/** How the lines of each method look: types, lengths and names of members, as far as they are the same for every browser and call. */
function shapesOf(lines) {
  const shape = (value) => {
    if (value === null || typeof value !== 'object') return typeof value === 'string' && UUID.test(value) ? 'id' : value === null ? 'null' : typeof value;
    if (Array.isArray(value)) return `[${[...new Set(value.map(shape))].sort().join()}]`;
    return `{${Object.keys(value).sort().join()}}`;
  };
  const methods = new Map();
  for (const [token, connection, value, ...rest] of lines) {
    const extra = rest.slice(0, -1).map(shape);
    let text = shape(value);
    if (token === tables.methods.encode.getStats || token === 'g') text = 'report';
    // What they were given differs from call to call.
    if ([tables.methods.encode.create, tables.methods.encode.constraints, 60].includes(token) && connection !== undefined) text = value === null ? 'null' : 'object';
    if (!methods.has(token)) methods.set(token, new Set());
    methods.get(token).add(`${connection === null ? 'page' : 'connection'} ${text} ${extra.join()}`);
  }
  return methods;
}
