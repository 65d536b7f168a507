// A call that lasts until the test ends it, and tells the recorder a number twenty times a second: what is lost, doubled or out of
// order in the dump shows at once. The test is about the way of the lines, so the call itself is a plain one.

import { call, connect, connectionIds, record, saw, stopRecord, trackValue } from './record.js';
import { init } from '/rtctrace/index.js';

const parameters = new URLSearchParams(location.search);
/** @param {string} name */
const number = (name) => (parameters.has(name) ? Number(parameters.get(name)) : undefined);

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

let loopbacks = 0;

/** Two connections of this page that call each other, with a data channel and, if wanted, camera and microphone. */
async function loopback() {
  const calls = loopbacks++;
  const a = connect();
  const b = connect();
  saw('createDataChannel', idOf(a), ['chat']);
  a.createDataChannel('chat');
  /** @type {MediaStream | undefined} */
  let stream;
  if (parameters.has('media')) {
    const constraints = { audio: true, video: { width: 320, height: 240 } };
    const media = await call('navigator.mediaDevices.getUserMedia', null, constraints, () => navigator.mediaDevices.getUserMedia(constraints), (result) => result.getTracks().map((track) => trackValue(track, [result])));
    stream = media;
    media.getTracks().forEach((track, index) => {
      saw('addTrack', idOf(a), trackValue(track, [media]));
      a.addTrack(track, media);
      saw('addTrackOnSuccess', idOf(a), null, a.getTransceivers()[index].receiver.track.id);
    });
  }
  await setLocal(a);
  await setRemote(b, await gathered(a));
  await setLocal(b);
  await setRemote(a, await gathered(b));
  return () => {
    for (const pc of [a, b]) {
      saw('close', idOf(pc), null);
      pc.close();
    }
    for (const track of stream?.getTracks() ?? []) {
      saw('MediaStreamTrack.stop', null, [], track.id, { call: 'navigator.mediaDevices.getUserMedia', number: calls });
      track.stop();
    }
  };
}

/** Keeps the record where the next page finds it, with all that comes until this page is gone. */
function keepRecord() {
  let count = 0;
  const keep = (/** @type {unknown[]} */ items) => {
    localStorage.setItem(`record ${count}`, JSON.stringify(items));
    localStorage.setItem('count', String((count += 1)));
  };
  keep(record);
  record.push = (...items) => {
    keep(items);
    return Array.prototype.push.apply(record, items);
  };
}

/** From the application's own server, which the proxy stands for. */
async function issueToken() {
  const answer = await fetch(`${parameters.get('endpoint')}/token`);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.text();
}

async function start() {
  /** @type {Awaited<ReturnType<typeof init>> | undefined} */
  let recorder;
  /** @param {string} name @param {unknown} [value] */
  const tell = (name, value = null) => {
    if (!recorder) return;
    saw(`:${name}`, null, value);
    recorder.event(name, value);
  };
  // Listeners that were there before the recorder's, and others that came later.
  addEventListener('pagehide', ({ isTrusted }) => {
    if (isTrusted) keepRecord();
    tell('pagehide', 'first');
  }, { capture: true });
  recorder = await init({
    endpoint: parameters.get('endpoint') ?? '',
    getStatsInterval: number('interval') ?? 200,
    ...(parameters.has('bufferBytes') && { bufferBytes: number('bufferBytes') }),
    ...(parameters.has('token') && { token: issueToken }),
  });
  addEventListener('pagehide', () => tell('pagehide', 'last'));
  addEventListener('pageshow', ({ persisted }) => {
    Reflect.deleteProperty(record, 'push');
    tell('pageshow', { persisted });
  });
  document.addEventListener('visibilitychange', () => tell('visibility', document.visibilityState));

  let ticks = 0;
  const ticking = setInterval(() => tell('tick', ticks++), 50);
  let hangUp = await loopback();
  const { session } = recorder;

  return {
    recorder,
    hangUp: () => hangUp(),
    async callAgain() {
      hangUp = await loopback();
    },
    /** What a page sees that goes into the back-forward cache and comes back, but for the time in between. */
    pretendToLeave() {
      const happens = (/** @type {string} */ type) => {
        for (const listener of /** @type {any} */ (window).listeners[type]) listener.call(window, { type, isTrusted: true, persisted: true });
      };
      happens('pagehide');
      return () => happens('pageshow');
    },
    /** A burst of lines, more than one frame holds. @param {number} count */
    burst(count) {
      for (let index = 0; index < count; index += 1) tell('burst', 'x'.repeat(index % 1000));
    },
    async end() {
      clearInterval(ticking);
      hangUp();
      stopRecord();
      await recorder.close();
      return { session, record, ticks, counters: recorder.counters };
    },
  };
}

Object.assign(window, { running: start() });
