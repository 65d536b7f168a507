// What all views of an open recording share: the cursor, the zoom, how times are written, the selected event.

import { moved, scaled, within, type Range } from './range';
import type { TimeMode } from './time';

/** Who moved the cursor; a view need not follow itself. */
export type CursorSource = 'graph' | 'timeline' | 'events';

export class Shared {
  /** The whole recording. */
  full = $state.raw<Range>({ min: 0, max: 1 });
  /** Where the pointer is, Unix ms. */
  hover = $state<number | null>(null);
  source = $state<CursorSource>('graph');
  /** Where the cursor stays when the pointer is nowhere. */
  pinned = $state<number | null>(null);
  zoom = $state<Range | null>(null);
  mode = $state<TimeMode>('relative');
  /** Event number. */
  selected = $state<number | null>(null);

  constructor(start: number, end: number) {
    this.full = { min: start, max: end };
  }

  /** The recording has grown; who shows all of it goes on to do so. */
  grow(start: number, end: number): void {
    if (start !== this.full.min || end !== this.full.max) this.full = { min: start, max: end };
  }

  get cursor(): number | null {
    return this.hover ?? this.pinned;
  }

  get range(): Range {
    return this.zoom ?? this.full;
  }

  move(time: number | null, source: CursorSource): void {
    this.source = source;
    this.hover = time;
  }

  pin(time: number | null, source: CursorSource): void {
    this.source = source;
    this.pinned = time;
  }

  /** Shows this part, unless it is too short to mean anything. */
  zoomTo(min: number, max: number): void {
    this.zoom = within(this.full, min, max) ?? this.zoom;
  }

  /** Shows `factor` times as much around a time: by default the cursor's, or else the middle. */
  zoomBy(factor: number, around = this.#focus): void {
    this.zoom = scaled(this.full, this.range, around, factor);
  }

  /** Shows what lies beside, by a share of what is shown. */
  pan(share: number): void {
    if (this.zoom) this.zoom = moved(this.full, this.zoom, share);
  }

  /** Turning the wheel zooms, and sideways it pans. */
  wheel(event: WheelEvent, time: number | null, width: number): void {
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (isSideways) this.pan((event.deltaX || event.deltaY) / Math.max(1, width));
    else this.zoomBy(1.0015 ** (event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 40 : 1)), time ?? this.#focus);
  }

  get #focus(): number {
    const { min, max } = this.range;
    const cursor = this.cursor;
    return cursor !== null && cursor >= min && cursor <= max ? cursor : (min + max) / 2;
  }

  resetZoom(): void {
    this.zoom = null;
  }
}
