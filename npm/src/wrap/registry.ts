// Which page object is which connection, sender or track. Nothing here keeps a page object alive.

import { resetCalls } from './calls.js';
import { isObject, type Page } from './weave.js';

/** A connection that the filter left out. */
const LEFT_OUT = -1;

/** Where a sender, receiver or transceiver belongs: its connection and the id of its receiver's track, which never changes. */
type Place = [connection: number, name: string];

/** How many groups are observed in all targets: numbers begin anew when it was none. */
let observing = 0;
let numbers = new WeakMap<object, number>();
let places = new WeakMap<object, Place>();
let remoteTracks = new WeakMap<object, number>();
let origins = new WeakMap<object, string>();
let connections = new Map<number, WeakRef<object>>();
let count = 0;

export function enter() {
  if (observing++) return;
  resetCalls();
  numbers = new WeakMap();
  places = new WeakMap();
  remoteTracks = new WeakMap();
  origins = new WeakMap();
  connections = new Map();
  count = 0;
}

export function leave() {
  observing -= 1;
}

/** The n of `PC_n` of an RTCPeerConnection that is recorded. */
export function connectionNumber(value: unknown): number | undefined {
  const number = numbers.get(value as object);
  return number === LEFT_OUT ? undefined : number;
}

/** Whether a connection is recorded or left out already. */
export const isKnown = (connection: Page) => numbers.has(connection);

export const leaveOut = (connection: Page) => void numbers.set(connection, LEFT_OUT);

export function enroll(connection: Page): number {
  numbers.set(connection, count);
  connections.set(count, new WeakRef(connection));
  return count++;
}

/** A track of a connection that is left out is nobody's. */
const ignored = new WeakSet<object>();

export const ignore = (track: Page) => void (isObject(track) && ignored.add(track));

export const isIgnored = (track: Page) => ignored.has(track);

export const connectionOf = (number: number): Page => connections.get(number)?.deref();

export const forget = (number: number) => connections.delete(number);

export const setPlace = (part: Page, connection: number, name: string) => void (isObject(part) && places.set(part, [connection, name]));

/** Of senders, receivers and transceivers. `search` calls back with each connection; it sets the places of what it has. */
export function placeOf(part: Page, search: (connection: Page, number: number) => void): Place | undefined {
  for (const [number, reference] of connections) {
    if (places.has(part)) break;
    const connection = reference.deref();
    if (connection) search(connection, number);
  }
  return places.get(part);
}

export const setOrigin = (track: Page, tracking: string) => void origins.set(track, tracking);

/** The tracking id of the call that a local track came from. */
export const originOf = (track: Page): string | null => origins.get(track) ?? null;

export const setRemote = (track: Page, connection: number) => void (isObject(track) && remoteTracks.set(track, connection));

/** The connection that a track comes from; `undefined` for a local one. */
export const remoteOwnerOf = (track: Page): number | undefined => remoteTracks.get(track);
