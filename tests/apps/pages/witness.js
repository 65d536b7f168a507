// Runs before every script of a page, recorder and library included, and writes down what reaches the browser: which calls, on which
// connection, and which events came of them. A run with the recorder must come to the same calls as one without, and its dump to the
// same calls and events.
//
// A classic script without names of its own.

(() => {
  // The empty page that comes before the app's is none to watch.
  if (!navigator.mediaDevices) return;
  /** @type {{ method: string, connection: number | null }[]} */
  const seen = [];
  Object.defineProperty(window, 'witness', { value: seen });
  /** @type {WeakMap<object, number>} */
  const numbers = new WeakMap();
  /** @type {RTCPeerConnection[]} */
  const connections = [];

  /** @param {any} owner @param {string} name @param {(self: object) => number | null} [connection] @param {string} [method] */
  function watch(owner, name, connection = () => null, method = name) {
    const { value, ...descriptor } = Object.getOwnPropertyDescriptor(owner, name) ?? {};
    if (typeof value !== 'function') return;
    const watched = new Proxy(value, {
      apply(target, self, args) {
        seen.push({ method, connection: connection(self) });
        return Reflect.apply(target, self, args);
      },
    });
    Object.defineProperty(owner, name, { value: watched, ...descriptor });
  }

  const native = window.RTCPeerConnection;
  const calls = [
    'addIceCandidate', 'addStream', 'addTrack', 'addTransceiver', 'close', 'createAnswer', 'createDataChannel', 'createOffer',
    'removeStream', 'removeTrack', 'restartIce', 'setConfiguration', 'setLocalDescription', 'setRemoteDescription',
  ];
  for (const name of calls) watch(native.prototype, name, (self) => numbers.get(self) ?? null);
  const { getSenders } = native.prototype;
  /** @param {any} sender */
  const ofSender = (sender) => connections.findIndex((connection) => getSenders.call(connection).includes(sender));
  for (const name of ['replaceTrack', 'setParameters']) watch(RTCRtpSender.prototype, name, ofSender);
  for (const name of ['getUserMedia', 'enumerateDevices']) watch(MediaDevices.prototype, name, undefined, `navigator.mediaDevices.${name}`);

  const events = [
    'connectionstatechange', 'datachannel', 'icecandidate', 'iceconnectionstatechange', 'icegatheringstatechange', 'negotiationneeded',
    'signalingstatechange', 'track',
  ];
  const watched = new Proxy(native, {
    construct(target, args, newTarget) {
      const connection = Reflect.construct(target, args, newTarget);
      const number = connections.push(connection) - 1;
      numbers.set(connection, number);
      seen.push({ method: 'create', connection: number });
      for (const name of events) native.prototype.addEventListener.call(connection, name, () => seen.push({ method: `on${name}`, connection: number }));
      return connection;
    },
  });
  native.prototype.constructor = watched;
  for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection'].filter((owned) => owned in window)) {
    Object.defineProperty(window, name, { value: watched, writable: true, enumerable: false, configurable: true });
  }
})();
