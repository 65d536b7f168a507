// MediaStreamTrack: what the page does with its tracks, and what becomes of them by themselves. Assignments count for local tracks only.

import { isIgnored, originOf, remoteOwnerOf } from './registry.js';
import type { Scene, Tell } from './scene.js';
import type { Page } from './weave.js';

const OWNER = 'MediaStreamTrack';
const CALLS = ['stop', 'applyConstraints'];
const ASSIGNMENTS = ['enabled', 'contentHint'];

/** Group `userMedia`. */
export function observeTracks({ assignment, call, copy, native, target, teller, trackId }: Scene) {
  const tell = teller('userMedia');
  const readyStateOf = native(OWNER, 'readyState');
  const prototype = target[OWNER]?.prototype;
  for (const name of CALLS) {
    call(prototype, name, (track, args) => {
      if (readyStateOf(track) === 'live' && !isIgnored(track)) tell(`${OWNER}.${name}`, null, copy(args), [trackId(track), originOf(track)], track, args);
    });
  }
  for (const name of ASSIGNMENTS) {
    assignment(prototype, name, (track, value) => {
      if (trackId(track) && remoteOwnerOf(track) === undefined && !isIgnored(track)) tell(`${OWNER}.${name}`, null, copy(value), [trackId(track)], track, [value]);
    });
  }
}

/** A track that was captured: how it ends but by the page, and when the system mutes it. */
export function listenToLocal({ listen, plan, trackId }: Scene, tell: Tell, track: Page) {
  const on = (type: string) => (track: Page, event: Page) =>
    tell(`${OWNER}.on${type}`, remoteOwnerOf(track) ?? null, trackId(track), [originOf(track)], track, [], event);
  listen(track, () => ({ ended: on('ended'), ...(plan.localTracks && { mute: on('mute'), unmute: on('unmute') }) }));
}

/** A track that is sent, if it is one: a page may make it of a canvas, or a copy. One that turns out to be received is its connection's. */
export function listenToSent(scene: Scene, tell: Tell, track: Page) {
  if (scene.trackId(track) && !isIgnored(track) && remoteOwnerOf(track) === undefined) listenToLocal(scene, tell, track);
}
