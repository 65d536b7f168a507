// @ts-nocheck
// When a page hears of an outcome, counted in microtasks.

import { canvasTrack, fakeStream, foreignOffer, sleep, withConnections } from '../tools.js';

/** Ways in which a page takes an outcome. Each says its name once it has it. */
const takers = (promise, say) => {
  promise.then(() => say('then'), () => say('then failed'));
  promise.catch(() => say('catch')).then(() => say('after catch'));
  promise.finally(() => say('finally')).catch(() => say('after finally'));
  (async () => {
    try {
      await promise;
      say('await');
    } catch {
      say('await failed');
    }
  })();
  Promise.all([promise, 1]).then(() => say('all'), () => say('all failed'));
  Promise.race([promise]).then(() => say('race'), () => say('race failed'));
  Promise.allSettled([promise]).then(() => say('settled'));
  (async () => promise)().then(() => say('async return'), () => say('async return failed'));
  new Promise((resolve) => resolve(promise)).then(() => say('resolve'), () => say('resolve failed'));
  Promise.resolve(promise).then(() => say('same'), () => say('same failed'));
  Promise.resolve().then(() => promise).then(() => say('from then'), () => say('from then failed'));
  (async () => await promise)().then(() => say('return await'), () => say('return await failed'));
  class Derived extends Promise {}
  Derived.resolve(promise).then(() => say('subclass'), () => say('subclass failed'));
  (async () => {
    for await (const value of [promise]) say(`for await ${typeof value}`);
  })().catch(() => say('for await failed'));
  (async function* () {
    yield promise;
  })().next().then(() => say('yield'), () => say('yield failed'));
};

/** The number of microtasks until each taker hears of an outcome that is there at once. */
async function turns(work) {
  const log = [];
  let turn = 0;
  const promise = work();
  const count = () => {
    turn += 1;
    if (turn < 40) queueMicrotask(count);
  };
  queueMicrotask(count);
  takers(promise, (name) => log.push(`${turn} ${name}`));
  await sleep(0);
  if (log.length === 0) await promise.catch(() => {});
  await sleep(0);
  return turn < 40 ? 'the page was not idle' : log;
}

/** The order of takers, and of microtasks that begin with each of the given events. */
async function order(target, events, work) {
  const log = [];
  /** Microtasks one after the other, beside the takers. */
  const step = (name, left) => {
    log.push(`${name} ${left}`);
    if (left > 0) queueMicrotask(() => step(name, left - 1));
  };
  const listeners = events.map((name) => {
    const listener = () => step(name, 6);
    target.addEventListener(name, listener);
    return [name, listener];
  });
  const promise = work();
  promise.then(() => step('outcome', 8), () => step('outcome', 8));
  takers(promise, (name) => log.push(name));
  await promise.catch(() => {});
  await sleep(50);
  for (const [name, listener] of listeners) target.removeEventListener(name, listener);
  return log;
}

/** Two calls at once: their takers do not mix otherwise than natively. */
async function pair(work) {
  const log = [];
  const promises = [work(), work()];
  promises.forEach((promise, index) => takers(promise, (name) => log.push(`${index} ${name}`)));
  await Promise.allSettled(promises);
  await sleep(20);
  return log;
}

const hostile = (member) => ({
  get [member]() {
    throw new RangeError('mine');
  },
});

export const probes = {
  async rejectedAtOnce() {
    return withConnections(2, async (pc, closed) => {
      closed.close();
      const { sender } = pc.addTransceiver('video');
      const table = {
        createOffer: () => pc.createOffer(hostile('iceRestart')),
        wrongThis: () => RTCPeerConnection.prototype.createOffer.call({}),
        closedOffer: () => closed.createOffer(),
        createAnswer: () => pc.createAnswer(),
        setLocalDescription: () => pc.setLocalDescription(hostile('sdp')),
        setRemoteDescription: () => pc.setRemoteDescription({}),
        noDescription: () => pc.setRemoteDescription(),
        closedRemote: () => closed.setRemoteDescription({ type: 'offer', sdp: '' }),
        addIceCandidate: () => pc.addIceCandidate({ candidate: 'candidate:1' }),
        closedCandidate: () => closed.addIceCandidate(null),
        getStats: () => pc.getStats(7),
        getStatsOfNone: () => pc.getStats(canvasTrack()),
        replaceTrack: () => sender.replaceTrack(7),
        setParameters: () => sender.setParameters({}),
        getUserMedia: () => navigator.mediaDevices.getUserMedia({}),
        getUserMediaGetter: () => navigator.mediaDevices.getUserMedia(hostile('video')),
        devices: () => MediaDevices.prototype.enumerateDevices.call({}),
        generateCertificate: () => RTCPeerConnection.generateCertificate({ name: 'x' }),
        applyConstraints: () => canvasTrack().applyConstraints(7),
        play: () => HTMLMediaElement.prototype.play.call({}),
      };
      const seen = {};
      for (const [name, work] of Object.entries(table)) seen[name] = await turns(work);
      return seen;
    });
  },

  async rejectedLater() {
    return withConnections(1, (pc) => order(pc, [], () => pc.setRemoteDescription({ type: 'answer', sdp: 'x' })));
  },

  async fulfilled() {
    return withConnections(2, async (pc, empty) => {
      const track = canvasTrack();
      const { sender } = pc.addTransceiver(track);
      const element = Object.assign(document.createElement('video'), { muted: true, srcObject: new MediaStream([track]) });
      const table = {
        createOffer: () => pc.createOffer(),
        getStats: () => pc.getStats(),
        senderStats: () => sender.getStats(),
        replaceTrack: () => sender.replaceTrack(null),
        replaceAgain: () => sender.replaceTrack(track),
        setParameters: () => sender.setParameters(sender.getParameters()),
        getUserMedia: () => fakeStream({ audio: true }),
        devices: () => navigator.mediaDevices.enumerateDevices(),
        applyConstraints: () => track.applyConstraints({}),
        noCandidate: () => empty.addIceCandidate(null),
        play: () => element.play(),
      };
      const seen = {};
      for (const [name, work] of Object.entries(table)) seen[name] = await order(pc, [], work);
      return seen;
    });
  },

  async descriptionsAndEvents() {
    return withConnections(3, async (a, b, third) => {
      a.addTransceiver('audio');
      a.addTransceiver('video');
      const seen = {};
      // icegatheringstatechange has no place of its own in the order: it waits for sockets.
      seen.offer = await order(a, ['signalingstatechange', 'negotiationneeded'], () => a.setLocalDescription());
      seen.remote = await order(b, ['signalingstatechange', 'track', 'negotiationneeded'], () => b.setRemoteDescription(a.localDescription));
      seen.createAnswer = await order(b, ['signalingstatechange'], () => b.createAnswer());
      seen.answer = await order(b, ['signalingstatechange', 'negotiationneeded'], () => b.setLocalDescription());
      seen.accepted = await order(a, ['signalingstatechange', 'track'], () => a.setRemoteDescription(b.localDescription));
      seen.bad = await order(third, ['signalingstatechange', 'track'], () => third.setRemoteDescription({ type: 'offer', sdp: 'v=0\r\n' }));
      seen.mangled = await order(third, ['signalingstatechange'], () => third.setLocalDescription({ type: 'offer', sdp: 'x' }));
      seen.explicit = await order(third, ['signalingstatechange'], async () => third.setRemoteDescription(await foreignOffer()));
      seen.rollback = await order(third, ['signalingstatechange'], () => third.setRemoteDescription({ type: 'rollback' }));
      return seen;
    });
  },

  async inPairs() {
    return withConnections(1, async (pc) => ({
      stats: await pair(() => pc.getStats()),
      offers: await pair(() => pc.createOffer()),
      descriptions: await pair(() => pc.setLocalDescription()),
      bad: await pair(() => pc.setRemoteDescription({ type: 'answer', sdp: 'x' })),
      refused: await pair(() => navigator.mediaDevices.getUserMedia({})),
    }));
  },

  /** Calls that wait in the connection's own queue of operations are in step with one another. */
  async chained() {
    return withConnections(1, async (pc) => {
      const log = [];
      pc.onsignalingstatechange = () => log.push(`state ${pc.signalingState}`);
      pc.createDataChannel('x');
      const all = [
        pc.createOffer().then(() => log.push('offer')),
        pc.setLocalDescription().then(() => log.push('local')),
        pc.createOffer().then(() => log.push('offer again')),
        pc.setRemoteDescription({ type: 'answer', sdp: 'x' }).catch(() => log.push('remote failed')),
        pc.setLocalDescription({ type: 'rollback' }).then(() => log.push('rollback')),
      ];
      await Promise.all(all);
      return log;
    });
  },

  /** No call leaves a microtask behind that the page did not ask for. */
  async synchronous() {
    return withConnections(1, async (pc) => {
      const log = [];
      queueMicrotask(() => log.push('first'));
      const transceiver = pc.addTransceiver('audio');
      pc.createDataChannel('x');
      transceiver.direction = 'recvonly';
      pc.restartIce();
      log.push('synchronous');
      queueMicrotask(() => log.push('second'));
      await null;
      await null;
      return log;
    });
  },
};
