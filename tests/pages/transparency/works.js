// @ts-nocheck
// A page that starts the recorder under a condition that the test names, makes a call, and tells how both went.

import { connect, fakeStream, sleep, until } from './tools.js';

const parameters = new URLSearchParams(location.search);
const heard = [];
const errors = [];
addEventListener('error', (event) => errors.push(String(event.message)));
addEventListener('unhandledrejection', (event) => errors.push(String(event.reason)));

/** All functions of the page's interfaces, by path. */
function originals() {
  const found = new Map();
  const add = (path, object) => {
    for (const [key, { value, get, set }] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
      for (const [kind, f] of Object.entries({ value, get, set })) if (typeof f === 'function') found.set(`${path}.${key} ${kind}`, f);
    }
  };
  for (const name of Object.getOwnPropertyNames(window)) {
    if (!/^(RTC|webkitRTC|mozRTC|Media|HTML|EventTarget|Promise|Navigator|Document|Object|Array|Function|WebSocket|JSON)/.test(name)) continue;
    const { value } = Object.getOwnPropertyDescriptor(window, name);
    if (typeof value !== 'function') continue;
    found.set(name, value);
    add(name, value);
    if (value.prototype) add(`${name}.prototype`, value.prototype);
  }
  add('navigator', navigator);
  if (navigator.mediaDevices) add('mediaDevices', navigator.mediaDevices);
  return found;
}

/** What was replaced and is not back. */
const changed = (before) => {
  const now = originals();
  return [...new Set([...before.keys(), ...now.keys()])].filter((path) => before.get(path) !== now.get(path));
};

const forbid = (object, name) => Object.defineProperty(object, name, { configurable: true, get() { throw new DOMException('forbidden', 'SecurityError'); } });

/** What the page is like before the recorder comes. */
const conditions = {
  noWebAssembly: () => delete window.WebAssembly,
  noFinalizationRegistry: () => delete window.FinalizationRegistry,
  noWeakRef: () => delete window.WeakRef,
  noStorage: () => forbid(window, 'sessionStorage'),
  noCrypto: () => forbid(window, 'crypto'),
  noConsole: () => Object.defineProperty(window, 'console', { configurable: true, value: undefined }),
  noWebSocket: () => delete window.WebSocket,
  noMediaDevices: () => Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: undefined }),
  noConnections: () => ['RTCPeerConnection', 'webkitRTCPeerConnection', 'mozRTCPeerConnection'].forEach((name) => delete window[name]),
  frozenPrototypes: () => Object.freeze(RTCPeerConnection.prototype),
  frozenGlobal: () => Object.defineProperty(window, 'RTCPeerConnection', { writable: false, configurable: false }),
  throwingGetter: () => Object.defineProperty(RTCPeerConnection.prototype, 'createOffer', { configurable: true, get: () => RTCPeerConnection.prototype.createAnswer }),
};

const logs = {
  kept: (message) => heard.push(message),
  throwing: (message) => {
    heard.push(message);
    throw new Error('thrown by log');
  },
};

/** A call with media and data. Needs nothing of what a condition takes away. */
async function call() {
  if (!window.RTCPeerConnection) return 'no connections';
  const stream = navigator.mediaDevices ? await fakeStream() : new MediaStream();
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  for (const track of stream.getTracks()) a.addTrack(track, stream);
  const channel = a.createDataChannel('x');
  let received = 0;
  let text;
  b.ontrack = () => (received += 1);
  b.ondatachannel = (event) => (event.channel.onmessage = ({ data }) => (text = data));
  await connect(a, b);
  await until(() => channel.readyState === 'open');
  channel.send('hello');
  await until(() => text);
  const report = await a.getStats();
  const failure = await a.setRemoteDescription({ type: 'answer', sdp: 'x' }).catch((error) => error.name);
  for (const pc of [a, b]) pc.close();
  for (const track of stream.getTracks()) track.stop();
  return { received, text, state: a.signalingState, reports: report.size > 5, failure: typeof failure };
}

async function run() {
  const condition = parameters.get('condition');
  if (condition) conditions[condition]();
  const before = originals();
  const options = {
    endpoint: parameters.get('endpoint') ?? location.origin,
    getStatsInterval: 100,
    ...(parameters.has('default-log') ? {} : { log: logs[parameters.get('log') ?? 'kept'] }),
    ...(parameters.has('wasm') ? { wasmUrl: parameters.get('wasm') } : {}),
  };
  const face = parameters.get('face') ?? 'index';
  const api = await import(`/rtctrace/${face}.js`);
  let recorder;
  const ready = face === 'inline' ? Promise.resolve(api.start(options)) : api.init(options);
  ready.then((value) => (recorder = value));
  // Once while it starts, once when that is over.
  const early = await call();
  await ready;
  const late = await call();
  await sleep(150);
  const { state, counters } = recorder;
  const left = state === 'closed' ? changed(before) : [];
  if (parameters.has('restore')) {
    recorder.restore();
    left.push(...changed(before));
    await sleep(50);
    left.push(...changed(before));
    await call();
  }
  return { early, late, heard, errors, state, faults: counters.faults, changed: left, lines: counters.lines };
}

run()
  .catch((error) => ({ failed: `${error} ${error.stack}` }))
  .then((outcome) => {
    window.outcome = JSON.stringify(outcome);
    document.body.append(Object.assign(document.createElement('p'), { id: 'done' }));
  });
