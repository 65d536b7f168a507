// The values of lines: page objects in, JSON text out, in the formats of rtcstats 5.0. No code of the page runs meanwhile:
// accessors and `toJSON` of its own are passed over, because the browser reads each of them once and the page may count.

import type { Loom, Page } from './weave.js';

const { stringify } = JSON;
const { isArray } = Array;
const { create, entries, keys } = Object;
const { getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const { isPrototypeOf } = Object.prototype;

/** Deeper than any dictionary of the specifications. */
const DEPTH = 12;
/** More members than any dictionary has; what a page hands over may be anything. */
const MEMBERS = 20_000;

export type Values = ReturnType<typeof createValues>;

export const text = (value: Page): string => stringify(value) ?? 'null';

/** Whether an object is of a class with getters, or stands for one. What all objects inherit does not count. */
function inheritsGetters(value: object): boolean {
  let prototype = getPrototypeOf(value);
  for (let next; prototype && (next = getPrototypeOf(prototype)); prototype = next) {
    for (const key of ownKeys(prototype)) if (!('value' in getOwnPropertyDescriptor(prototype, key)!)) return true;
  }
  return false;
}

export function createValues({ target, native }: Loom) {
  const [kindOf, idOf, labelOf, streamIdOf, tracksOf] = [
    native('MediaStreamTrack', 'kind'),
    native('MediaStreamTrack', 'id'),
    native('MediaStreamTrack', 'label'),
    native('MediaStream', 'id'),
    native('MediaStream', 'getTracks'),
  ];

  const isStream = (value: Page): boolean => isPrototypeOf.call(target.MediaStream?.prototype, value);

  /** `[kind, id, label]` */
  const track = (track: Page): string[] => [kindOf(track), idOf(track), labelOf(track)];

  const [expiresOf, fingerprintsOf] = [native('RTCCertificate', 'expires'), native('RTCCertificate', 'getFingerprints')];
  /** How the browser's objects stand in values. */
  const faces = entries({
    MediaStreamTrack: track,
    MediaStream: streamIdOf,
    RTCCertificate: (certificate: Page) => ({ expires: expiresOf(certificate), fingerprints: fingerprintsOf(certificate) }),
    RTCIceCandidate: native('RTCIceCandidate', 'toJSON'),
    RTCSessionDescription: native('RTCSessionDescription', 'toJSON'),
    MediaDeviceInfo: native('MediaDeviceInfo', 'toJSON'),
  }).map(([owner, face]) => [target[owner]?.prototype, face] as const);

  /** A copy of what can be serialized, without members of the name `omitted`. `unread` hears of what only a getter of the page's knows. */
  function copy(value: Page, omitted?: string, unread?: () => void): Page {
    const above: unknown[] = [];
    let left = MEMBERS;
    const walk = (value: Page): unknown => {
      if (typeof value === 'bigint') return `${value}`;
      if (typeof value === 'function') return undefined;
      if (typeof value !== 'object' || !value) return value;
      if (above.length > DEPTH || above.includes(value)) return null;
      const face = faces.find(([prototype]) => prototype && isPrototypeOf.call(prototype, value));
      if (face) return face[1](value);
      above.push(value);
      const copied: Page = isArray(value) ? [] : create(null);
      for (const key of keys(value)) {
        const member = key === omitted || --left < 0 ? undefined : getOwnPropertyDescriptor(value, key);
        if (member && 'value' in member) copied[key] = walk(member.value);
        else if (member) unread?.();
      }
      if (unread && inheritsGetters(value)) unread();
      above.pop();
      return copied;
    };
    try {
      return walk(value);
    } catch {
      // A proxy that was revoked.
      return null;
    }
  }

  return {
    copy,
    /** Whether there is something that only code of the page's knows. */
    hasGetters(value: Page): boolean {
      let found = false;
      copy(value, undefined, () => (found = true));
      return found;
    },
    trackId: idOf,
    trackKind: kindOf,
    tracksOf: tracksOf as (stream: Page) => Page[],
    isStream,
    /** `[[kind, id, label, stream id], ...]` */
    streamTracks: (stream: Page) => (isStream(stream) ? tracksOf(stream).map((each: Page) => [...track(each), streamIdOf(stream)]) : null),
  };
}
