// A call between two connections of this page that uses all of the API that a headless browser can: media, data, renegotiation, a
// new path, changed and replaced tracks, and calls that fail. Starts with a click, because screen capture wants one.

import { call, connect, connectionIds, record, saw, setConfiguration, stopRecord, streamValue, trackValue } from './record.js';
import { init } from '/rtctrace/index.js';

const parameters = new URLSearchParams(location.search);
const endpoint = /** @type {string} */ (parameters.get('endpoint'));
const duration = Number(parameters.get('duration') ?? 15) * 1000;

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** @param {RTCPeerConnection} pc */
const idOf = (pc) => connectionIds.get(pc) ?? null;
/** @param {Promise<unknown>} promise */
const failing = (promise) => promise.then(() => Promise.reject(new Error('this call should fail')), () => null);

/** @param {'getUserMedia' | 'getDisplayMedia'} name @param {any} constraints */
async function media(name, constraints) {
  const method = `navigator.mediaDevices.${name}`;
  const stream = await call(method, null, constraints, () => navigator.mediaDevices[name](constraints), (result) => result.getTracks().map((track) => trackValue(track, [result])));
  return stream;
}

/** @param {RTCPeerConnection} pc @param {RTCSessionDescriptionInit} description */
const setLocal = (pc, description) => call('setLocalDescription', idOf(pc), description, () => pc.setLocalDescription(description));
/** @param {RTCPeerConnection} pc */
const setLocalImplicitly = (pc) => call('setLocalDescription', idOf(pc), null, () => pc.setLocalDescription(), () => pc.localDescription);
/** @param {RTCPeerConnection} pc @param {RTCSessionDescriptionInit} description */
const setRemote = (pc, description) => call('setRemoteDescription', idOf(pc), description, () => pc.setRemoteDescription(description));
/** @param {RTCPeerConnection} pc @param {RTCIceCandidateInit | null} candidate */
const addCandidate = (pc, candidate) => call('addIceCandidate', idOf(pc), candidate, () => pc.addIceCandidate(/** @type {any} */ (candidate)));

/** @param {RTCPeerConnection} from @param {RTCPeerConnection} to @param {Promise<void>} ready */
function trickle(from, to, ready) {
  from.addEventListener('icecandidate', async ({ candidate }) => {
    await ready;
    if (to.signalingState !== 'closed') await addCandidate(to, candidate && candidate.toJSON());
  });
}

/** @param {RTCRtpSender} sender @param {RTCRtpTransceiver} transceiver @param {RTCPeerConnection} pc @param {MediaStreamTrack} track */
function replace(sender, transceiver, pc, track) {
  saw('replaceTrack', idOf(pc), [sender.track && trackValue(sender.track), trackValue(track)], transceiver.receiver.track.id);
  return sender.replaceTrack(track);
}

/** An element that is asked to play what arrives, and cannot: another load takes its place. @param {RTCPeerConnection} pc */
async function playInVain(pc) {
  const [{ track }] = pc.getReceivers();
  const element = document.createElement('audio');
  element.srcObject = new MediaStream([track]);
  const playing = element.play();
  element.load();
  await playing.catch((error) => saw('HTMLMediaElement.playOnFailure', idOf(pc), String(error), track.id));
}

async function run() {
  const identity = { user: 'ada', conference: 'blue' };
  saw('identity', null, identity);
  const recorder = await init({ endpoint, identity });
  const started = performance.now();
  /** @param {number} part of the call's duration */
  const at = (part) => sleep(started + part * duration - performance.now());

  saw('navigator.mediaDevices.enumerateDevices', null, await navigator.mediaDevices.enumerateDevices());
  await failing(media('getUserMedia', { video: { width: { exact: 99999 } } }));
  const stream = await media('getUserMedia', { audio: true, video: { width: 640, height: 480 } });
  const cameraCall = { call: 'navigator.mediaDevices.getUserMedia', number: 1 };
  const [audio] = stream.getAudioTracks();
  const [video] = stream.getVideoTracks();

  const configuration = {
    iceServers: [{ urls: 'stun:127.0.0.1:3479' }, { urls: ['turn:127.0.0.1:3479?transport=udp'], username: 'user', credential: 'top-secret' }],
    bundlePolicy: /** @type {const} */ ('max-bundle'),
  };
  const certificate = await RTCPeerConnection.generateCertificate(/** @type {any} */ ({ name: 'ECDSA', namedCurve: 'P-256' }));
  const a = connect(configuration);
  const b = connect({ certificates: [certificate] }, { optional: [{ rtcStatsClientId: 'grace' }, { rtcStatsConferenceId: 'blue' }] });
  setConfiguration(a, { ...configuration, iceTransportPolicy: 'all' });
  recorder.event('joined', { room: 'blue', öß: ['"', 7, null] });
  saw(':joined', null, { room: 'blue', öß: ['"', 7, null] });
  recorder.event('role', 'caller', a);
  saw(':role', idOf(a), 'caller');

  saw('createDataChannel', idOf(a), ['chat', { ordered: false }]);
  const channel = a.createDataChannel('chat', { ordered: false });
  b.addEventListener('datachannel', (event) => event.channel.addEventListener('message', ({ data }) => event.channel.send(data)));

  saw('addTrack', idOf(a), trackValue(audio, [stream]));
  const audioSender = a.addTrack(audio, stream);
  const audioTransceiver = a.getTransceivers()[0];
  saw('addTrackOnSuccess', idOf(a), null, audioTransceiver.receiver.track.id);
  saw('addTransceiver', idOf(a), [trackValue(video), { direction: 'sendrecv', streams: [stream.id], sendEncodings: [{ maxBitrate: 900000 }] }]);
  const videoTransceiver = a.addTransceiver(video, { direction: 'sendrecv', streams: [stream], sendEncodings: [{ maxBitrate: 900000 }] });
  saw('addTransceiverOnSuccess', idOf(a), null, videoTransceiver.receiver.track.id);
  saw('addTransceiver', idOf(a), ['audio', { direction: 'recvonly' }]);
  const spare = a.addTransceiver('audio', { direction: 'recvonly' });
  saw('addTransceiverOnSuccess', idOf(a), null, spare.receiver.track.id);
  const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs.filter(({ mimeType }) => /VP8|rtx/.test(mimeType)) ?? [];
  saw('setCodecPreferences', idOf(a), codecs, videoTransceiver.receiver.track.id);
  videoTransceiver.setCodecPreferences(codecs);
  const extended = /** @type {any} */ (videoTransceiver);
  if (extended.setHeaderExtensionsToNegotiate) {
    const extensions = extended.getHeaderExtensionsToNegotiate();
    saw('setHeaderExtensionsToNegotiate', idOf(a), extensions, videoTransceiver.receiver.track.id);
    extended.setHeaderExtensionsToNegotiate(extensions);
  }

  /** @type {() => void} */
  let describedToB = () => {};
  /** @type {() => void} */
  let describedToA = () => {};
  trickle(a, b, new Promise((resolve) => (describedToB = resolve)));
  trickle(b, a, new Promise((resolve) => (describedToA = resolve)));

  // The first negotiation says everything explicitly.
  const offer = await call('createOffer', idOf(a), { offerToReceiveAudio: true }, () => a.createOffer({ offerToReceiveAudio: true }), (result) => result);
  await setLocal(a, offer);
  await setRemote(b, offer);
  describedToB();
  saw('addTrack', idOf(b), trackValue(audio, [stream]));
  b.addTrack(audio, stream);
  saw('addTrackOnSuccess', idOf(b), null, b.getTransceivers()[0].receiver.track.id);
  const answering = b.getTransceivers()[1];
  answering.direction = 'sendrecv';
  await replace(answering.sender, answering, b, video);
  const answer = await call('createAnswer', idOf(b), null, () => b.createAnswer(), (result) => result);
  await setLocal(b, answer);
  await setRemote(a, answer);
  describedToA();
  if (channel.readyState !== 'open') await new Promise((resolve) => channel.addEventListener('open', resolve, { once: true }));
  const chat = setInterval(() => channel.readyState === 'open' && channel.send('hello'), 100);

  await at(0.25);
  await failing(addCandidate(a, { candidate: 'candidate:1 1 UDP 2122194687 203.0.113.7 4444 typ srflx raddr 10.0.0.5 rport 4444', sdpMid: '77' }));
  await failing(setRemote(a, { type: 'answer', sdp: 'v=0\r\n' }));
  const encoding = videoTransceiver.sender.getParameters();
  encoding.encodings[0].maxBitrate = 600000;
  const { transactionId, ...kept } = encoding;
  saw('setParameters', idOf(a), [kept], videoTransceiver.receiver.track.id);
  await videoTransceiver.sender.setParameters(encoding);
  for (const enabled of [false, true]) {
    saw('MediaStreamTrack.enabled', null, enabled, audio.id);
    audio.enabled = enabled;
    await sleep(100);
  }
  if ('contentHint' in video) {
    saw('MediaStreamTrack.contentHint', null, 'motion', video.id);
    video.contentHint = 'motion';
  }

  // The second one moves the call to a new path and leaves the descriptions to the browser.
  await at(0.4);
  const legacy = /** @type {any} */ (a);
  const spoken = new MediaStream([audio.clone()]);
  if (legacy.addStream) {
    saw('addStream', idOf(a), streamValue(spoken));
    legacy.addStream(spoken);
  }
  saw('restartIce', idOf(a), null);
  const wanted = new Promise((resolve) => a.addEventListener('negotiationneeded', resolve, { once: true }));
  a.restartIce();
  await wanted;
  await setLocalImplicitly(a);
  await setRemote(b, /** @type {RTCSessionDescription} */ (a.localDescription).toJSON());
  await setLocalImplicitly(b);
  await setRemote(a, /** @type {RTCSessionDescription} */ (b.localDescription).toJSON());

  await at(0.5);
  await playInVain(b);
  const player = /** @type {any} */ (document.querySelector('video'));
  if (player.setSinkId) await call('HTMLMediaElement.setSinkId', null, '', () => player.setSinkId('')).catch(() => {});

  await at(0.55);
  let screenCall = { call: 'navigator.mediaDevices.getDisplayMedia', number: 0 };
  const screen = await media('getDisplayMedia', { video: true }).catch(() => {
    // Firefox has no screen to share when it is headless.
    screenCall = { call: 'navigator.mediaDevices.getUserMedia', number: 2 };
    return media('getUserMedia', { video: true });
  });
  const [shared] = screen.getVideoTracks();
  await replace(videoTransceiver.sender, videoTransceiver, a, shared);
  await at(0.7);
  await replace(videoTransceiver.sender, videoTransceiver, a, video);
  saw('MediaStreamTrack.stop', null, [], shared.id, screenCall);
  shared.stop();
  saw('MediaStreamTrack.applyConstraints', null, [{ width: 320 }], video.id, cameraCall);
  await video.applyConstraints({ width: 320 });

  await at(0.85);
  if (legacy.removeStream) {
    saw('removeStream', idOf(a), streamValue(spoken));
    legacy.removeStream(spoken);
  }
  saw('removeTrack', idOf(a), audioTransceiver.receiver.track.id);
  a.removeTrack(audioSender);

  await at(1);
  clearInterval(chat);
  for (const pc of [a, b]) {
    saw('close', idOf(pc), null);
    pc.close();
  }
  for (const track of stream.getTracks()) {
    saw('MediaStreamTrack.stop', null, [], track.id, cameraCall);
    track.stop();
  }
  stopRecord();
  await recorder.close();
  return { session: recorder.session, record, counters: recorder.counters, duration: performance.now() - started };
}

document.querySelector('button')?.addEventListener('click', () => {
  Object.assign(window, { outcome: run() });
});
