// @ts-nocheck
// Same-origin frames stay as they are, and objects may wander between them.

import { describeError, outcome, sleep } from '../tools.js';

const frame = async () => {
  const element = document.createElement('iframe');
  document.body.append(element);
  await sleep(0);
  return element;
};

const about = (inner) => {
  const descriptor = Object.getOwnPropertyDescriptor(inner, 'RTCPeerConnection');
  return [
    String(inner.RTCPeerConnection),
    String(inner.RTCPeerConnection.prototype.createOffer),
    String(inner.MediaStreamTrack.prototype.stop),
    String(inner.navigator.mediaDevices?.getUserMedia),
    [descriptor.writable, descriptor.enumerable, descriptor.configurable],
    inner.RTCPeerConnection !== RTCPeerConnection,
    inner.RTCPeerConnection.prototype.createOffer !== RTCPeerConnection.prototype.createOffer,
    Object.getOwnPropertySymbols(inner).map(String),
  ];
};

let early;

export const before = async () => {
  early = await frame();
};

export const probes = {
  async untouched() {
    const late = await frame();
    return [about(early.contentWindow), about(late.contentWindow)];
  },

  async works() {
    const seen = [];
    for (const element of [early, await frame()]) {
      const inner = element.contentWindow;
      const pc = new inner.RTCPeerConnection();
      pc.createDataChannel('x');
      const offer = await pc.createOffer();
      await pc.setLocalDescription(offer);
      seen.push(pc instanceof inner.RTCPeerConnection, pc instanceof RTCPeerConnection, pc.constructor === inner.RTCPeerConnection, offer.type, pc.signalingState, pc.createOffer() instanceof inner.Promise);
      pc.close();
    }
    return seen;
  },

  /** A method of one window on an object of the other. */
  async crossed() {
    const inner = early.contentWindow;
    const [ours, theirs] = [new RTCPeerConnection(), new inner.RTCPeerConnection()];
    const seen = [
      await outcome(() => RTCPeerConnection.prototype.createOffer.call(theirs)),
      await outcome(() => inner.RTCPeerConnection.prototype.createOffer.call(ours)),
      RTCPeerConnection.prototype.createOffer.call(theirs) instanceof Promise,
      inner.RTCPeerConnection.prototype.createOffer.call(ours) instanceof Promise,
      await outcome(() => RTCPeerConnection.prototype.createDataChannel.call(theirs, 'x')),
      await outcome(() => inner.RTCPeerConnection.prototype.addTransceiver.call(ours, 'video')),
    ];
    const error = await RTCPeerConnection.prototype.createAnswer.call(theirs).catch((reason) => reason);
    seen.push(describeError(error), error instanceof DOMException, error instanceof inner.DOMException);
    const crossing = Reflect.construct(RTCPeerConnection, [], inner.RTCPeerConnection);
    seen.push(Object.getPrototypeOf(crossing) === inner.RTCPeerConnection.prototype);
    for (const pc of [ours, theirs]) pc.close();
    RTCPeerConnection.prototype.close.call(crossing);
    return seen;
  },

  /** A page that takes the originals from a frame finds them as good as ever. */
  async originals() {
    const inner = early.contentWindow;
    const pc = new RTCPeerConnection();
    const seen = [];
    for (const name of ['createOffer', 'setLocalDescription', 'getStats', 'getSenders', 'close']) {
      seen.push(await outcome(() => inner.RTCPeerConnection.prototype[name].call(pc)));
    }
    return seen;
  },

  async removed() {
    const element = await frame();
    const inner = element.contentWindow;
    const pc = new inner.RTCPeerConnection();
    element.remove();
    await sleep(20);
    const seen = [await Promise.race([outcome(() => pc.createOffer()), sleep(300).then(() => 'pending')]), // What Firefox says of it depends on how far the frame's end has come.
      (await outcome(() => pc.createDataChannel('x'))).startsWith('threw'), pc.signalingState];
    try {
      seen.push(Object.prototype.toString.call(new inner.RTCPeerConnection()));
    } catch (error) {
      seen.push(`${error.name}: ${error.message}`);
    }
    return seen;
  },
};
