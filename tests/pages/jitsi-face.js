// A call recorded by the faces of Jitsi's client, with a record of every entry that was handed to the sender.

import observe from '/rtctrace/jitsi/rtcstats.js';
import connectTrace from '/rtctrace/jitsi/trace-ws.js';

const parameters = new URLSearchParams(location.search);
const endpoint = /** @type {string} */ (parameters.get('endpoint'));
const duration = Number(parameters.get('duration') ?? 8) * 1000;

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Every entry as JSON had it when it was made. @type {[string, string | null, any][]} */
const entries = [];
/** @type {number[]} */
const codes = [];
const trace = connectTrace({
  endpoint: endpoint.replace(/^http/, 'ws'),
  meetingFqn: 'some/conference',
  obfuscate: false,
  onCloseCallback: ({ code }) => codes.push(code),
});
/** @type {(kept: unknown, type: string, connection: string | null, value: unknown) => unknown} */
const record = (kept, type, connection, value) => {
  if (kept !== false) entries.push([type, connection, JSON.parse(JSON.stringify(value ?? null))]);
  return kept;
};
trace.connect();
// The wait before a new socket is as short as it can be.
Math.random = () => 0;
observe(
  { statsEntry: (type, connection, value) => record(trace.statsEntry(type, connection, value), type, connection, value) },
  { pollInterval: 500, sendSdp: true },
);
const identity = { confName: 'blue', displayName: 'ada' };
trace.identity('identity', null, identity);
record(true, 'identity', null, identity);

async function run() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
  from.onicecandidate = ({ candidate }) => void (candidate && to.addIceCandidate(candidate));
  to.onicecandidate = ({ candidate }) => void (candidate && from.addIceCandidate(candidate));
  for (const track of stream.getTracks()) from.addTrack(track, stream);
  from.createDataChannel('data', { id: 7, negotiated: true });
  await from.setLocalDescription(await from.createOffer());
  await to.setRemoteDescription(/** @type {RTCSessionDescription} */ (from.localDescription));
  await to.setLocalDescription(await to.createAnswer());
  await from.setRemoteDescription(/** @type {RTCSessionDescription} */ (to.localDescription));
  await sleep(duration);
  from.close();
  to.close();
  while (!trace.isConnected()) await sleep(100);
  // For what the collector has yet to be sent again, and to say that it holds it.
  await sleep(1500);
  trace.close();
  return { entries, codes };
}

const started = new Promise((resolve) => document.querySelector('button')?.addEventListener('click', resolve, { once: true }));
/** @type {any} */ (window).outcome = started.then(run);
