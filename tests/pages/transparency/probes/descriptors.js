// @ts-nocheck
// Every property of every interface of the page, and of the page's own objects.

const flagsOf = (descriptor) => ['writable', 'enumerable', 'configurable'].filter((flag) => descriptor[flag]).join(' ');

/** What no page can change shows with its value. */
const shown = ({ value, writable }) => (!writable && ['string', 'number', 'boolean'].includes(typeof value) ? JSON.stringify(value) : typeof value);

/** Own properties in their order. Whether the text says "native code" is what pages ask of a function. */
function describeFunction(f) {
  if (!f) return 'none';
  const own = Reflect.ownKeys(f).map((key) => [String(key), Reflect.getOwnPropertyDescriptor(f, key)]);
  const keys = own.map(([key, descriptor]) => `${key} ${shown(descriptor)} ${flagsOf(descriptor)}`).join();
  return `${f.name}/${f.length} [${keys}] ${/\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(f)) ? 'native' : 'script'} ${Object.isExtensible(f)}`;
}

function describeProperty(object, key) {
  const descriptor = Reflect.getOwnPropertyDescriptor(object, key);
  if (!('value' in descriptor)) return `get ${describeFunction(descriptor.get)} set ${describeFunction(descriptor.set)} ${flagsOf(descriptor)}`;
  const { value } = descriptor;
  return `${typeof value === 'function' ? describeFunction(value) : shown(descriptor)} ${flagsOf(descriptor)}`;
}

/** Puts all of `object` under `path`. The order of properties shows in an entry of its own. */
function collect(into, path, object) {
  const keys = Reflect.ownKeys(object);
  into[`${path} keys`] = keys.map(String).join();
  for (const key of keys) into[`${path}.${String(key)}`] = describeProperty(object, key);
}

const OWN = ['outcome', 'heard', 'recorder', 'starting'];

function interfaces() {
  return Object.getOwnPropertyNames(window)
    .filter((name) => /^[A-Za-z]*[A-Z]/.test(name) && typeof Object.getOwnPropertyDescriptor(window, name).value === 'function')
    .sort();
}

export const probes = {
  async interfaces() {
    const seen = { names: interfaces().join() };
    for (const name of interfaces()) {
      seen[name] = describeProperty(window, name);
      collect(seen, name, window[name]);
      if (window[name].prototype) collect(seen, `${name}.prototype`, window[name].prototype);
    }
    return seen;
  },

  async namespaces() {
    const seen = {};
    for (const name of ['JSON', 'Math', 'Reflect', 'WebAssembly', 'Intl', 'console']) collect(seen, name, window[name]);
    return seen;
  },

  async globals() {
    // Copies of the package must be able to find each other: symbols of that name are ours.
    const symbols = Object.getOwnPropertySymbols(window).map(String).filter((name) => !name.startsWith('Symbol(rtctrace'));
    const enumerated = [];
    for (const name in window) enumerated.push(name);
    // Firefox makes some of its globals, in the order in which they are first asked for. What drives it may put its own among them,
    // sooner or later.
    const names = (list) => list.filter((name) => !OWN.includes(name) && !name.startsWith('__pw')).sort().join();
    return { keys: names(Object.keys(window)), names: names(Object.getOwnPropertyNames(window)), enumerated: names(enumerated), symbols };
  },

  async objects() {
    const seen = {};
    const things = { navigator, document, mediaDevices: navigator.mediaDevices, screen, location, history, sessionStorage: Object.getPrototypeOf(sessionStorage) };
    for (const [name, object] of Object.entries(things)) collect(seen, name, object);
    if (navigator.connection) collect(seen, 'connection', navigator.connection);
    return seen;
  },

  async instances() {
    const seen = {};
    const pc = new RTCPeerConnection();
    const channel = pc.createDataChannel('x');
    const transceiver = pc.addTransceiver('video');
    const offer = await pc.createOffer();
    await pc.setLocalDescription(offer);
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    const report = await pc.getStats();
    const video = document.createElement('video');
    video.srcObject = stream;
    const things = { pc, channel, transceiver, offer, stream, report, video, sender: transceiver.sender, receiver: transceiver.receiver, description: pc.localDescription };
    things.track = stream.getTracks()[0];
    things.sctp = pc.sctp;
    things.dtls = transceiver.sender.transport;
    things.ice = transceiver.sender.transport?.iceTransport;
    for (const [name, object] of Object.entries(things)) {
      if (!object) continue;
      collect(seen, name, object);
      seen[`${name} is`] = `${Object.prototype.toString.call(object)} ${Object.isExtensible(object)} ${Object.getPrototypeOf(object)?.constructor?.name}`;
      const members = [];
      for (const member in object) members.push(member);
      seen[`${name} for in`] = members.join();
    }
    pc.close();
    for (const track of stream.getTracks()) track.stop();
    return seen;
  },

  async storage() {
    return [Object.keys(sessionStorage).filter((key) => key !== 'rtctrace.reloads'), Object.keys(localStorage), document.cookie, performance.getEntriesByType('mark').length, performance.getEntriesByType('measure').length];
  },
};
