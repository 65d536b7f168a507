// webrtc-adapter, which changes the same functions as the recorder does: loaded before it (?order=before), after it, or not at all.

import { camera, kindsOf, nameOf, play, run, setting, sleep } from './run.js';

const load = async () => (await import('webrtc-adapter')).default;
const early = setting('order') === 'before' ? await load() : null;

run(async (log) => {
  const adapter = early ?? (await load());
  log('adapter', 'browser', [adapter.browserDetails.browser, typeof adapter.browserDetails.version]);
  const stream = await camera();
  log('devices', 'kinds', [...new Set((await navigator.mediaDevices.enumerateDevices()).map(({ kind }) => kind))].sort());
  await navigator.mediaDevices.getUserMedia({ video: { width: { exact: 99999 } } }).catch((error) => log('devices', 'too wide', [nameOf(error), error.constraint]));
  await new Promise((resolve) => /** @type {any} */ (navigator).getUserMedia({ audio: true }, (/** @type {MediaStream} */ media) => resolve(log('devices', 'legacy', kindsOf(media))), resolve));

  const a = new RTCPeerConnection({ iceServers: [] });
  const b = new RTCPeerConnection({ iceServers: [] });
  for (const [name, from, to] of /** @type {const} */ ([['a', a, b], ['b', b, a]])) {
    from.onicecandidate = ({ candidate }) => {
      to.addIceCandidate(candidate ?? undefined).catch((error) => log(name, 'candidate', nameOf(error)));
    };
    from.addEventListener('connectionstatechange', () => log(`state of ${name}`, from.connectionState));
    from.onsignalingstatechange = function (event) {
      log(name, 'signaling', [this === from, event.target === from, event.isTrusted, from.signalingState]);
    };
  }
  /** @type {Promise<MediaStream>} */
  const shown = new Promise((resolve) => (b.ontrack = ({ streams }) => resolve(streams[0])));
  /** @type {Promise<MediaStream>} */
  const added = new Promise((resolve) => /** @type {any} */ (b).addEventListener('addstream', (/** @type {any} */ event) => resolve(event.stream)));
  /** @type {Promise<RTCDataChannel>} */
  const channel = new Promise((resolve) => (b.ondatachannel = (event) => resolve(event.channel)));
  const chat = a.createDataChannel('chat');
  /** @type {any} */ (a).addStream(stream);
  log('a', 'senders', a.getSenders().map(({ track, dtmf }) => [track?.kind, dtmf === null]));

  const offer = await new Promise((resolve, reject) => a.createOffer(resolve, reject));
  await new Promise((resolve, reject) => a.setLocalDescription(offer, /** @type {any} */ (resolve), reject));
  await b.setRemoteDescription(a.localDescription ?? offer);
  await b.setLocalDescription();
  await a.setRemoteDescription(/** @type {any} */ (b.localDescription));
  log('b', 'streams', [(await shown) === (await added), kindsOf(await shown).map(([kind]) => kind), await play(await shown)]);
  const answer = new Promise((resolve) => (chat.onmessage = ({ data }) => resolve(data)));
  const other = await channel;
  other.onmessage = ({ data }) => other.send(`${data} back`);
  if (chat.readyState !== 'open') await new Promise((resolve) => (chat.onopen = resolve));
  chat.send('there and');
  log('chat', 'answer', await answer);
  try {
    chat.send(new Uint8Array(300_000));
  } catch (error) {
    log('chat', 'too large', nameOf(error));
  }
  log('sctp', 'limit', a.sctp?.maxMessageSize);

  a.restartIce();
  await a.setLocalDescription();
  await b.setRemoteDescription(/** @type {any} */ (a.localDescription));
  await a.setRemoteDescription(await b.createAnswer().then(async (description) => (await b.setLocalDescription(description), description)));
  /** @type {any} */ (a).removeStream(stream);
  log('a', 'after removal', a.getSenders().map(({ track }) => track));
  await a.setRemoteDescription({ type: 'answer', sdp: 'nonsense' }).catch((error) => log('a', 'wrong state', nameOf(error)));
  await b.addIceCandidate({ candidate: 'nonsense', sdpMid: '0' }).catch((error) => log('b', 'no candidate', nameOf(error)));
  const [transceiver] = a.getTransceivers();
  log('a', 'stats', [...(await a.getStats()).values()].some(({ type }) => type === 'peer-connection') && (await transceiver.receiver.getStats()) instanceof Map);
  await sleep(700);
  a.close();
  b.close();
  await a.createOffer().catch((error) => log('a', 'closed', nameOf(error)));
  log('globals', 'names', [a instanceof RTCPeerConnection, a.constructor === RTCPeerConnection, RTCPeerConnection.name, Object.keys(RTCPeerConnection.prototype).length]);
});
