// Which page object is which connection, sender or track. Nothing here keeps a page object alive.

import { guarded } from './weave.js';

const { apply, getOwnPropertyDescriptor } = Reflect;
const getterOf = (owner, name) => getOwnPropertyDescriptor(globalThis[owner]?.prototype ?? {}, name)?.get;
const signalingStateOf = getterOf('RTCPeerConnection', 'signalingState');
const trackIdOf = getterOf('MediaStreamTrack', 'id');
const { getTransceivers } = globalThis.RTCPeerConnection?.prototype ?? {};

let numbers = new WeakMap();
let parts = new WeakMap();
let remoteTracks = new WeakMap();
let localTracks = new WeakMap();
/** Listeners outlive a recording, because the page's objects do. */
const listening = new WeakSet();
const connections = new Map();
let onGone = () => {};
/** Of an old browser there is none, and then no recording; loading this file must not fail for it. */
const finalizers = globalThis.FinalizationRegistry && new FinalizationRegistry((number) => {
  // The number may be of an earlier recording, or taken again by a later one.
  if (!connections.has(number) || connections.get(number).deref()) return;
  connections.delete(number);
  guarded(() => onGone(number));
});

/** Calls back with the number of a connection that the page has lost. */
export function whenGone(gone) {
  onGone = gone;
}

/** Starts anew: numbers belong to one recording. */
export function resetRegistry() {
  numbers = new WeakMap();
  parts = new WeakMap();
  remoteTracks = new WeakMap();
  localTracks = new WeakMap();
  connections.clear();
}

export function enroll(connection, number) {
  numbers.set(connection, number);
  connections.set(number, new WeakRef(connection));
  finalizers.register(connection, number);
}

/** -1: not seen yet; -2: not a connection at all. */
export function numberOf(connection) {
  const number = numbers.get(connection);
  if (number !== undefined) return number;
  try {
    apply(signalingStateOf, connection, []);
    return -1;
  } catch {
    return -2;
  }
}

export function connectionOf(number) {
  return connections.get(number)?.deref();
}

/** A sender or transceiver by what names it: its connection and the id of its receiver's track, which never changes. */
function locate(part) {
  const known = parts.get(part);
  if (known) return known;
  for (const [number, reference] of connections) {
    const connection = reference.deref();
    if (!connection) continue;
    for (const transceiver of apply(getTransceivers, connection, [])) {
      if (transceiver === part || transceiver.sender === part) {
        const found = [number, transceiver.receiver.track.id];
        parts.set(part, found);
        return found;
      }
    }
  }
  return undefined;
}

export function ownerOf(part) {
  try {
    return locate(part)?.[0] ?? -1;
  } catch {
    return -1;
  }
}

export function nameOf(part) {
  try {
    return locate(part)?.[1];
  } catch {
    return undefined;
  }
}

/** `undefined` for what is no track. */
export function trackId(track) {
  try {
    return apply(trackIdOf, track, []);
  } catch {
    return undefined;
  }
}

export function setOrigin(track, trackingId) {
  localTracks.set(track, trackingId);
}

/** The tracking id of the getUserMedia or getDisplayMedia that the track came from. */
export function originOf(track) {
  return localTracks.get(track);
}

export function setRemote(track, number) {
  if (track) remoteTracks.set(track, number);
}

/** The connection that the track comes from; -1 for a local track. */
export function remoteOwnerOf(track) {
  return remoteTracks.get(track) ?? -1;
}

/** The remote video track that an element plays: the first of its stream. */
export function playedTrack(element) {
  return element.srcObject?.getVideoTracks?.()[0];
}

/** Whether this is the first time: a target is listened to once. */
export function firstTime(target) {
  if (!target || listening.has(target)) return false;
  listening.add(target);
  return true;
}

export const tracksOf = (stream) => stream?.getTracks?.() ?? [];

export const trackOf = (event) => event.track;

export const playingElements = () => [...document.querySelectorAll('video')];

export const mediaDevices = () => globalThis.navigator?.mediaDevices;

export const isStream = (value) => value instanceof MediaStream;

export const hasEnded = (track) => track.readyState === 'ended';
