// An app as Angular makes them: zone.js has replaced the browser's functions, async functions have become others that it can follow, and
// a zone of the app's own notices every task. The app waits until there is none; after each it looks for changes.

import 'zone.js';
import { camera, play, run, sleep } from './run.js';

/** @type {any} */
const { Zone } = window;
const tasks = new Set();
let pending = false;
const zone = Zone.current.fork({
  name: 'app',
  onScheduleTask(/** @type {any} */ delegate, /** @type {any} */ _, /** @type {any} */ target, /** @type {any} */ task) {
    // Microtasks of the package's own promises come and go with `init`; they keep no app waiting.
    if (task.type !== 'microTask') tasks.add(`${task.type} ${task.source}`);
    return delegate.scheduleTask(target, task);
  },
  onHasTask(/** @type {any} */ delegate, /** @type {any} */ _, /** @type {any} */ target, /** @type {any} */ state) {
    delegate.hasTask(target, state);
    if (state.change === 'macroTask') pending = state.macroTask;
  },
});
/** A timer that the app's zone knows nothing of. @type {(work: () => void, milliseconds: number) => number} */
const watch = /** @type {any} */ (window).__zone_symbol__setInterval;

run(async (log) => {
  const stream = await camera();
  const [a, b] = [new RTCPeerConnection({ iceServers: [] }), new RTCPeerConnection({ iceServers: [] })];
  for (const [from, to] of [[a, b], [b, a]]) from.onicecandidate = ({ candidate }) => to.addIceCandidate(candidate ?? undefined);
  /** @type {Promise<MediaStream>} */
  const shown = new Promise((resolve) => (b.ontrack = ({ streams }) => resolve(streams[0])));
  for (const track of stream.getTracks()) a.addTrack(track, stream);
  const offer = await a.createOffer();
  await a.setLocalDescription(offer);
  await b.setRemoteDescription(offer);
  await b.setLocalDescription(await b.createAnswer());
  await a.setRemoteDescription(/** @type {any} */ (b.localDescription));
  log('b', 'plays', await play(await shown));
  await a.addIceCandidate({ candidate: 'nonsense', sdpMid: '0' }).catch((error) => log('a', 'no candidate', error.name));
  log('a', 'stats', (await a.getStats()).size > 0);
  await sleep(700);

  // The call goes on, and the app does nothing.
  tasks.clear();
  let unstable = 0;
  const watching = watch(() => void (unstable += Number(pending)), 20);
  await new Promise((resolve) => /** @type {any} */ (window).__zone_symbol__setTimeout(resolve, 1500));
  clearInterval(watching);
  log('zone', 'looks at which it was not stable', unstable);
  log('zone', 'tasks', [...tasks].sort());
  a.close();
  b.close();
  for (const track of stream.getTracks()) track.stop();
}, (work) => zone.run(work));
