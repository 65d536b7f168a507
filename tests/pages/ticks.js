// A call that lasts until the test ends it, and tells the recorder a number twenty times a second: what is lost, doubled or out of
// order in the dump shows at once.

import { call, connect, connectionIds, record, saw, stopRecord } from './record.js';
import { init } from '/rtctrace/index.js';

const endpoint = /** @type {string} */ (new URLSearchParams(location.search).get('endpoint'));

/** @param {RTCPeerConnection} pc */
const idOf = (pc) => connectionIds.get(pc) ?? null;
/** @param {RTCPeerConnection} pc */
const setLocal = (pc) => call('setLocalDescription', idOf(pc), null, () => pc.setLocalDescription(), () => pc.localDescription);
/** @param {RTCPeerConnection} pc @param {RTCSessionDescriptionInit} description */
const setRemote = (pc, description) => call('setRemoteDescription', idOf(pc), description, () => pc.setRemoteDescription(description));

/** @param {RTCPeerConnection} pc */
async function gathered(pc) {
  while (pc.iceGatheringState !== 'complete') await new Promise((resolve) => setTimeout(resolve, 20));
  return /** @type {RTCSessionDescription} */ (pc.localDescription).toJSON();
}

async function start() {
  const recorder = await init({ endpoint, getStatsInterval: 200 });
  let ticks = 0;
  const ticking = setInterval(() => {
    saw(':tick', null, ticks);
    recorder.event('tick', ticks);
    ticks += 1;
  }, 50);

  const a = connect();
  const b = connect();
  saw('createDataChannel', idOf(a), ['chat']);
  a.createDataChannel('chat');
  await setLocal(a);
  await setRemote(b, await gathered(a));
  await setLocal(b);
  await setRemote(a, await gathered(b));

  return {
    recorder,
    async end() {
      clearInterval(ticking);
      for (const pc of [a, b]) {
        saw('close', idOf(pc), null);
        pc.close();
      }
      stopRecord();
      await recorder.close();
      return { session: recorder.session, record, ticks };
    },
  };
}

Object.assign(window, { running: start() });
