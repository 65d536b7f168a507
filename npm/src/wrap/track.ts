// MediaStreamTrack: what the page does with its tracks, and how they end. Assignments count for local tracks only.

import { isIgnored, originOf, remoteOwnerOf } from './registry.js';
import type { Scene } from './scene.js';
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

export function listenToLocal({ listen, teller, trackId }: Scene, track: Page) {
  listen(track, () => ({
    ended: (track, event) => teller('userMedia')(`${OWNER}.onended`, null, trackId(track), [originOf(track)], track, [], event),
  }));
}
