// @ts-nocheck
// How often, and in which order, a page's own objects are asked when they are arguments.

import { canvasTrack, fakeStream, foreignOffer, sleep, withConnections } from '../tools.js';

/** An object with a getter for each member, deep, that keeps a log. */
function withGetters(value, log, path = '') {
  if (Array.isArray(value)) return value.map((item, index) => withGetters(item, log, `${path}[${index}]`));
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const object = {};
  for (const [key, member] of Object.entries(value)) {
    const inner = withGetters(member, log, `${path}.${key}`);
    Object.defineProperty(object, key, {
      enumerable: true,
      configurable: true,
      get() {
        log.push(`${path}.${key}`);
        return inner;
      },
    });
  }
  return object;
}

/** The same as a proxy, which notices what is done to it. */
function withTraps(names, value, log, path = '') {
  if (value === null || typeof value !== 'object' || ![Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value))) return value;
  const inner = Array.isArray(value) ? value.map((item, index) => withTraps(names, item, log, `${path}[${index}]`)) : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withTraps(names, item, log, `${path}.${key}`)]));
  const trap = (name) => (target, ...rest) => {
    log.push(`${name} ${path}${typeof rest[0] === 'object' || rest[0] === undefined ? '' : `.${String(rest[0])}`}`);
    return Reflect[name](target, ...rest);
  };
  return new Proxy(inner, Object.fromEntries(names.map((name) => [name, trap(name)])));
}

/** Texts as objects that say when they are asked. */
const text = (value, log) => ({
  toString() {
    log.push(`toString ${value}`);
    return value;
  },
  toJSON() {
    log.push(`toJSON ${value}`);
    return value;
  },
});

const SERVERS = [{ urls: ['stun:127.0.0.1:3479'] }, { urls: 'turn:127.0.0.1:3479', username: 'u', credential: 'c' }];

/** Each call with an argument made by `make`. */
const calls = (make, offer) => ({
  construct: () => new RTCPeerConnection(make({ iceServers: SERVERS, bundlePolicy: 'balanced', certificates: undefined, unknown: { deep: 1 } })).close(),
  constraints: () => new RTCPeerConnection({}, make({ optional: [{ rtcStatsClientId: 'x' }], mandatory: {} })).close(),
  setConfiguration: (pc) => pc.setConfiguration(make({ iceServers: SERVERS, unknown: 1 })),
  createOffer: (pc) => pc.createOffer(make({ iceRestart: true, offerToReceiveAudio: true, unknown: 1 })),
  createOfferLegacy: (pc) => pc.createOffer(() => {}, () => {}, make({ iceRestart: true })),
  createDataChannel: (pc) => pc.createDataChannel('x', make({ ordered: false, maxRetransmits: 3, protocol: 'p', unknown: 1 })),
  addTransceiver: (pc) => pc.addTransceiver('video', make({ direction: 'sendonly', sendEncodings: [{ maxBitrate: 1000, rid: 'a' }, { rid: 'b', scaleResolutionDownBy: 2 }], unknown: 1 })),
  addTransceiverStreams: (pc) => pc.addTransceiver(canvasTrack(), make({ streams: [new MediaStream()] })),
  setLocalDescription: (pc) => pc.setLocalDescription(make({ type: 'rollback', sdp: '' })).catch(() => {}),
  ownDescription: async (pc) => {
    const { type, sdp } = await pc.createOffer();
    await pc.setLocalDescription(make({ type, sdp, unknown: 1 }));
  },
  setRemoteDescription: (pc) => pc.setRemoteDescription(make({ ...offer, unknown: 1 })),
  addIceCandidate: (pc) => pc.addIceCandidate(make({ candidate: 'candidate:1 1 UDP 1 127.0.0.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: null, unknown: 1 })).catch(() => {}),
  getUserMedia: async () => {
    for (const track of (await navigator.mediaDevices.getUserMedia(make({ audio: { echoCancellation: true }, video: { width: { ideal: 320 } }, unknown: 1 }))).getTracks()) track.stop();
  },
  legacyGetUserMedia: () => {
    const name = ['getUserMedia', 'webkitGetUserMedia', 'mozGetUserMedia'].find((key) => key in navigator);
    return name && new Promise((resolve) => navigator[name](make({ audio: true }), resolve, resolve));
  },
  applyConstraints: (pc, { track }) => track.applyConstraints(make({ width: 100, advanced: [{ height: 100 }], unknown: 1 })).catch(() => {}),
  setParameters: (pc, { sender }) => sender.setParameters(make(sender.getParameters())).catch(() => {}),
  setCodecPreferences: (pc, { transceiver }) => transceiver.setCodecPreferences(make(RTCRtpReceiver.getCapabilities('video').codecs)),
  getStats: (pc) => pc.getStats(make({ unknown: 1 })).catch(() => {}),
  generateCertificate: () => RTCPeerConnection.generateCertificate(make({ name: 'ECDSA', namedCurve: 'P-256' })),
});

async function asked(decorate) {
  const offer = await foreignOffer();
  const seen = {};
  for (const [name, call] of Object.entries(calls((value) => value, offer))) {
    const log = [];
    const decorated = calls((value) => decorate(value, log), { type: offer.type, sdp: offer.sdp })[name];
    await withConnections(1, async (pc) => {
      const track = canvasTrack();
      const sender = pc.addTrack(track);
      try {
        await decorated(pc, { track, sender, transceiver: pc.getTransceivers()[0] });
      } catch (error) {
        log.push(`${error.name}: ${error.message}`);
      }
      // Whoever asks later is found too.
      await sleep(30);
    });
    seen[name] = log;
  }
  return seen;
}

export const probes = {
  getters: () => asked(withGetters),

  /** What runs code of the page's where there is no proxy, too. */
  proxies: () => asked((value, log) => withTraps(['get', 'has', 'set'], value, log)),

  /** What only a proxy notices. */
  proxyKeys: () => asked((value, log) => withTraps(['get', 'has', 'set', 'getPrototypeOf', 'ownKeys', 'getOwnPropertyDescriptor', 'isExtensible', 'defineProperty'], value, log)),

  async texts() {
    return withConnections(1, async (pc) => {
      const log = [];
      const offer = await foreignOffer();
      const run = async (name, work) => {
        log.push(`-- ${name}`);
        try {
          await work();
        } catch (error) {
          log.push(`${error.name}: ${error.message}`);
        }
      };
      await run('channel', () => pc.createDataChannel(text('label', log), { protocol: text('protocol', log) }));
      await run('kind', () => pc.addTransceiver(text('video', log), { direction: text('sendonly', log) }));
      await run('direction', () => void (pc.getTransceivers()[0].direction = text('recvonly', log)));
      await run('description', () => pc.setRemoteDescription({ type: text('answer', log), sdp: text('x', log) }));
      await run('candidate', () => pc.addIceCandidate({ candidate: text('candidate:1', log), sdpMid: text('0', log) }));
      await run('remote', () => pc.setRemoteDescription({ type: text('offer', log), sdp: text(offer.sdp, []) }));
      await run('hint', () => void (canvasTrack().contentHint = text('motion', log)));
      await run('enabled', () => void (canvasTrack().enabled = text('x', log)));
      await run('servers', () => new RTCPeerConnection({ iceServers: [{ urls: text('stun:127.0.0.1:3479', log) }], bundlePolicy: text('balanced', log) }).close());
      await run('device', () => navigator.mediaDevices.getUserMedia({ audio: { deviceId: text('x', log) } }));
      await sleep(50);
      return log;
    });
  },

  /** Members of a prototype count as much. */
  async inherited() {
    return withConnections(1, async (pc) => {
      const log = [];
      await pc.createOffer(Object.create(withGetters({ iceRestart: true, unknown: 1 }, log)));
      pc.createDataChannel('x', Object.create(withGetters({ ordered: false, toJSON: 7 }, log)));
      await sleep(30);
      return log;
    });
  },

  /** What is iterated natively is iterated once. */
  async iterables() {
    const log = [];
    const once = (name, items) => ({
      *[Symbol.iterator]() {
        log.push(`${name} begins`);
        yield* items;
        log.push(`${name} ends`);
      },
    });
    new RTCPeerConnection({ iceServers: once('servers', [{ urls: once('urls', ['stun:127.0.0.1:3479']) }]), certificates: once('certificates', []) }).close();
    return withConnections(1, async (pc) => {
      pc.addTransceiver('video', { streams: once('streams', [new MediaStream()]), sendEncodings: once('encodings', [{}]) });
      pc.getTransceivers()[0].setCodecPreferences(once('codecs', []));
      pc.setConfiguration({ iceServers: once('servers again', []) });
      await navigator.mediaDevices.getUserMedia({ audio: { deviceId: once('ids', ['x']) } }).catch((error) => log.push(error.name));
      await sleep(30);
      return log;
    });
  },

  /** Own members of tracks and streams that cover the browser's. */
  async covered() {
    const log = [];
    const cover = (object, name, value) =>
      Object.defineProperty(object, name, {
        configurable: true,
        get() {
          log.push(name);
          return value;
        },
      });
    return withConnections(1, async (pc) => {
      const stream = await fakeStream({ video: true });
      const [track] = stream.getTracks();
      for (const name of ['id', 'label', 'kind', 'toJSON', 'constructor']) cover(track, name, name === 'kind' ? 'video' : undefined);
      for (const name of ['id', 'getTracks', 'toJSON']) cover(stream, name, undefined);
      const sender = pc.addTrack(track, stream);
      await sender.replaceTrack(track);
      pc.addTransceiver(canvasTrack(), { streams: [stream] });
      document.createElement('video').srcObject = stream;
      for (const name of ['signalingState', 'connectionState', 'localDescription', 'getConfiguration', 'getTransceivers', 'toJSON', 'constructor']) cover(pc, name, undefined);
      cover(sender, 'track', undefined);
      await pc.setLocalDescription();
      await sender.setParameters(sender.getParameters());
      await sleep(300);
      track.stop();
      return log;
    });
  },

  /** What the page changes after a call is not what it called with, and what it passed is not changed. */
  async untouched() {
    return withConnections(1, async (pc) => {
      const configuration = { iceServers: [{ urls: 'turn:127.0.0.1:3479', username: 'u', credential: 'c' }] };
      const kept = JSON.stringify(configuration);
      new RTCPeerConnection(configuration).close();
      pc.setConfiguration(configuration);
      const frozen = Object.freeze({ iceRestart: true });
      const offer = await pc.createOffer(frozen);
      const description = { type: offer.type, sdp: offer.sdp };
      const done = pc.setLocalDescription(description);
      description.sdp = 'changed';
      await done;
      const parameters = pc.addTransceiver('video').sender.getParameters();
      const before = JSON.stringify(parameters);
      await pc.getSenders()[0].setParameters(parameters);
      const constraints = Object.freeze({ audio: Object.freeze({ echoCancellation: true }) });
      await navigator.mediaDevices.getUserMedia(constraints);
      return [JSON.stringify(configuration) === kept, pc.localDescription.sdp === offer.sdp, JSON.stringify(parameters) === before, pc.getConfiguration().iceServers[0].credential];
    });
  },

  async oddObjects() {
    return withConnections(1, async (pc) => {
      const cyclic = { ordered: true };
      cyclic.self = cyclic;
      const bare = Object.assign(Object.create(null), { ordered: true });
      const revoked = Proxy.revocable({}, {});
      revoked.revoke();
      const deep = {};
      let inner = deep;
      for (let level = 0; level < 10_000; level += 1) inner = inner.next = {};
      const seen = [];
      for (const options of [cyclic, bare, deep, revoked.proxy, { big: 1n, toJSON: 7 }, Object.freeze({ ordered: false }), { toJSON() { seen.push('toJSON'); return {}; } }, { toJSON() { throw new Error('mine'); } }, new Date(0), [], () => {}, null, undefined]) {
        try {
          const args = ['x', options];
          const channel = pc.createDataChannel.apply(pc, args);
          seen.push([channel.ordered, args.length, args[1] === options]);
        } catch (error) {
          seen.push(`${error.constructor.name}: ${error.message}`);
        }
      }
      return seen;
    });
  },
};
