// Keys of the time axis, the same wherever there is one.

import type { Shared } from './shared.svelte';
import type { TimeMode } from './time';

/** How times are written, in the order in which a key goes through them. */
const MODES: TimeMode[] = ['relative', 'local', 'utc'];
const ZOOM = 1.5;
const PAN = 0.2;

/** What a key does to the time axis. */
export function timeKeys(shared: Shared): Record<string, () => void> {
  return {
    t: () => (shared.mode = MODES[(MODES.indexOf(shared.mode) + 1) % MODES.length] ?? 'relative'),
    w: () => shared.zoomBy(1 / ZOOM),
    s: () => shared.zoomBy(ZOOM),
    a: () => shared.pan(-PAN),
    d: () => shared.pan(PAN),
    '+': () => shared.zoomBy(1 / ZOOM),
    '-': () => shared.zoomBy(ZOOM),
    '0': () => shared.resetZoom(),
  };
}
