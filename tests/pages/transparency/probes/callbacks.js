// @ts-nocheck
// The forms with callbacks, of old.

import { describeError, foreignOffer, outcomes, sleep, withConnections } from '../tools.js';

/** Runs a call with two callbacks and tells how and when each was called. */
async function spied(call) {
  const log = [];
  const callback = (name) =>
    function (...args) {
      // Firefox has errors of old that are neither of these classes.
      const isError = (arg) => arg instanceof Error || arg instanceof DOMException || arg?.message !== undefined;
      log.push([name, typeof this, args.length, args.map((arg) => (isError(arg) ? describeError(arg) : `${Object.prototype.toString.call(arg)} ${arg?.constructor?.name} ${arg?.type}`))]);
      queueMicrotask(() => log.push(`microtask of ${name}`));
    };
  const result = call(callback('success'), callback('failure'));
  log.push(Object.prototype.toString.call(result));
  queueMicrotask(() => log.push('microtask of the call'));
  if (result instanceof Promise) {
    const settled = result.then((value) => log.push(`fulfilled ${typeof value}`), (error) => log.push(`rejected ${describeError(error)}`));
    await Promise.race([settled, sleep(1500)]);
  }
  await sleep(150);
  return log;
}

const legacyMedia = () => ['getUserMedia', 'webkitGetUserMedia', 'mozGetUserMedia'].filter((name) => name in navigator);

export const probes = {
  async descriptions() {
    const offer = await foreignOffer();
    return withConnections(3, async (a, b, c) => {
      a.createDataChannel('x');
      const own = await a.createOffer();
      return {
        createOffer: await spied((success, failure) => a.createOffer(success, failure)),
        createOfferWithOptions: await spied((success, failure) => a.createOffer(success, failure, { iceRestart: true })),
        setLocalDescription: await spied((success, failure) => a.setLocalDescription(own, success, failure)),
        setRemoteDescription: await spied((success, failure) => b.setRemoteDescription(offer, success, failure)),
        createAnswer: await spied((success, failure) => b.createAnswer(success, failure)),
        addIceCandidate: await spied((success, failure) => b.addIceCandidate({ candidate: '', sdpMid: '0' }, success, failure)),
        failedAnswer: await spied((success, failure) => c.createAnswer(success, failure)),
        failedLocal: await spied((success, failure) => c.setLocalDescription({ type: 'offer', sdp: 'x' }, success, failure)),
        failedRemote: await spied((success, failure) => c.setRemoteDescription({ type: 'answer', sdp: 'x' }, success, failure)),
        failedCandidate: await spied((success, failure) => b.addIceCandidate({ candidate: 'candidate:1', sdpMid: '0' }, success, failure)),
        failedOptions: await spied((success, failure) => a.createOffer(success, failure, { get iceRestart() { throw new RangeError('mine'); } })),
      };
    });
  },

  async closed() {
    return withConnections(1, async (pc) => {
      pc.close();
      return {
        createOffer: await spied((success, failure) => pc.createOffer(success, failure)),
        setLocalDescription: await spied((success, failure) => pc.setLocalDescription({ type: 'offer', sdp: '' }, success, failure)),
        setRemoteDescription: await spied((success, failure) => pc.setRemoteDescription({ type: 'offer', sdp: '' }, success, failure)),
        addIceCandidate: await spied((success, failure) => pc.addIceCandidate(null, success, failure)),
      };
    });
  },

  /** A function that is not strict has the window for its `this`. */
  async sloppy() {
    return withConnections(1, async (pc) => {
      const log = [];
      const callback = (name) => new Function('log', 'name', 'return function () { log.push([name, this === window, arguments.length]); }')(log, name);
      log.push(String(await pc.createOffer(callback('success'), callback('failure'))));
      log.push(String(await pc.createAnswer(callback('success'), callback('failure'))));
      return log;
    });
  },

  async badCallbacks() {
    const offer = await foreignOffer();
    const f = () => {};
    return withConnections(1, (pc) =>
      outcomes({
        one: () => pc.createOffer(f),
        undefinedFailure: () => pc.createOffer(f, undefined),
        nullFailure: () => pc.createOffer(f, null),
        nullSuccess: () => pc.createOffer(null, f),
        object: () => pc.createOffer(f, {}),
        number: () => pc.createOffer(f, 7),
        handler: () => pc.createOffer({ handleEvent: f }, f),
        remoteOne: () => pc.setRemoteDescription(offer, f),
        remoteNull: () => pc.setRemoteDescription(offer, null, null),
        remoteSecond: () => pc.setRemoteDescription(offer, undefined, f),
        candidateOne: () => pc.addIceCandidate({ candidate: '' }, f),
        wrongThis: () => RTCPeerConnection.prototype.createOffer.call({}, f, f),
        statsCallback: () => pc.getStats(f),
        statsCallbacks: () => pc.getStats(null, f, f),
      }),
    );
  },

  /** An exception in a callback is the window's, once. */
  async throwing() {
    return withConnections(1, async (pc) => {
      const log = [];
      const onError = (event) => {
        event.preventDefault();
        log.push(`${event.type} ${describeError(event.error ?? event.reason)}`);
      };
      for (const type of ['error', 'unhandledrejection']) window.addEventListener(type, onError);
      pc.createOffer(() => { throw new RangeError('mine'); }, () => log.push('failure')).then(() => log.push('fulfilled'), () => log.push('rejected'));
      pc.setRemoteDescription({ type: 'answer', sdp: 'x' }, () => log.push('success'), () => { throw new RangeError('mine too'); }).then(() => log.push('fulfilled'), () => log.push('rejected'));
      await sleep(200);
      for (const type of ['error', 'unhandledrejection']) window.removeEventListener(type, onError);
      return log;
    });
  },

  async media() {
    const seen = {};
    for (const name of legacyMedia()) {
      seen[name] = await spied((success, failure) => navigator[name]({ audio: true }, success, failure));
      seen[`${name} failing`] = await spied((success, failure) => navigator[name]({ video: { width: { exact: 99999 } } }, success, failure));
      seen[`${name} badly`] = await outcomes({
        none: () => navigator[name](),
        one: () => navigator[name]({ audio: true }),
        two: () => navigator[name]({ audio: true }, () => {}),
        empty: () => navigator[name]({}, () => {}, () => {}),
        wrongThis: () => navigator[name].call({}, { audio: true }, () => {}, () => {}),
      });
    }
    return seen;
  },

  /** The very functions that the page gave are called, as often as given, also from a callback. */
  async nested() {
    return withConnections(1, async (pc) => {
      const log = [];
      const failure = () => log.push('failure');
      let count = 0;
      const success = (offer) => {
        log.push(`success ${count} ${offer.type}`);
        count += 1;
        if (count < 3) pc.createOffer(success, failure);
        else pc.setLocalDescription(offer, () => log.push('set'), failure);
      };
      pc.createDataChannel('x');
      pc.createOffer(success, failure);
      await sleep(300);
      return log;
    });
  },
};
