// The calls that are measured. Unless both ends are to be recorded, the far end is a connection of an iframe, whose interfaces no
// client touches, so that each poll is one report.

const { probe } = /** @type {any} */ (window);
const frame = document.createElement('iframe');
document.body.append(frame);
const Far = /** @type {typeof RTCPeerConnection} */ (/** @type {any} */ (frame.contentWindow).RTCPeerConnection);

/**
 * @typedef {object} Cost of the client's beginning, in ms
 * @property {number} evaluate running its script
 * @property {number} call until the call of `init` or `start` returned
 * @property {number} ready until recording
 */

/** @param {'index' | 'inline'} build @param {Record<string, unknown>} options @returns {Promise<Cost>} */
async function startClient(build, options) {
  // Modules are evaluated in the order in which they are imported, when all of them are there.
  const { evaluated, client } = await import(`/begin.js?${build}`);
  const begin = probe.now();
  const call = await probe.measure(() => {
    const result = (client.start ?? client.init)(options);
    Object.assign(window, { recorder: result });
  });
  Object.assign(window, { recorder: await /** @type {any} */ (window).recorder });
  return { evaluate: evaluated, call, ready: probe.now() - begin };
}

/** @param {RTCPeerConnection} from @param {RTCPeerConnection} to */
function trickle(from, to) {
  from.addEventListener('icecandidate', ({ candidate }) => void to.addIceCandidate(candidate ?? undefined));
}

/** One audio and `videos` video transceivers, both ways. @param {number} videos @param {boolean} both ends are recorded */
async function call(videos, both) {
  const size = videos > 1 ? { width: 160, height: 120, frameRate: 10 } : { width: 640, height: 480 };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: size });
  const [audio] = stream.getAudioTracks();
  const [video] = stream.getVideoTracks();
  const near = new RTCPeerConnection();
  const far = both ? new RTCPeerConnection() : new Far();
  near.addTransceiver(audio, { streams: [stream] });
  for (let count = 0; count < videos; count += 1) near.addTransceiver(video, { streams: [stream] });
  // What was gathered before is in the description; the rest follows, and waits inside for the description to be applied.
  await near.setLocalDescription();
  const offered = far.setRemoteDescription(/** @type {RTCSessionDescription} */ (near.localDescription));
  trickle(near, far);
  await offered;
  for (const transceiver of far.getTransceivers()) {
    transceiver.direction = 'sendrecv';
    await transceiver.sender.replaceTrack(transceiver.receiver.track.kind === 'audio' ? audio : video);
  }
  await far.setLocalDescription();
  const answered = near.setRemoteDescription(/** @type {RTCSessionDescription} */ (far.localDescription));
  trickle(far, near);
  await answered;
  Object.assign(window, { connections: [near, far] });
  while (near.connectionState !== 'connected') await new Promise((resolve) => probe.setTimeout(resolve, 20));
}

Object.assign(window, { bench: { startClient, call } });
