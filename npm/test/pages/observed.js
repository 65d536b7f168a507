// What a page does that is observed. Each function gives back what was seen meanwhile, and as `facts` what the page itself knows.

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function until(condition) {
  for (let left = 400; left; left -= 1) {
    const value = condition();
    if (value) return value;
    await sleep(25);
  }
  throw new Error(`this did not come true: ${condition}`);
}

/** Does `work` and gives back what was seen of it. */
async function seenOf(work) {
  const { seen } = window;
  const from = seen.moments.length;
  const facts = await work();
  await sleep(50);
  const { moments, ...rest } = seen;
  return { facts, moments: moments.slice(from), ...rest };
}

const nextEvent = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
const failing = (promise) => promise.then(() => 'no failure', String);
const describeTrack = (track, ...streams) => [track.kind, track.id, track.label, ...streams.map(({ id }) => id)];

/** An event that the browser would send only in circumstances which a test cannot bring about. */
const pretend = (target, type, members = {}) => target.dispatchEvent(Object.assign(new Event(type), members));

function connect(a, b) {
  a.addEventListener('icecandidate', ({ candidate }) => b.signalingState !== 'closed' && b.addIceCandidate(candidate).catch(() => {}));
  b.addEventListener('icecandidate', ({ candidate }) => a.signalingState !== 'closed' && a.addIceCandidate(candidate).catch(() => {}));
}

async function negotiate(a, b) {
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
}

const isConnected = (...connections) => until(() => connections.every(({ connectionState }) => connectionState === 'connected'));

/** Creation, configuration and identity. */
export const creation = () =>
  seenOf(async () => {
    const certificate = await RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' });
    const iceServers = [{ urls: ['turn:127.0.0.1:3478?transport=udp'], username: 'someone', credential: 'secret' }];
    const constraints = { optional: [{ rtcStatsClientId: 'ann' }, { rtcStatsPeerId: 'bob' }, { rtcStatsConferenceId: 'room' }, { other: 1 }] };
    const first = new RTCPeerConnection({ iceServers, certificates: [certificate] }, constraints);
    first.setConfiguration({ iceServers, certificates: [certificate] });
    class Mine extends RTCPeerConnection {}
    const second = new Mine();
    const third = new (window.webkitRTCPeerConnection ?? RTCPeerConnection)({ bundlePolicy: 'max-bundle' }, { label: 'x' });
    const numbers = [first, second, third, {}, null].map((each) => window.connectionNumber(each) ?? null);
    for (const each of [first, second, third]) each.close();
    const fingerprints = JSON.parse(JSON.stringify(certificate.getFingerprints?.() ?? null));
    return { numbers, expires: certificate.expires, fingerprints, constraints };
  });

/** The methods of a connection and what they come to, without a network. */
export const negotiation = () =>
  seenOf(async () => {
    const pc = new RTCPeerConnection();
    const other = new RTCPeerConnection();
    const number = window.connectionNumber(pc);
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    const [audio, video] = [stream.getAudioTracks()[0], stream.getVideoTracks()[0]];
    const from = window.seen.moments.length;
    pc.createDataChannel('plain');
    pc.createDataChannel('chat', { ordered: false, maxRetransmits: 2 });
    const sender = pc.addTrack(audio, stream);
    const transceiver = pc.addTransceiver(video, { direction: 'sendonly', streams: [stream], sendEncodings: [{ maxBitrate: 900_000 }] });
    const spare = pc.addTransceiver('audio');
    const [codec] = RTCRtpReceiver.getCapabilities('video').codecs;
    transceiver.setCodecPreferences([codec]);
    const extensions = transceiver.getHeaderExtensionsToNegotiate?.() ?? null;
    if (extensions) transceiver.setHeaderExtensionsToNegotiate(extensions);
    const offer = await pc.createOffer({ iceRestart: true });
    await pc.setLocalDescription(offer);
    await other.setRemoteDescription(offer);
    const answer = await other.createAnswer();
    await other.setLocalDescription();
    const otherLocal = JSON.parse(JSON.stringify(other.localDescription));
    await pc.setRemoteDescription(other.localDescription);
    const refused = await failing(pc.setRemoteDescription({ type: 'answer', sdp: 'x' }));
    const refusedCandidate = await failing(pc.addIceCandidate({ candidate: 'candidate:1 1 UDP 1 192.0.2.1 5 typ host', sdpMid: '99' }));
    await pc.addIceCandidate();
    const parameters = transceiver.sender.getParameters();
    parameters.encodings[0].maxBitrate = 500_000;
    const { transactionId, ...kept } = JSON.parse(JSON.stringify(parameters));
    await transceiver.sender.setParameters(parameters);
    await spare.sender.replaceTrack(audio);
    await spare.sender.replaceTrack(null);
    const names = [pc.getTransceivers()[0], transceiver, spare].map(({ receiver }) => receiver.track.id);
    pc.removeTrack(sender);
    pc.restartIce();
    await pc.setLocalDescription({ type: 'offer' });
    const local = JSON.parse(JSON.stringify(pc.localDescription));
    await pc.setLocalDescription({ type: 'rollback' });
    pc.close();
    const closed = await failing(pc.createOffer());
    for (const track of stream.getTracks()) track.stop();
    other.close();
    return {
      from, number, names, extensions, codec: JSON.parse(JSON.stringify(codec)), offer: JSON.parse(JSON.stringify(offer)), answer: JSON.parse(JSON.stringify(answer)),
      otherLocal, refused, refusedCandidate, kept, local, closed,
      audio: describeTrack(audio, stream), video: describeTrack(video, stream), stream: stream.id,
    };
  });

/** A call: states, transports, channels, remote media, reports. */
export const call = () =>
  seenOf(async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
    const numbers = [a, b].map(window.connectionNumber);
    connect(a, b);
    const states = { 0: [], 1: [] };
    for (const [index, pc] of [a, b].entries()) {
      for (const name of ['signalingState', 'iceConnectionState', 'connectionState', 'iceGatheringState']) {
        pc.addEventListener(`${name.toLowerCase()}change`, () => states[index].push([`on${name.toLowerCase()}change`, pc[name]]));
      }
    }
    const channel = a.createDataChannel('chat');
    const opened = nextEvent(b, 'datachannel');
    for (const track of stream.getTracks()) a.addTrack(track, stream);
    const remote = [];
    const element = document.body.appendChild(document.createElement('video'));
    element.muted = true;
    b.addEventListener('track', ({ track, streams }) => {
      remote.push(describeTrack(track, ...streams));
      element.srcObject = streams[0];
      track.addEventListener('unmute', () => (track.seen = true));
    });
    await negotiate(a, b);
    const { channel: accepted } = await opened;
    await until(() => channel.readyState === 'open');
    await element.play();
    const playing = element.play();
    element.srcObject = element.srcObject;
    const abort = element.play();
    element.pause();
    const aborted = await failing(abort);
    await failing(playing);
    await isConnected(a, b);
    const { seen } = window;
    await until(() => numbers.every((number) => seen.reports.filter(({ connection }) => connection === number).length > 3));
    await until(() => element.videoWidth);
    const low = nextEvent(channel, 'bufferedamountlow');
    for (let count = 0; count < 5; count += 1) channel.send('x'.repeat(50_000));
    await low;
    const error = { error: new DOMException('sabotage', 'OperationError') };
    pretend(channel, 'error', error);
    const transport = a.getSenders()[0].transport;
    if (transport) pretend(transport, 'error', error);
    const [remoteVideo] = b.getReceivers().map(({ track }) => track).filter(({ kind }) => kind === 'video');
    pretend(remoteVideo, 'mute');
    pretend(b, 'icecandidateerror', { address: '192.0.2.1', port: 7, url: 'stun:192.0.2.1', errorCode: 701, errorText: 'none' });
    pretend(b, 'removestream', { stream: element.srcObject });
    remoteVideo.enabled = false;
    const busyUntil = performance.now() + 90;
    while (performance.now() < busyUntil);
    await sleep(450);
    channel.close();
    await until(() => accepted.readyState === 'closed');
    const reported = seen.reports.length;
    a.close();
    b.close();
    await sleep(500);
    for (const track of stream.getTracks()) track.stop();
    element.remove();
    return {
      numbers, states, remote, aborted, size: { videoWidth: element.videoWidth, videoHeight: element.videoHeight }, video: remoteVideo.id, label: [channel.id, channel.label],
      accepted: [accepted.id, accepted.label], reported, hasTransports: Boolean(transport), hasPairs: 'RTCIceTransport' in window && 'getSelectedCandidatePair' in RTCIceTransport.prototype,
      longTasks: PerformanceObserver.supportedEntryTypes.includes('longtask'),
    };
  });

/** Capture, tracks and devices. */
export const media = () =>
  seenOf(async () => {
    const devices = JSON.parse(JSON.stringify(await navigator.mediaDevices.enumerateDevices()));
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320 } });
    const refused = await failing(navigator.mediaDevices.getUserMedia({ video: { width: { exact: 99_999 } } }));
    const display = await failing(navigator.mediaDevices.getDisplayMedia({ video: 5, audio: true, preferCurrentTab: 'x', monitorTypeSurfaces: 'nothing' }));
    const [audio, video] = [stream.getAudioTracks()[0], stream.getVideoTracks()[0]];
    await video.applyConstraints({ width: 160 });
    audio.enabled = false;
    video.contentHint = 'motion';
    const clone = video.clone();
    clone.enabled = false;
    for (const type of ['mute', 'unmute', 'ended']) pretend(audio, type);
    audio.stop();
    audio.stop();
    video.stop();
    clone.stop();
    pretend(navigator.mediaDevices, 'devicechange');
    const element = document.createElement('audio');
    let sink = null;
    if (element.setSinkId) {
      await element.setSinkId('');
      sink = await failing(element.setSinkId('nothing'));
    }
    return { devices, refused, display, sink, hint: 'contentHint' in MediaStreamTrack.prototype, tracks: [audio, video, clone].map((track) => describeTrack(track)), stream: stream.id };
  });

/** Local tracks that no call of getUserMedia gave, and one that is received and sent on. */
export const sent = () =>
  seenOf(async () => {
    const canvas = document.createElement('canvas');
    canvas.getContext('2d').fillRect(0, 0, 9, 9);
    const track = () => canvas.captureStream(5).getVideoTracks()[0];
    const [added, transceived, replaced, alone] = [track(), track(), track(), track()];
    const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
    const sender = a.addTrack(added);
    a.addTransceiver(transceived);
    await sender.replaceTrack(replaced);
    const received = b.addTransceiver('video').receiver.track;
    a.addTrack(received);
    await b.setLocalDescription();
    for (const each of [added, transceived, replaced, alone, received]) {
      pretend(each, 'mute');
      pretend(each, 'unmute');
    }
    pretend(added, 'ended');
    for (const each of [a, b]) each.close();
    return { ids: [added, transceived, replaced, received].map(({ id }) => id) };
  });

/** Arguments that only code of the page can read: reactive objects of Vue 2 and MobX, objects of classes with getters. */
export const getters = () =>
  seenOf(async () => {
    let reads = 0;
    const reactive = (value) => {
      if (Array.isArray(value)) return value.map(reactive);
      if (typeof value !== 'object' || !value) return value;
      const object = {};
      for (const [key, member] of Object.entries(value)) {
        const inner = reactive(member);
        Object.defineProperty(object, key, { enumerable: true, configurable: true, get: () => ((reads += 1), inner), set() {} });
      }
      return object;
    };
    const wire = ({ type, sdp }) =>
      new (class {
        get type() {
          return type;
        }
        get sdp() {
          return sdp;
        }
      })();
    const iceServers = [{ urls: ['turn:127.0.0.1:3478'], username: 'someone', credential: 'secret' }];
    const a = new RTCPeerConnection(reactive({ iceServers, bundlePolicy: 'max-bundle' }));
    const [nested, b] = [new RTCPeerConnection({ iceServers: reactive(iceServers) }), new RTCPeerConnection()];
    const once = reads;
    a.setConfiguration(reactive({ iceServers: [], bundlePolicy: 'max-bundle' }));
    a.createDataChannel('x');
    const offer = await a.createOffer();
    await a.setLocalDescription(reactive({ type: offer.type, sdp: offer.sdp }));
    await b.setRemoteDescription(reactive({ type: offer.type, sdp: offer.sdp }));
    const answer = await b.createAnswer();
    await b.setLocalDescription(wire(answer));
    await a.setRemoteDescription(wire(answer));
    const answered = a.remoteDescription.toJSON();
    const descriptions = [a.localDescription, b.remoteDescription, b.localDescription, a.remoteDescription].map(({ type }) => type);
    const refused = await failing(a.setRemoteDescription(wire(answer)));
    for (const each of [a, nested, b]) each.close();
    return { once, descriptions, refused, answered };
  });

/** Events that the page made itself. */
export async function pretended() {
  window.observation.restore();
  window.observation = window.begin({ untrusted: false });
  return seenOf(async () => {
    const pc = new RTCPeerConnection();
    for (const type of ['signalingstatechange', 'icecandidate', 'datachannel', 'track', 'negotiationneeded']) pretend(pc, type);
    pretend(document, 'visibilitychange');
    pretend(navigator.mediaDevices, 'devicechange');
    pc.createDataChannel('x');
    await pc.setLocalDescription();
    pc.close();
  });
}

/** Where sound goes to, of a context of Web Audio too. */
export const outputs = () =>
  seenOf(async () => {
    if (!('AudioContext' in window && 'setSinkId' in AudioContext.prototype)) return null;
    const context = new AudioContext();
    await context.setSinkId({ type: 'none' });
    const refused = await failing(context.setSinkId('nothing'));
    await context.close();
    return { refused };
  });

/** A sink that keeps the first report of one connection for no longer than it takes to refuse it, and throws at that of the other. */
export async function refused() {
  window.observation.restore();
  const reasons = { 0: [], 1: [] };
  const report = (connection, _, reason) => {
    reasons[connection].push(reason);
    if (reasons[connection].length > 1) return true;
    if (connection) throw new Error('sink');
    return false;
  };
  window.observation = window.begin({ sinks: { peerConnection: { event() {}, report, gone() {} } } });
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  connect(a, b);
  a.createDataChannel('x');
  await negotiate(a, b);
  await until(() => reasons[0].length > 2 && reasons[1].length > 2);
  a.close();
  b.close();
  return { reasons: [0, 1].map((index) => reasons[index].slice(0, 3)) };
}

/** What is obsolete: callbacks, streams, navigator.getUserMedia. */
export const legacy = () =>
  seenOf(async () => {
    const pc = new RTCPeerConnection();
    const name = ['getUserMedia', 'webkitGetUserMedia', 'mozGetUserMedia'].find((name) => navigator[name]);
    const stream = await new Promise((resolve, reject) => navigator[name]({ audio: true }, resolve, reject));
    const refused = await new Promise((resolve) => navigator[name]({ video: { width: { exact: 99_999 } } }, resolve, (error) => resolve(String(error))));
    pc.addStream?.(stream);
    const offer = await new Promise((resolve, reject) => pc.createOffer(resolve, reject, { offerToReceiveVideo: true }));
    await new Promise((resolve, reject) => pc.setLocalDescription(offer, resolve, reject));
    const failed = await new Promise((resolve) => pc.setRemoteDescription({ type: 'answer', sdp: 'x' }, resolve, (error) => resolve(String(error))));
    pc.removeStream?.(stream);
    pc.close();
    for (const track of stream.getTracks()) track.stop();
    const tracks = stream.getTracks().map((track) => describeTrack(track, stream));
    return { tracks, refused, failed, offer: JSON.parse(JSON.stringify(offer)), streams: [Boolean(pc.addStream), Boolean(pc.removeStream)] };
  });

/** Transforms of encoded frames. */
export const transforms = () =>
  seenOf(async () => {
    const pc = new RTCPeerConnection({ encodedInsertableStreams: true });
    const { sender, receiver } = pc.addTransceiver('video');
    const has = ['transform' in sender && 'RTCRtpScriptTransform' in window, 'createEncodedStreams' in sender];
    if (has[0]) {
      const worker = new Worker(URL.createObjectURL(new Blob([''])));
      sender.transform = new RTCRtpScriptTransform(worker);
      sender.transform = null;
      receiver.transform = new RTCRtpScriptTransform(worker);
      worker.terminate();
    }
    if (has[1]) {
      const other = pc.addTransceiver('audio');
      try {
        other.sender.createEncodedStreams();
        other.receiver.createEncodedStreams();
      } catch {
        // Called all the same.
      }
    }
    const name = receiver.track.id;
    pc.close();
    return { has, name };
  });

/** What the page around a call goes through. */
export const surroundings = () =>
  seenOf(async () => {
    pretend(document, 'visibilitychange');
    pretend(document, 'freeze');
    pretend(document, 'resume');
    pretend(window, 'offline');
    pretend(window, 'online');
    const { connection } = navigator;
    if (connection) pretend(connection, 'change');
    return { visibility: document.visibilityState, hasConnection: Boolean(connection), keys: connection && JSON.parse(JSON.stringify({ effectiveType: connection.effectiveType, type: connection.type, downlink: connection.downlink, rtt: connection.rtt, saveData: connection.saveData })) };
  });

/** Connections that were there before, one of them connected, and a filter. */
export async function late() {
  window.observation.restore();
  const [a, b, plain] = [new RTCPeerConnection({ bundlePolicy: 'max-bundle' }), new RTCPeerConnection(), new RTCPeerConnection()];
  connect(a, b);
  const channel = a.createDataChannel('early');
  const { sender } = a.addTransceiver('audio');
  await negotiate(a, b);
  await isConnected(a, b);
  const result = await seenOf(async () => {
    const reports = window.seen.reports.length;
    window.observation = window.begin({ filter: (configuration) => configuration?.bundlePolicy !== 'max-compat' });
    const left = new RTCPeerConnection({ bundlePolicy: 'max-compat' });
    left.createDataChannel('unseen');
    a.createDataChannel('late');
    await until(() => window.seen.reports.length > reports + 1);
    await sender.replaceTrack(null);
    plain.restartIce();
    const numbers = [left, a, b, plain].map((each) => window.connectionNumber(each) ?? null);
    for (const each of [left, a, b, plain]) each.close();
    return { numbers, name: channel.label, reason: window.seen.reports[reports].reason, reports: window.seen.reports.slice(reports).map(({ connection }) => connection) };
  });
  return result;
}

/** Two observations of one page, of which the first ends. */
export async function twice() {
  window.observation.restore();
  const natives = [RTCPeerConnection, RTCPeerConnection.prototype.createOffer];
  const first = { moments: [] };
  const second = { moments: [] };
  const sinkOf = (kept) => ({ event: ({ method }) => kept.moments.push(method), report() {}, gone() {} });
  const one = window.begin({ sinks: { peerConnection: sinkOf(first) } });
  const woven = RTCPeerConnection;
  const two = window.begin({ sinks: { peerConnection: sinkOf(second), userMedia: sinkOf(second) } });
  const stays = RTCPeerConnection === woven && woven !== natives[0];
  const { wrap } = await import('/wrap.js?copy');
  const other = { moments: [] };
  const three = wrap({ sinks: { peerConnection: sinkOf(other), devices: sinkOf(other) }, interval: 0, fault() {}, now: Date.now });
  const staysForCopies = RTCPeerConnection === woven;
  const pc = new RTCPeerConnection();
  pc.close();
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  for (const track of stream.getTracks()) track.stop();
  await navigator.mediaDevices.enumerateDevices();
  for (const each of [three, two, one]) each.restore();
  const restored = RTCPeerConnection === natives[0] && RTCPeerConnection.prototype.createOffer === natives[1] && RTCPeerConnection.prototype.constructor === natives[0];
  const marks = Object.getOwnPropertySymbols(window).map(String).filter((name) => name.includes('rtctrace'));
  return { stays, staysForCopies, restored, first: first.moments, second: second.moments, other: other.moments, marks: marks.length };
}

/** The end of an observation while others have put their own functions over ours, calls are on their way and a connection lives. */
export async function restored() {
  const { seen } = window;
  const descriptors = () =>
    ['RTCPeerConnection', 'RTCRtpSender', 'MediaStreamTrack', 'MediaDevices', 'HTMLMediaElement'].map((name) =>
      Object.entries(Object.getOwnPropertyDescriptors(window[name].prototype)).map(([key, { value, get, set }]) => [key, typeof value === 'function' ? value : 0, get, set]),
    );
  window.observation.restore();
  const before = descriptors();
  window.observation = window.begin();
  const during = descriptors();
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  const Kept = RTCPeerConnection;
  connect(a, b);
  a.createDataChannel('x');
  await negotiate(a, b);
  await until(() => a.connectionState === 'connected' && seen.reports.length > 2);
  const { createOffer } = RTCPeerConnection.prototype;
  const over = function (...args) {
    return createOffer.apply(this, args);
  };
  RTCPeerConnection.prototype.createOffer = over;
  const pending = a.createOffer();
  window.observation.restore();
  const [moments, reports] = [seen.moments.length, seen.reports.length];
  const offer = await pending;
  const isKept = RTCPeerConnection.prototype.createOffer === over;
  await a.createOffer();
  new Kept().close();
  a.createDataChannel('y');
  a.close();
  b.close();
  pretend(document, 'visibilitychange');
  await sleep(600);
  const silent = seen.moments.length === moments && seen.reports.length === reports;
  RTCPeerConnection.prototype.createOffer = before[0].find(([key]) => key === 'createOffer')[1];
  const after = descriptors();
  const differs = (one, two) => one.flatMap((members, at) => members.filter((member, index) => member.some((each, part) => each !== two[at][index][part])).map(([key]) => key));
  window.observation = window.begin();
  const again = new RTCPeerConnection();
  const number = window.connectionNumber(again);
  again.close();
  return {
    woven: differs(before, during),
    left: differs(before, after),
    isKept,
    type: offer.type,
    silent,
    constructor: Kept !== RTCPeerConnection,
    number,
  };
}

/** A fault of the sink, and of globals that a page broke. */
export async function faults() {
  const { seen } = window;
  window.observation.restore();
  const from = seen.faults.length;
  window.observation = window.begin({ sinks: { peerConnection: { event() { throw new Error('sink'); }, report() { throw new Error('sink'); }, gone() { throw new Error('sink'); } } } });
  const pc = new RTCPeerConnection();
  const offer = await pc.createOffer({ offerToReceiveAudio: true });
  await pc.setLocalDescription(offer);
  const ofSink = seen.faults.splice(from);
  window.observation.restore();
  window.observation = window.begin();
  const broken = [];
  for (const [owner, name] of [[WeakMap.prototype, 'get'], [WeakMap.prototype, 'has'], [WeakMap.prototype, 'set'], [Map.prototype, 'get'], [Array.prototype, 'find'], [Array.prototype, 'findIndex'], [Array.prototype, 'map'], [Array.prototype, Symbol.iterator], [Object, 'entries'], [Array.prototype, 'flat'], [JSON, 'stringify'], [Object, 'keys'], [Reflect, 'apply'], [Promise.prototype, 'then'], [Function.prototype, 'call'], [Function.prototype, 'apply'], [window, 'setInterval'], [EventTarget.prototype, 'addEventListener']]) {
    const native = owner[name];
    owner[name] = () => {
      throw new Error('sabotage');
    };
    let outcome;
    try {
      const other = new RTCPeerConnection();
      const transceiver = other.addTransceiver('audio');
      other.createDataChannel('x', { ordered: true });
      await other.setLocalDescription();
      await transceiver.sender.replaceTrack(null);
      outcome = other.localDescription.type;
      other.close();
    } catch (error) {
      outcome = String(error);
    } finally {
      owner[name] = native;
    }
    broken.push([String(name), outcome]);
  }
  pc.close();
  return { ofSink: ofSink.length, allOfSink: ofSink.every((fault) => /sink/.test(fault)), broken, faults: seen.faults.splice(from).filter((fault) => !/sabotage/.test(fault)) };
}
