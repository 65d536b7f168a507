// What the page itself sees of its calls, kept beside rtctrace: each call, outcome, event and report, in order. The test compares it
// with the stored dump, so nothing here may use rtctrace.

/**
 * @typedef {object} Seen
 * @property {string} method
 * @property {string | null} connection
 * @property {any} value
 * @property {any[]} extra a tracking id is written { call, number }
 * @property {number} at Unix time in ms
 */

/** @type {Seen[]} */
export const record = [];

let isOver = false;

/** To be called where the recording is ended: what the page hears of afterwards is no part of it. */
export function stopRecord() {
  isOver = true;
}

/** @param {string} method @param {string | null} connection @param {any} value @param {any[]} extra */
export function saw(method, connection, value, ...extra) {
  if (isOver) return;
  const copy = value === undefined ? null : JSON.parse(JSON.stringify(value));
  record.push({ method, connection, value: copy, extra, at: performance.timeOrigin + performance.now() });
}

/** @type {Record<string, number>} */
const calls = {};

/** The next tracking id of a method. @param {string} call */
export function tracking(call) {
  const number = (calls[call] ??= 0);
  calls[call] += 1;
  return { call, number };
}

/**
 * Makes an asynchronous call and keeps it with its outcome.
 * @template T
 * @param {string} method
 * @param {string | null} connection
 * @param {any} value
 * @param {() => Promise<T>} act
 * @param {(result: T) => any} [outcome]
 * @returns {Promise<T>}
 */
export async function call(method, connection, value, act, outcome = () => null) {
  const id = tracking(method);
  saw(method, connection, value, id);
  let result;
  try {
    result = await act();
  } catch (error) {
    saw(`${method}OnFailure`, connection, String(error), id);
    throw error;
  }
  const pc = connection === null ? undefined : connectionsById.get(connection);
  if (pc && /^set(Local|Remote)Description$/.test(method)) watchTransports(pc, connection);
  saw(`${method}OnSuccess`, connection, outcome(result), id);
  return result;
}

/** @type {WeakMap<RTCPeerConnection, string>} */
export const connectionIds = new WeakMap();
/** @type {Map<string | null, RTCPeerConnection>} */
const connectionsById = new Map();
let connections = 0;

/** @param {MediaStreamTrack} track @param {readonly MediaStream[]} [streams] */
export const trackValue = (track, streams = []) => [track.kind, track.id, track.label, ...streams.map((stream) => stream.id)];

/** @param {RTCConfiguration | undefined} configuration */
function configurationValue(configuration) {
  if (!configuration) return null;
  return {
    ...configuration,
    iceServers: configuration.iceServers?.map(({ credential, ...server }) => server),
    certificates: configuration.certificates?.map((certificate) => ({
      expires: certificate.expires,
      fingerprints: certificate.getFingerprints(),
    })),
  };
}

/** @param {RTCPeerConnection} pc @param {RTCConfiguration} configuration */
export function setConfiguration(pc, configuration) {
  saw('setConfiguration', connectionIds.get(pc) ?? null, configurationValue(configuration));
  pc.setConfiguration(configuration);
}

/** @param {RTCIceCandidate | null} candidate */
export function candidateValue(candidate) {
  if (!candidate) return null;
  /** @type {Record<string, any>} */
  const value = candidate.toJSON();
  // Newer members, which toJSON leaves out.
  for (const name of ['url', 'relayProtocol']) {
    const member = /** @type {any} */ (candidate)[name];
    if (member) value[name] = member;
  }
  return value;
}

/**
 * @param {RTCConfiguration} [configuration]
 * @param {any} [constraints] the obsolete second argument
 */
export function connect(configuration, constraints) {
  const id = `PC_${connections++}`;
  saw('create', id, configurationValue(configuration));
  if (constraints) saw('constraints', id, constraints);
  if (constraints?.optional) saw('identity', id, identityValue(constraints.optional));
  const Constructor = /** @type {any} */ (RTCPeerConnection);
  /** @type {RTCPeerConnection} */
  const pc = constraints ? new Constructor(configuration, constraints) : new Constructor(configuration);
  connectionIds.set(pc, id);
  connectionsById.set(id, pc);
  pc.addEventListener('icecandidate', (event) => saw('onicecandidate', id, candidateValue(event.candidate)));
  pc.addEventListener('icecandidateerror', (event) => {
    const { address, port, url, errorCode, errorText } = /** @type {RTCPeerConnectionIceErrorEvent} */ (event);
    saw('onicecandidateerror', id, { address, port, hostCandidate: /** @type {any} */ (event).hostCandidate, url, errorCode, errorText });
  });
  pc.addEventListener('negotiationneeded', () => saw('onnegotiationneeded', id, null));
  pc.addEventListener('datachannel', ({ channel }) => {
    saw('ondatachannel', id, [channel.id, channel.label]);
    watchChannel(channel, id);
  });
  for (const type of ['addstream', 'removestream']) {
    pc.addEventListener(type, (event) => saw(`on${type}`, id, streamValue(/** @type {any} */ (event).stream)));
  }
  for (const state of /** @type {const} */ (['signalingState', 'iceConnectionState', 'connectionState', 'iceGatheringState'])) {
    pc.addEventListener(`${state.toLowerCase()}change`, () => saw(`on${state.toLowerCase()}change`, id, pc[state]));
  }
  pc.addEventListener('track', ({ track, streams }) => {
    saw('ontrack', id, trackValue(track, streams));
    track.addEventListener('mute', () => saw('MediaStreamTrack.onmute', id, track.id));
    track.addEventListener('unmute', () => saw('MediaStreamTrack.onunmute', id, track.id));
    if (track.kind === 'video') play(track, id);
  });
  return pc;
}

/** @param {MediaStream} stream */
export const streamValue = (stream) => stream.getTracks().map((track) => trackValue(track, [stream]));

/** What Jitsi's applications pass to the constructor. @param {Record<string, string>[]} optional */
function identityValue(optional) {
  const { rtcStatsClientId: user, rtcStatsPeerId: peer, rtcStatsConferenceId: conference } = Object.assign({}, ...optional);
  return { user, peer, conference };
}

/** @type {WeakSet<object>} */
const watched = new WeakSet();

/**
 * @param {EventTarget | null | undefined} target once, whoever names it
 * @param {Record<string, (event: any) => void>} listeners
 */
function watch(target, listeners) {
  if (!target || watched.has(target)) return;
  watched.add(target);
  for (const [type, listener] of Object.entries(listeners)) target.addEventListener(type, listener);
}

/** @param {RTCDataChannel} channel @param {string | null} connection */
function watchChannel(channel, connection) {
  /** @param {string} type @param {string[]} more */
  const told = (type, ...more) => saw(`RTCDataChannel.on${type}`, connection, [channel.id, channel.label, ...more]);
  watch(channel, {
    open: () => told('open'),
    closing: () => told('closing'),
    close: () => told('close'),
    error: ({ error }) => told('error', String(error)),
    bufferedamountlow: () => told('bufferedamountlow'),
  });
}

/** Each transport from the moment when a description made it. @param {RTCPeerConnection} pc @param {string | null} connection */
function watchTransports(pc, connection) {
  /** @param {RTCDtlsTransport | null | undefined} dtls @param {string | null} mid */
  const watchDtls = (dtls, mid) => {
    watch(dtls, {
      statechange: () => saw('ondtlsstatechange', connection, dtls?.state, mid),
      error: ({ error }) => saw('ondtlserror', connection, String(error), mid),
    });
    const ice = /** @type {any} */ (dtls?.iceTransport);
    watch(ice, {
      statechange: () => saw('RTCIceTransport.onstatechange', connection, ice.state, mid),
      gatheringstatechange: () => saw('RTCIceTransport.ongatheringstatechange', connection, ice.gatheringState, mid),
      selectedcandidatepairchange: () => saw('RTCIceTransport.onselectedcandidatepairchange', connection, ice.getSelectedCandidatePair?.() ?? null, mid),
    });
  };
  for (const { sender, receiver, mid } of pc.getTransceivers()) {
    watchDtls(sender.transport, mid);
    watchDtls(receiver.transport, mid);
  }
  const { sctp } = pc;
  watch(sctp, { statechange: () => saw('RTCSctpTransport.onstatechange', connection, sctp?.state) });
  watchDtls(sctp?.transport, null);
}

document.addEventListener('visibilitychange', () => saw('document.onvisibilitychange', null, document.visibilityState));
for (const type of ['freeze', 'resume']) document.addEventListener(type, () => saw(`document.on${type}`, null, null));
// What the page itself dispatches is not recorded: the browser said nothing.
for (const type of ['online', 'offline']) addEventListener(type, ({ isTrusted }) => isTrusted && saw(`window.on${type}`, null, null));
const network = /** @type {any} */ (navigator).connection;
network?.addEventListener('change', () => {
  const { effectiveType, type, downlink, rtt, saveData } = network;
  saw('navigator.connection.onchange', null, { effectiveType, type, downlink, rtt, saveData });
});
navigator.mediaDevices?.addEventListener('devicechange', () => saw('navigator.mediaDevices.ondevicechange', null, null));

/** @param {MediaStreamTrack} track @param {string} connection */
function play(track, connection) {
  const video = document.createElement('video');
  video.muted = true;
  video.autoplay = true;
  video.srcObject = new MediaStream([track]);
  video.addEventListener('resize', () => {
    const { scrollWidth: width, scrollHeight: height, videoWidth, videoHeight } = video;
    saw('HTMLMediaElement.resize', connection, { width, height, videoWidth, videoHeight }, track.id);
  });
  document.body.append(video);
}

// Placed beneath rtctrace, which wraps what it finds: these are the very reports that it polls.
const nativeGetStats = RTCPeerConnection.prototype.getStats;
RTCPeerConnection.prototype.getStats = async function () {
  const report = await nativeGetStats.call(this);
  saw('getStats', connectionIds.get(this) ?? null, Object.fromEntries(/** @type {any} */ (report)));
  return report;
};

// The same for channels: whoever makes one need not think of its events.
const nativeCreateDataChannel = RTCPeerConnection.prototype.createDataChannel;
RTCPeerConnection.prototype.createDataChannel = function (/** @type {[string]} */ ...args) {
  const channel = nativeCreateDataChannel.apply(this, args);
  watchChannel(channel, connectionIds.get(this) ?? null);
  return channel;
};
