// @ts-nocheck
// Pages change the language's own objects: a polyfill, an old library, a fake clock. What they see of the calls stays the same.

import { canvasTrack, describeError, sleep } from '../tools.js';

// Whatever is taken away, a probe must be able to put it back.
const { assign, create, defineProperty, getOwnPropertyDescriptor } = Object;
/** Without a prototype, which may be sabotaged itself. */
const descriptorOf = (object, name) => {
  const descriptor = getOwnPropertyDescriptor(object, name);
  return descriptor && assign(create(null), descriptor);
};
const all = (works) => () => {
  for (let index = works.length - 1; index >= 0; index -= 1) works[index]();
};

const { setTimeout } = globalThis;
const NativePromise = Promise;
const pause = (ms) => new NativePromise((resolve) => setTimeout(resolve, ms));

/** Uses most of what is recorded. Depends on nothing that a sabotage takes away. */
async function use() {
  const pc = new RTCPeerConnection({ iceServers: [] });
  const seen = [];
  const track = canvasTrack();
  const sender = pc.addTrack(track, new MediaStream());
  seen[seen.length] = sender.track === track;
  const transceiver = pc.addTransceiver('audio');
  transceiver.direction = 'recvonly';
  seen[seen.length] = transceiver.direction;
  seen[seen.length] = pc.createDataChannel('x', { ordered: false }).label;
  const offer = await pc.createOffer({ iceRestart: true });
  seen[seen.length] = offer.type;
  await pc.setLocalDescription(offer);
  seen[seen.length] = pc.signalingState;
  await sender.replaceTrack(null);
  await sender.setParameters(sender.getParameters());
  seen[seen.length] = typeof (await pc.getStats()).size;
  try {
    await pc.setRemoteDescription({ type: 'answer', sdp: 'x' });
  } catch (error) {
    seen[seen.length] = describeError(error);
  }
  try {
    pc.addTrack();
  } catch (error) {
    seen[seen.length] = describeError(error);
  }
  track.enabled = false;
  seen[seen.length] = track.enabled;
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  seen[seen.length] = stream.getAudioTracks().length;
  stream.getAudioTracks()[0].stop();
  pc.close();
  seen[seen.length] = pc.signalingState;
  return seen;
}

const fail = () => {
  throw new Error('sabotage');
};

/** Each changes the page and returns what puts it right. */
function over(object, name, value) {
  const kept = descriptorOf(object, name);
  defineProperty(object, name, { __proto__: null, configurable: true, writable: true, enumerable: kept?.enumerable ?? false, value });
  return () => (kept ? defineProperty(object, name, kept) : delete object[name]);
}

const removed = (object, name) => {
  const kept = descriptorOf(object, name);
  delete object[name];
  return () => defineProperty(object, name, kept);
};

/** `find` and not the object: the list of probes is read outside of a page too. */
const methods = (find, names) => () => {
  const object = find();
  const undo = [];
  for (const name of names) undo[undo.length] = over(object, name, fail);
  return all(undo);
};

const sabotages = {
  nothing: () => () => {},
  json: methods(() => JSON, ['stringify', 'parse']),
  maps: methods(() => Map.prototype, ['get', 'set', 'has', 'delete', 'forEach']),
  weakMaps: methods(() => WeakMap.prototype, ['get', 'set', 'has', 'delete']),
  weakSets: methods(() => WeakSet.prototype, ['add', 'has', 'delete']),
  weakRefs: methods(() => WeakRef.prototype, ['deref']),
  arrays: methods(() => Array.prototype, ['map', 'forEach', 'filter', 'find', 'findIndex', 'indexOf', 'includes', 'slice', 'join', 'push', 'some', 'every', 'concat']),
  iteration: () => over(Array.prototype, Symbol.iterator, fail),
  strings: methods(() => String.prototype, ['startsWith', 'endsWith', 'includes', 'slice', 'replace', 'split', 'indexOf', 'concat', 'toLowerCase']),
  objects: methods(() => Object, ['assign', 'create', 'defineProperty', 'entries', 'freeze', 'fromEntries', 'getOwnPropertyDescriptor', 'getOwnPropertyNames', 'getPrototypeOf', 'keys', 'setPrototypeOf', 'values']),
  reflect: methods(() => Reflect, ['apply', 'construct', 'get', 'set', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'defineProperty']),
  functions: methods(() => Function.prototype, ['call', 'apply', 'bind']),
  hasOwn: methods(() => Object.prototype, ['hasOwnProperty', 'toString', 'valueOf']),
  proxies: () => over(window, 'Proxy', undefined),
  promiseClass: () => over(window, 'Promise', class Promise {}),
  weakMapClass: () => over(window, 'WeakMap', undefined),
  finalization: () => over(window, 'FinalizationRegistry', undefined),
  clocks: () => {
    const undo = [over(Date, 'now', fail), over(performance, 'now', fail), over(window, 'Date', undefined)];
    return all(undo);
  },
  timers: methods(() => window, ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'queueMicrotask']),
  microtasks: methods(() => window, ['queueMicrotask', 'requestIdleCallback', 'requestAnimationFrame']),
  encoders: methods(() => TextEncoder.prototype, ['encode', 'encodeInto']),
  sockets: methods(() => WebSocket.prototype, ['send', 'close']),
  listeners: methods(() => EventTarget.prototype, ['addEventListener', 'removeEventListener', 'dispatchEvent']),
  console: methods(() => console, ['log', 'warn', 'error', 'info', 'debug']),
  undefinedGlobals: () => {
    const undo = ['Map', 'Set', 'JSON', 'Reflect', 'TextEncoder', 'WebAssembly', 'URL', 'RTCStatsReport'].filter((name) => name in window).map((name) => over(window, name, undefined));
    return all(undo);
  },
  /** Descriptors are dictionaries too: whoever makes one of a plain object inherits from here. */
  inheritedMembers: () => {
    const undo = ['get', 'set', 'value', 'writable', 'toJSON', 'type', 'connection', '0'].map((name) => over(Object.prototype, name, name === 'get' || name === 'set' ? undefined : 'inherited'));
    return all(undo);
  },
  arrayMembers: () => {
    const undo = [over(Array.prototype, '3', 'inherited'), over(Array.prototype, 'toJSON', () => 'inherited')];
    return all(undo);
  },
  numbers: () => over(Number.prototype, 'toJSON', fail),
  removedCall: () => removed(Function.prototype, 'call'),
  removedFromEntries: () => removed(Object, 'fromEntries'),
  getters: () => {
    const names = ['signalingState', 'connectionState', 'iceConnectionState', 'localDescription'];
    const kept = names.map((name) => [name, Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, name)]);
    for (const [name, descriptor] of kept) if (name !== 'signalingState') Object.defineProperty(RTCPeerConnection.prototype, name, { ...descriptor, get: fail });
    return all(kept.map(([name, descriptor]) => () => defineProperty(RTCPeerConnection.prototype, name, descriptor)));
  },
};

const probe = (sabotage) => async () => {
  await null;
  const errors = [];
  const listener = (event) => (errors[errors.length] = `${event.type} ${event.reason ?? event.message}`);
  for (const type of ['error', 'unhandledrejection']) window.addEventListener(type, listener);
  const undo = sabotage();
  let seen;
  try {
    seen = await use();
    // A poll and the socket meet the sabotage too.
    await pause(250);
  } catch (error) {
    seen = `failed: ${error?.message}`;
  }
  undo();
  await sleep(30);
  for (const type of ['error', 'unhandledrejection']) window.removeEventListener(type, listener);
  return { seen, errors, after: sabotage === sabotages.nothing ? undefined : await use() };
};

export const probes = {
  ...Object.fromEntries(Object.entries(sabotages).map(([name, sabotage]) => [name, probe(sabotage)])),

  /** How often the page's own `then` is called: natively never. */
  async ownThen() {
    const { then } = Promise.prototype;
    let calls = 0;
    Promise.prototype.then = function (...args) {
      calls += 1;
      return then.apply(this, args);
    };
    const pc = new RTCPeerConnection();
    const promise = pc.createOffer();
    pc.getStats();
    pc.setLocalDescription();
    const seen = calls;
    Promise.prototype.then = then;
    await promise;
    pc.close();
    return seen;
  },

  /** A library puts its own `then` in the place of the browser's while a call is on its way, as zone.js does. */
  async ownThenLater() {
    const { then } = Promise.prototype;
    const pc = new RTCPeerConnection();
    const promise = pc.createOffer();
    let calls = 0;
    Promise.prototype.then = function (...args) {
      if (this === promise) calls += 1;
      return then.apply(this, args);
    };
    let results;
    try {
      results = await Promise.all([promise.then(() => 1), promise.catch(() => 2).then(() => 2), promise]);
    } finally {
      Promise.prototype.then = then;
    }
    pc.close();
    return [calls, ...results.slice(0, 2)];
  },

  /** A page with a promise class of its own in the place of the browser's. */
  async speciesGetter() {
    const kept = Object.getOwnPropertyDescriptor(Promise, Symbol.species);
    let calls = 0;
    Object.defineProperty(Promise, Symbol.species, {
      configurable: true,
      get() {
        calls += 1;
        return this;
      },
    });
    const pc = new RTCPeerConnection();
    const promise = pc.createOffer();
    const seen = calls;
    Object.defineProperty(Promise, Symbol.species, kept);
    await promise;
    pc.close();
    return seen;
  },
};
