// Keys of the time axis and of lists of events, the same wherever there is one.

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

/** A list of events, as keys move through it. */
interface List {
  step(by: number): void;
  stepToFailure(by: 1 | -1): void;
  unfold(state: 'toggle' | boolean): void;
  focusFilter(): void;
}

/** What a key does to a list of events, if one is there. */
export function listKeys(list: List | undefined): Record<string, () => void> {
  return {
    ArrowDown: () => list?.step(1),
    j: () => list?.step(1),
    ArrowUp: () => list?.step(-1),
    k: () => list?.step(-1),
    PageDown: () => list?.step(15),
    PageUp: () => list?.step(-15),
    n: () => list?.stepToFailure(1),
    N: () => list?.stepToFailure(-1),
    Enter: () => list?.unfold('toggle'),
    ' ': () => list?.unfold('toggle'),
    ArrowRight: () => list?.unfold(true),
    ArrowLeft: () => list?.unfold(false),
    '/': () => list?.focusFilter(),
  };
}

/** Whether a key is the business of what has the focus: a field's, or a button's own ones. */
export function isOwnKey({ key, target }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false;
  // From the filter, the arrow goes straight on into the list.
  if (key === 'ArrowDown' && target.matches('[data-testid=event-filter]')) (target as HTMLElement).blur();
  else if (target.closest('input, select, textarea')) return true;
  return target.closest('button, a, summary, [role=tab], [role=separator]') !== null && ['Enter', ' ', 'ArrowLeft', 'ArrowRight'].includes(key);
}
