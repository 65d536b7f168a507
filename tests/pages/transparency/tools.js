// @ts-nocheck
// What the probes share. A probe returns what a page can see as something that JSON can say.

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Class and message, as a page that catches an error can tell it from others. */
export function describeError(error) {
  if (!(error instanceof Object)) return `${typeof error}: ${String(error)}`;
  const code = 'code' in error ? ` (${error.code})` : '';
  return `${error.constructor.name}/${error.name}: ${error.message}${code}`;
}

const describeValue = (value) => {
  if (value === null || typeof value !== 'object') return String(value);
  return `${Object.prototype.toString.call(value)} of ${value.constructor?.name}`;
};

/** How a call ended, whether at once or later. */
export async function outcome(work) {
  let result;
  try {
    result = work();
  } catch (error) {
    return `threw ${describeError(error)}`;
  }
  if (!(result instanceof Promise)) return `returned ${describeValue(result)}`;
  const settled = result.then(
    (value) => `fulfilled ${describeValue(value)}`,
    (error) => `rejected ${describeError(error)}`,
  );
  return Promise.race([settled, sleep(1500).then(() => 'still pending')]);
}

/** All outcomes of a table of calls. */
export async function outcomes(table) {
  const seen = {};
  for (const [name, work] of Object.entries(table)) seen[name] = await outcome(work);
  return seen;
}

export const fakeStream = (kinds = { audio: true, video: true }) => navigator.mediaDevices.getUserMedia(kinds);

/** A track that costs no device. */
export const canvasTrack = () => {
  const canvas = document.createElement('canvas');
  canvas.getContext('2d').fillRect(0, 0, 1, 1);
  return canvas.captureStream(5).getVideoTracks()[0];
};

/** Runs `use` with connections that are closed afterwards. */
export async function withConnections(count, use) {
  const connections = Array.from({ length: count }, () => new RTCPeerConnection());
  try {
    return await use(...connections);
  } finally {
    for (const pc of connections) pc.close();
  }
}

export async function connect(a, b) {
  a.onicecandidate = ({ candidate }) => candidate && b.addIceCandidate(candidate).catch(() => {});
  b.onicecandidate = ({ candidate }) => candidate && a.addIceCandidate(candidate).catch(() => {});
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
}

export const until = async (condition, ms = 5000) => {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`in vain: ${condition}`);
    await sleep(20);
  }
};

/** An offer with audio and video that no connection of the probe has made. */
export const foreignOffer = () =>
  withConnections(1, async (pc) => {
    pc.addTransceiver('audio');
    pc.addTransceiver('video');
    pc.createDataChannel('x');
    return pc.createOffer();
  });
