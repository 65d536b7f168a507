// @ts-nocheck
// What a page lets go of is collected. How soon is the browser's affair, so this asks for a share.

import { canvasTrack, sleep } from '../tools.js';

/** Chromium has a function for it when told to; Firefox collects when there is much to collect. */
async function collect() {
  if (window.gc) return void window.gc();
  for (let index = 0; index < 60; index += 1) new ArrayBuffer(8 * 1024 * 1024);
  let list;
  for (let index = 0; index < 200_000; index += 1) list = { list: index % 1000 ? list : undefined, text: new Array(8) };
}

/** Of things made and let go of, a hundred each time: are nearly all of them gone? */
const probe = (make) => async () => {
  const references = [];
  await (async () => {
    for (let index = 0; index < 30; index += 1) references.push(...(await make()).map((thing) => new WeakRef(thing)));
  })();
  const left = () => references.filter((reference) => reference.deref()).length;
  for (let round = 0; round < 60 && left() > 2; round += 1) {
    await sleep(50);
    await collect();
  }
  return left() <= Math.max(2, references.length / 20) ? 'collected' : `${left()} of ${references.length} are left`;
};

export const probes = {
  closedConnections: probe(async () => {
    const pc = new RTCPeerConnection();
    const channel = pc.createDataChannel('x');
    const transceiver = pc.addTransceiver('video');
    await pc.setLocalDescription();
    pc.close();
    return [pc, channel, transceiver, transceiver.sender, transceiver.receiver.track];
  }),

  results: probe(async () => {
    const pc = new RTCPeerConnection();
    const offer = await pc.createOffer();
    const report = await pc.getStats();
    const promise = pc.getStats();
    await promise;
    pc.close();
    return [offer, report, promise];
  }),

  /** Promises that nothing will settle any more. */
  pending: probe(async () => {
    const pc = new RTCPeerConnection();
    pc.createDataChannel('x');
    const promise = pc.createOffer();
    pc.close();
    return [pc, promise];
  }),

  failures: probe(async () => {
    const pc = new RTCPeerConnection();
    const promise = pc.setRemoteDescription({ type: 'answer', sdp: 'x' });
    const error = await promise.catch((reason) => reason);
    pc.close();
    return [promise, error];
  }),

  arguments: probe(async () => {
    const configuration = { iceServers: [] };
    const pc = new RTCPeerConnection(configuration);
    const options = { ordered: false };
    pc.createDataChannel('x', options);
    const callback = () => {};
    await pc.createOffer(callback, callback);
    pc.close();
    return [configuration, options, callback];
  }),

  tracks: probe(async () => {
    const track = canvasTrack();
    const stream = new MediaStream([track]);
    const video = document.createElement('video');
    video.srcObject = stream;
    await sleep(0);
    video.srcObject = null;
    track.stop();
    return [stream, video];
  }),

  /** An element that still has its stream. */
  elements: probe(async () => {
    const stream = new MediaStream();
    const video = document.createElement('video');
    video.srcObject = stream;
    return [stream, video];
  }),
};
