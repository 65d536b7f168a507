// Jitsi's client and its drop-in face, in two pages that do the same before a server that answers as theirs does.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import SDPUtils from 'sdp';

import { bundle, openServer } from './faces.js';
import { openBrowser, until } from './harness.js';

const EXPOSE = 'Object.assign(window, { init, traceInit });';
const THEIRS = `import init from '@jitsi/rtcstats/rtcstats'; import traceInit from '@jitsi/rtcstats/trace-ws'; ${EXPOSE}`;
const OURS = `import init from 'rtctrace/jitsi/rtcstats'; import traceInit from 'rtctrace/jitsi/trace-ws'; ${EXPOSE}`;
const INITIAL = JSON.stringify({ type: 'sn', body: { value: 0, state: 'initial' } });

/** A message with its entry read. */
const read = (text) => {
  const { statsSessionId, type, data, ...rest } = JSON.parse(text);
  assert.deepEqual(rest, {});
  return { session: statsSessionId, type, entry: typeof data === 'string' ? JSON.parse(data) : data };
};

/** Candidates as their library writes them: it leaves out what it does not know. Ours keeps that. */
const candidate = (text) => SDPUtils.writeCandidate(SDPUtils.parseCandidate(text));

const isCandidate = (text) => /^(a=)?candidate:/.test(text);

/** What two pages have in common: everything but ids, times and random numbers. */
function shape(value, name = '') {
  if (name === 'usernameFragment') return typeof value;
  if (typeof value === 'number') return ['timestamp', ''].includes(name) || value > 1e6 ? '<number>' : typeof value;
  if (typeof value === 'string') {
    if (isCandidate(value)) return shape(candidate(value).replace(/^a=/, '').replace(/:/, ' '));
    if (value.includes('\r\n')) {
      // How many there are depends on what the browser finds in this moment, of which address family they are too.
      const lines = value.split('\r\n').map((line) => (isCandidate(line) ? `a=${shape(line).replace(/x[.:x]+x/, '<address>')}` : shape(line.replace(/^(\w)=/, '$1 '))));
      return lines.filter((line, index) => line !== lines[index - 1] || !line.startsWith?.('a=candidate'));
    }
    return value
      .replace(/[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g, '<id>')
      .replace(/(sha-256) .*/, '$1 <fingerprint>')
      .replace(/(ufrag|pwd|cname)[ :]\S+/g, '$1 <secret>')
      .replace(/\d+/g, '<n>');
  }
  if (Array.isArray(value)) return value.map((item) => shape(item));
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shape(item, key)]));
  }
  return value;
}

describe("Jitsi's dialect", () => {
  let browser;
  let server;
  /** What the server does with a socket. */
  let greet;
  let pages = 0;

  before(async () => {
    browser = await openBrowser();
    server = await openServer({ '/theirs': await bundle(THEIRS), '/ours': await bundle(OURS) }, (...given) => greet(...given));
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  /** Runs a script in a page with a client. Their name of the meeting is the page's: it is the path of its sockets. */
  async function open(client, script) {
    const page = await browser.context.newPage();
    const meeting = `${client}${(pages += 1)}`;
    const errors = [];
    page.on('pageerror', (error) => errors.push(error));
    await page.goto(`${server.url}/${client}`);
    await page.evaluate((options) => {
      // Waits for a new socket are random.
      Math.random = () => 0;
      window.closes = [];
      window.trace = window.traceInit({ ...options, onCloseCallback: (event) => window.closes.push(event) });
    }, { endpoint: server.endpoint, meetingFqn: meeting });
    const result = await page.evaluate(script);
    return { page, result, errors, sockets: () => server.at(`/${meeting}`), meeting };
  }

  const both = (script) => Promise.all(['theirs', 'ours'].map((client) => open(client, script)));

  it('has the names that their application compares with', async () => {
    const theirs = await import('@jitsi/rtcstats/events.js');
    const ours = await import('rtctrace/jitsi/events');
    assert.deepEqual({ ...ours }, { ...theirs });
  });

  describe('trace-ws', () => {
    it('says the same, through a reconnect, a breakout room and the end', async () => {
      greet = (socket) => socket.send(INITIAL);
      const clients = await both(() => {
        const candidate = 'candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host generation 0 ufrag abcd network-id 1';
        window.trace.statsEntry('onicecandidate', 'PC_0', { candidate, sdpMid: '0', sdpMLineIndex: 0 });
        window.trace.statsEntry('onicecandidate', 'PC_0', null);
        window.trace.statsEntry('onnegotiationneeded', 'PC_0', undefined);
        window.trace.identity('identity', null, { confName: 'room', deploymentInfo: { region: 'eu' } });
        const before = [window.trace.isConnected(), window.trace.isClosed()];
        window.trace.connect(false);
        return before;
      });
      const results = [];
      for (const { page, result, sockets, errors } of clients) {
        assert.deepEqual(result, [false, true]);
        await until(() => sockets()[0]?.messages.length === 4);
        await page.evaluate(() => {
          const { trace } = window;
          const sdp = [
            'v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'c=IN IP4 203.0.113.9', 'a=rtcp:9 IN IP4 203.0.113.9',
            'a=candidate:1 1 udp 2113937151 2001:db8::7 50001 typ host generation 0',
            'a=candidate:2 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active generation 0',
            'a=candidate:3 1 udp 1677729535 203.0.113.9 50001 typ srflx raddr 192.0.2.7 rport 50001 generation 0',
            'a=candidate:4 1 udp 33562367 198.51.100.1 50002 typ relay raddr 203.0.113.9 rport 50001 generation 0',
            'a=candidate:5 1 ssltcp 33562367 198.51.100.1 443 typ host', 'a=ice-ufrag:abcd', '',
          ].join('\r\n');
          for (const method of ['createOfferOnSuccess', 'setLocalDescription', 'setRemoteDescription', 'createAnswerOnSuccess']) {
            trace.statsEntry(method, 'PC_0', { type: 'offer', sdp });
          }
          trace.statsEntry('setLocalDescription', 'PC_0', '');
          trace.statsEntry('addIceCandidate', 'PC_0', { candidate: 'candidate:4 1 UDP 33562367 198.51.100.1 50002 typ relay raddr 2001:db8::1 rport 5 ufrag ab' });
          trace.statsEntry('addIceCandidate', 'PC_0', { candidate: '' });
          trace.statsEntry('addIceCandidate', 'PC_0', null);
          trace.statsEntry('getstats', 'PC_0', {
            L: { type: 'local-candidate', address: '192.0.2.7', ip: '192.0.2.7', candidateType: 'host', timestamp: 0 },
            R: { type: 'local-candidate', address: '198.51.100.1', candidateType: 'relay', timestamp: 0 },
            S: { type: 'remote-candidate', address: '2001:db8::7', candidateType: 'srflx', timestamp: 0 },
            timestamp: 1700000000000.5,
          });
          trace.statsEntry('dominantSpeaker', null, { dominantSpeakerEndpoint: 'a' });
          trace.keepAlive();
        });
        await until(() => sockets()[0].messages.length === 15);
        assert.deepEqual(await page.evaluate(() => [window.trace.isConnected(), window.trace.isClosed()]), [true, false]);

        sockets()[0].socket.terminate();
        await until(() => page.evaluate(() => window.closes.length === 1));
        await page.evaluate(() => window.trace.statsEntry('e2eRtt', null, { rtt: 5 }));
        await until(() => sockets()[1]?.messages.length === 15);

        // Their own close of the socket before comes as late as the next one's first message.
        await page.evaluate(() => window.trace.connect(true));
        await until(() => sockets()[2]?.messages.length === 15);
        await page.evaluate(() => window.trace.identity('identity', null, { isBreakoutRoom: true }));
        await until(() => sockets()[2].messages.length >= 16);
        results.push(sockets().slice(0, 3).map(({ url, protocol, messages }) => ({ url, protocol, messages: messages.slice(0, 16).map(read) })));

        await page.evaluate(() => window.trace.close());
        await until(() => sockets().at(-1).closed === 3001);
        assert.deepEqual(errors, []);
        await page.close();
      }
      const [theirs, ours] = results;
      for (const [index, socket] of ours.entries()) {
        assert.equal(socket.protocol, theirs[index].protocol);
        assert.deepEqual([...socket.url.searchParams.keys()], ['statsSessionId', 'isReconnect']);
        assert.equal(socket.url.searchParams.get('isReconnect'), theirs[index].url.searchParams.get('isReconnect'));
        assert.match(socket.url.searchParams.get('statsSessionId'), /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
        for (const { session } of socket.messages) assert.equal(session, socket.url.searchParams.get('statsSessionId'));
        assert.deepEqual(socket.messages.map(({ type }) => type), theirs[index].messages.map(({ type }) => type));
        assert.deepEqual(
          socket.messages.map(({ entry }) => entry?.[4]),
          theirs[index].messages.map(({ entry }) => entry?.[4]),
          'sequence numbers',
        );
        for (const [at, { entry }] of socket.messages.entries()) {
          assert.deepEqual(shape(entry), shape(theirs[index].messages[at].entry), entry?.[0]);
        }
      }
      const [first, second, third] = ours.map(({ messages }) => messages);
      assert.equal(second[0].session, first[0].session);
      assert.notEqual(third[0].session, first[0].session);
      assert.equal(third.at(-1).entry[2].parentStatsSessionId, first[0].session);
      // What their library cannot write, ours keeps.
      assert.equal(first[0].entry[2].candidate, 'candidate:1 1 udp 2122260223 x.x.x.x 50000 typ host generation 0 ufrag abcd network-id 1');
      assert.ok(!/192\.0\.2|203\.0\.113|2001:db8/.test(JSON.stringify(ours)), 'no address is left');
      assert.ok(JSON.stringify(ours).includes('198.51.100.1'), 'addresses of relays stay');
    });

    it('does not come back after a refusal or a broken dump', async () => {
      for (const code of [3001, 3002]) {
        greet = (socket) => socket.close(code);
        for (const { page, sockets } of await both(() => window.trace.connect())) {
          await until(() => page.evaluate(() => window.closes.length === 1));
          assert.equal(await page.evaluate(() => window.closes[0].code), code);
          await sleep(1500);
          assert.equal(sockets().length, 1);
          await page.close();
        }
      }
    });

    it('keeps what the server does not have, and only that', async () => {
      greet = () => {};
      const { page, sockets } = await open('ours', () => {
        window.trace.connect();
        for (let n = 1; n <= 3000; n += 1) window.trace.statsEntry('logs', null, [n]);
      });
      await until(() => sockets().length === 1);
      const sequences = (index) => sockets()[index].messages.map((text) => read(text).entry[4]);
      const acknowledge = (index, value, state) => sockets()[index].socket.send(JSON.stringify({ type: 'sn', body: { value, state } }));
      await sleep(100);
      assert.equal(sockets()[0].messages.length, 0, 'nothing before the server has spoken');
      acknowledge(0, 0, 'initial');
      await until(() => sockets()[0].messages.length === 3000);
      assert.deepEqual(sequences(0), Array.from({ length: 3000 }, (_, index) => index + 1));
      acknowledge(0, 2000, 'batch');
      await until(() => page.evaluate(() => true));
      sockets()[0].socket.terminate();
      await until(() => sockets().length === 2);
      acknowledge(1, 2500, 'initial');
      await until(() => sockets()[1].messages.length === 500);
      assert.equal(sequences(1)[0], 2501);
      await page.close();
    });

    it('is bounded, refuses reports first, and says so', async () => {
      greet = () => {};
      const { page, result } = await open('ours', () => {
        const entry = { text: 'x'.repeat(1 << 16) };
        const kept = (type) => {
          let count = 0;
          while (window.trace.statsEntry(type, 'PC_0', entry) && count < 1000) count += 1;
          return count;
        };
        const cycle = {};
        cycle.self = cycle;
        return { reports: kept('getstats'), events: kept('logs'), report: window.trace.statsEntry('getstats', 'PC_0', {}), cycle: window.trace.statsEntry('logs', null, cycle) };
      });
      assert.deepEqual(result, { reports: 63, events: 64, report: false, cycle: false });
      await page.close();
    });

    it('goes on beyond its bound at a server that acknowledges nothing', async () => {
      greet = (socket) => socket.send(INITIAL);
      const { page, sockets } = await open('ours', () => window.trace.connect());
      await until(() => page.evaluate(() => window.trace.isConnected()));
      const kept = await page.evaluate(async () => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        let all = true;
        for (let n = 0; n < 200; n += 1) all &&= window.trace.statsEntry('getstats', 'PC_0', { text: 'x'.repeat(1 << 16) });
        return all;
      });
      assert.equal(kept, true);
      await until(() => sockets()[0].messages.length === 200);
      await page.close();
    });

    it('opens no socket after it was closed', async () => {
      greet = (socket) => socket.terminate();
      const { page, sockets } = await open('ours', () => window.trace.connect());
      await until(() => page.evaluate(() => window.closes.length === 1));
      await page.evaluate(() => window.trace.close());
      await page.evaluate(() => {
        window.trace.connect();
        window.trace.close();
      });
      await sleep(2500);
      assert.ok(sockets().length <= 2);
      await page.close();
    });

    it('leaves alone what it is given', async () => {
      greet = (socket) => socket.send(INITIAL);
      const { page, result } = await open('ours', () => {
        const description = { type: 'offer', sdp: 'v=0\r\nc=IN IP4 192.0.2.7\r\n' };
        const identity = { confName: 'room' };
        window.trace.connect(true);
        window.trace.statsEntry('createOfferOnSuccess', 'PC_0', description);
        window.trace.identity('identity', null, identity);
        return { description, identity };
      });
      assert.deepEqual(result, { description: { type: 'offer', sdp: 'v=0\r\nc=IN IP4 192.0.2.7\r\n' }, identity: { confName: 'room' } });
      await page.close();
    });
  });

  describe('a call', () => {
    /** The same in both pages: no trickle, so that what happens has one order. */
    async function call() {
      const { trace } = window;
      const events = [];
      window.init(trace, {
        connectionFilter: (configuration) => configuration?.iceServers?.[0]?.urls === 'stun:left-alone',
        pollInterval: 300,
        sendSdp: window.sendSdp,
        eventCallback: (event) => events.push(event),
      });
      trace.connect(false);
      const gathered = (pc) => new Promise((resolve) => {
        const check = () => pc.iceGatheringState === 'complete' && resolve();
        pc.addEventListener('icegatheringstatechange', check);
        check();
      });
      const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));
      await navigator.mediaDevices.getUserMedia({ video: { width: { exact: 99999 } } }).catch(() => {});
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
      const legacy = await new Promise((resolve, reject) => navigator.getUserMedia({ audio: true }, resolve, reject));
      await new Promise((resolve) => navigator.getUserMedia({ video: { width: { exact: 99999 } } }, resolve, resolve));

      const a = new RTCPeerConnection({ iceServers: [{ urls: 'turn:127.0.0.1:1?transport=tcp', username: 'u', credential: 'secret' }] }, { optional: [{ rtcStatsSFUP2P: true }] });
      const b = new RTCPeerConnection();
      const alone = new RTCPeerConnection({ iceServers: [{ urls: 'stun:left-alone' }] });
      const connected = (pc) => new Promise((resolve) => pc.addEventListener('connectionstatechange', () => pc.connectionState === 'connected' && resolve()));
      const both = Promise.all([connected(a), connected(b)]);
      a.createDataChannel('chat', { ordered: false });
      for (const track of stream.getTracks()) a.addTrack(track, stream);
      const extra = a.addTrack(legacy.getTracks()[0]);
      a.addTransceiver('video', { direction: 'recvonly' });
      a.addTransceiver('audio');
      a.removeTrack(extra);
      a.addStream(legacy);
      a.removeStream(legacy);
      const offer = await a.createOffer({ offerToReceiveAudio: true });
      await a.setLocalDescription(offer);
      await gathered(a);
      await b.setRemoteDescription({ type: 'offer', sdp: a.localDescription.sdp });
      await b.addIceCandidate({ candidate: 'candidate:1 1 udp 1 192.0.2.9 1 typ host', sdpMid: '77' }).catch(() => {});
      const answer = await new Promise((resolve, reject) => b.createAnswer(resolve, reject));
      await new Promise((resolve, reject) => b.setLocalDescription(answer, resolve, reject));
      await gathered(b);
      await a.setRemoteDescription({ type: 'answer', sdp: b.localDescription.sdp });
      await both;
      await sleep(1500);
      await window.cut();
      await sleep(2000);
      await a.createAnswer().catch(() => {});
      await a.setRemoteDescription({ type: 'answer', sdp: 'v=0\r\n' }).catch(() => {});
      const offered = await a.createOffer({ iceRestart: true });
      a.close();
      b.close();
      await sleep(500);
      return { events, ids: [a.__rtcStatsId, b.__rtcStatsId, alone.__rtcStatsId], offer: offered.sdp };
    }

    const isAsynchronous = ([method]) => /^on|^getstats/.test(method);

    /** What their server makes of a connection's reports. */
    function expand(deltas) {
      let base = {};
      return deltas.map((delta, index) => {
        const { timestamp, ...report } = structuredClone(delta);
        for (const [id, entry] of Object.entries(report)) {
          if (index && entry.timestamp === 0) entry.timestamp = timestamp;
          for (const [name, value] of Object.entries(base[id] ?? {})) entry[name] ??= value;
        }
        return (base = report);
      });
    }

    for (const sendSdp of [true, false]) {
      it(`is recorded alike, ${sendSdp ? 'with' : 'without'} descriptions`, async () => {
        greet = (socket) => socket.send(INITIAL);
        const clients = await Promise.all(['theirs', 'ours'].map(async (client) => {
          const opened = await open(client, () => {});
          const { page, sockets, errors } = opened;
          await page.exposeFunction('cut', () => sockets().at(-1).socket.terminate());
          await page.evaluate((value) => (window.sendSdp = value), sendSdp);
          const outcome = await page.evaluate(call);
          await until(() => sockets().length === 2);
          const read2 = (index) => sockets()[index].messages.map(read);
          await page.close();
          return { outcome, errors, sockets: [read2(0), read2(1)], urls: sockets().map(({ url }) => url.searchParams) };
        }));
        const [theirs, ours] = clients;
        assert.deepEqual(ours.errors, []);
        assert.deepEqual(ours.outcome.ids, ['PC_0', 'PC_1', undefined]);
        assert.deepEqual(theirs.outcome.ids.slice(0, 2), ours.outcome.ids.slice(0, 2));
        const told = ({ events }, id) => events.filter(({ body }) => body.pcId === id).sort((a, b) => a.type.localeCompare(b.type));
        for (const id of ['PC_0', 'PC_1']) assert.deepEqual(told(ours.outcome, id), told(theirs.outcome, id));

        // The second socket has it all: their server never says that it has anything.
        const entries = ({ sockets }) => sockets[1].map(({ entry }) => entry);
        const numbers = entries(ours).map((entry) => entry[4]);
        assert.deepEqual(numbers, Array.from(numbers, (_, index) => index + 1), 'numbered without a gap');
        assert.ok(ours.urls[1].get('isReconnect') === 'true' && ours.urls[1].get('statsSessionId') === ours.urls[0].get('statsSessionId'));

        // Theirs records methods of connections that it was told to leave alone, without an id.
        const calls = (client) => entries(client).filter((entry) => !isAsynchronous(entry));
        assert.deepEqual(calls(ours).map(([method, id]) => [method, id]), calls(theirs).map(([method, id]) => [method, id]));
        for (const [index, entry] of calls(ours).entries()) {
          assert.deepEqual(shape(entry.slice(0, 3)), shape(calls(theirs)[index].slice(0, 3)), entry[0]);
        }
        const events = (client, id) => entries(client).filter((entry) => isAsynchronous(entry) && entry[1] === id && entry[0] !== 'getstats');
        for (const id of ['PC_0', 'PC_1']) {
          const methods = new Set([...events(theirs, id), ...events(ours, id)].map(([method]) => method));
          assert.ok(methods.size >= 7, [...methods].join());
          for (const method of methods) {
            const values = (client) => events(client, id).filter((entry) => entry[0] === method).map((entry) => shape(entry[2]));
            // Which addresses it finds, and in which order, is up to the browser.
            const kinds = (client) => [...new Set(values(client).map((value) => JSON.stringify(value).replace(/x[.:x]+x/g, '<address>')))].sort();
            if (method === 'onicecandidate') assert.deepEqual(kinds(ours), kinds(theirs), `${method} of ${id}`);
            else assert.deepEqual(values(ours), values(theirs), `${method} of ${id}`);
          }
          const reports = (client) => expand(entries(client).filter(([method, of]) => method === 'getstats' && of === id).map((entry) => entry[2]));
          const members = (client) => {
            const found = {};
            for (const entry of reports(client).flatMap(Object.values)) {
              const names = (found[entry.type] ??= new Set());
              // When the other end's certificate is known, is up to the browser.
              for (const name of Object.keys(entry)) if (name !== 'remoteCertificateId') names.add(name);
            }
            return Object.fromEntries(Object.entries(found).map(([type, names]) => [type, [...names].sort()]).sort());
          };
          assert.ok(reports(ours).length >= 8, `${reports(ours).length} reports`);
          assert.ok(Math.abs(reports(ours).length - reports(theirs).length) <= 4);
          assert.deepEqual(members(ours), members(theirs));
        }
        assert.ok(!JSON.stringify(entries(ours)).includes('secret'));
      });
    }

    it('builds reports on those that were kept', async () => {
      const { page, result } = await open('ours', async () => {
        const [entries, seen] = [[], []];
        const { getStats } = RTCPeerConnection.prototype;
        RTCPeerConnection.prototype.getStats = async function () {
          const report = await getStats.call(this);
          if (this.__rtcStatsId === 'PC_0') seen.push(Object.fromEntries(report));
          return report;
        };
        let count = 0;
        const statsEntry = (type, id, value) => {
          if (type !== 'getstats' || id !== 'PC_0') return true;
          count += 1;
          const kept = count % 3 !== 0;
          if (kept) entries.push(structuredClone(value));
          else seen.splice(-1);
          return kept;
        };
        window.init({ statsEntry }, { pollInterval: 100 });
        const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
        a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate);
        b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate);
        a.createDataChannel('test');
        await a.setLocalDescription();
        await b.setRemoteDescription(a.localDescription);
        await b.setLocalDescription();
        await a.setRemoteDescription(b.localDescription);
        await new Promise((resolve) => setTimeout(resolve, 1500));
        a.close();
        b.close();
        await new Promise((resolve) => setTimeout(resolve, 300));
        return { entries, seen: seen.slice(0, entries.length) };
      });
      assert.ok(result.entries.length >= 8, `${result.entries.length} reports`);
      const expanded = expand(result.entries);
      for (const [index, report] of result.seen.entries()) {
        for (const [id, { id: _, ...entry }] of Object.entries(report)) {
          // Their first report's times stay 0, and so do those of one that the browser gives twice.
          if (expanded[index][id].timestamp === 0) entry.timestamp = 0;
          assert.deepEqual(expanded[index][id], { ...expanded[index][id], ...entry }, `${id} of report ${index}`);
        }
      }
      await page.close();
    });
  });
});
