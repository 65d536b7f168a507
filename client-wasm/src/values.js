// The values of lines: page objects in, one JSON text out, by one call of JSON.stringify each. What cannot be serialized
// (a cycle, a getter that throws) becomes null. The formats are those of rtcstats 5.0.

const { stringify } = JSON;

function json(make) {
  try {
    return stringify(make()) ?? 'null';
  } catch {
    return 'null';
  }
}

const describeTrack = (track, streams = []) => [track.kind, track.id, track.label, ...streams.map((stream) => stream.id)];

export const plain = (value) => json(() => value);

export const argument = (args, index) => json(() => args[index]);

export const list = (args) => json(() => args);

/** Of createOffer and createAnswer; the legacy form has its callbacks first. */
export const options = (args) => json(() => (typeof args[0] === 'function' ? args[2] : args[0]));

/** RTCConfiguration without credentials; certificates by expiry and fingerprints. */
export function configuration(value) {
  try {
    return (
      stringify(value, (key, member) => {
        if (key === 'credential') return undefined;
        if (key === 'certificates' && Array.isArray(member)) {
          return member.map((certificate) => ({
            expires: certificate.expires,
            fingerprints: certificate.getFingerprints?.(),
          }));
        }
        return member;
      }) ?? 'null'
    );
  } catch {
    return 'null';
  }
}

export const ownConfiguration = (connection) => configuration(connection.getConfiguration?.());

export const candidate = (event) =>
  json(() => {
    const { candidate } = event;
    if (!candidate) return null;
    const value = candidate.toJSON();
    const url = candidate.url ?? event.url;
    if (url) value.url = url;
    if (candidate.relayProtocol) value.relayProtocol = candidate.relayProtocol;
    return value;
  });

export const candidateError = ({ address, port, hostCandidate, url, errorCode, errorText }) =>
  json(() => ({ address, port, hostCandidate, url, errorCode, errorText }));

/** A description without a type is an implicit one: null. */
export const description = (value) => json(() => (value?.type ? { type: value.type, sdp: value.sdp } : null));

export const localDescription = (connection) => description(connection.localDescription);

/** `[track, ...streams]` as the arguments of addTrack. */
export const trackAndStreams = (args) => json(() => describeTrack(args[0], args.slice(1)));

export const receivedTrack = (event) => json(() => describeTrack(event.track, event.streams));

export const streamTracks = (stream) => json(() => stream.getTracks().map((track) => describeTrack(track, [stream])));

export const replacedTracks = (sender, args) =>
  json(() => [sender.track && describeTrack(sender.track), args[0] ? describeTrack(args[0]) : null]);

export const transceiver = (args) =>
  json(() => {
    const value = [typeof args[0] === 'object' ? describeTrack(args[0]) : args[0]];
    if (args[1]) {
      const init = { ...args[1] };
      if (init.streams) init.streams = [...init.streams].map((stream) => stream.id);
      value.push(init);
    }
    return value;
  });

export const parameters = (args) =>
  json(() => {
    const [first, ...rest] = args;
    const { transactionId, ...kept } = first;
    return [kept, ...rest];
  });

export const dataChannel = ({ channel }) => json(() => [channel.id, channel.label]);

export const state = (target, name) => json(() => target[name]);

export const text = (error) => json(() => String(error));

export const displayedSize = ({ scrollWidth, scrollHeight, videoWidth, videoHeight }) =>
  json(() => ({ width: scrollWidth, height: scrollHeight, videoWidth, videoHeight }));

/** About the browser and the machine. */
export const client = (countReloads) =>
  json(() => {
    const { hardwareConcurrency, userAgentData, deviceMemory, cpuPerformance } = navigator;
    return {
      hardwareConcurrency,
      userAgentData,
      deviceMemory,
      cpuPerformance,
      screen: { width: screen.availWidth, height: screen.availHeight, devicePixelRatio },
      window: { width: innerWidth, height: innerHeight },
      reloadCount: countReloads ? reloadCount() : undefined,
    };
  });

const RELOADS = 'rtctrace.reloads';

/** How often this tab began a recording since the last one that ended cleanly. */
function reloadCount() {
  try {
    const stored = Number.parseInt(sessionStorage.getItem(RELOADS) ?? '', 10);
    const count = Number.isNaN(stored) ? 0 : stored + 1;
    sessionStorage.setItem(RELOADS, String(count));
    return count;
  } catch {
    return undefined;
  }
}

export function forgetReloads() {
  try {
    sessionStorage.removeItem(RELOADS);
  } catch {
    // No storage in this context: nothing was counted.
  }
}
