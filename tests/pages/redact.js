// Hands the recorder every kind of value that may hold an address or a label: texts that the test gives, as calls of the page, as events
// of the browser and as reports. Whether the browser can do anything with them is of no interest.

import { init } from '/rtctrace/index.js';

/** @typedef {{ addresses: string[], candidates: string[], descriptions: string[] }} Texts */

/** @param {string} endpoint @param {any} redact @param {Texts} texts */
async function run(endpoint, redact, { addresses, candidates, descriptions }) {
  /** The next report. @type {Map<string, any>} */
  let report = new Map();
  // Beneath the recorder, which polls what it finds.
  RTCPeerConnection.prototype.getStats = async () => /** @type {any} */ (report);
  const recorder = await init({ endpoint, redact, getStatsInterval: 20 });

  const pc = new RTCPeerConnection();
  const ignore = () => {};
  for (const candidate of candidates) {
    await pc.addIceCandidate({ candidate, sdpMid: '0' }).catch(ignore);
    for (const type of ['host', 'relay']) {
      const init = { candidate, sdpMid: '0', type, address: addresses[0], relatedAddress: addresses[1] };
      await pc.addIceCandidate(/** @type {any} */ (init)).catch(ignore);
    }
  }
  for (const sdp of descriptions) {
    for (const type of /** @type {const} */ (['offer', 'answer'])) await pc.setRemoteDescription({ type, sdp }).catch(ignore);
  }
  for (const address of addresses) {
    for (const hostCandidate of [address, `${address}:4000`, `[${address}]:4000`]) {
      pc.dispatchEvent(Object.assign(new Event('icecandidateerror'), { address, hostCandidate, url: `stun:${address}`, errorCode: 701, errorText: `to ${address}, or host:${address}.` }));
    }
  }
  recorder.event('note', addresses);

  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  for (const track of stream.getTracks()) pc.addTrack(track, stream);
  await navigator.mediaDevices.enumerateDevices();

  // Reports begin with a connection that is connected.
  const other = new RTCPeerConnection();
  pc.onicecandidate = ({ candidate }) => other.addIceCandidate(candidate ?? undefined).catch(ignore);
  other.onicecandidate = ({ candidate }) => pc.addIceCandidate(candidate ?? undefined).catch(ignore);
  await pc.setLocalDescription();
  await other.setRemoteDescription(/** @type {RTCSessionDescription} */ (pc.localDescription));
  await other.setLocalDescription();
  await pc.setRemoteDescription(/** @type {RTCSessionDescription} */ (other.localDescription));
  while (pc.connectionState !== 'connected') await new Promise((resolve) => setTimeout(resolve, 10));
  other.close();
  for (const [index, address] of addresses.entries()) {
    /** @param {string} candidateType */
    const entry = (candidateType) => ({ type: 'local-candidate', timestamp: index, candidateType, address, ip: address, relatedAddress: address, port: index });
    report = new Map(['host', 'srflx', 'relay'].map((kind) => [`candidate-${kind}`, entry(kind)]));
    const { reports } = recorder.counters;
    while (recorder.counters.reports < reports + 3) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  pc.close();
  for (const track of stream.getTracks()) track.stop();
  await recorder.close();
  return recorder.session;
}

Object.assign(window, { run });
