// What all views of an open recording share: the cursor, the zoom, how times are written, the selected event.

import { moved, scaled, within, type Range } from './range';
import type { TimeMode } from './time';

/** Who moved the cursor; a view need not follow itself. */
export type CursorSource = 'graph' | 'timeline' | 'events';

/** What is shown of time, by one clock. */
class Clock {
  full = $state.raw<Range>({ min: 0, max: 1 });
  hover = $state<number | null>(null);
  source = $state<CursorSource>('graph');
  mover = $state.raw<Shared | null>(null);
  pinned = $state<number | null>(null);
  zoom = $state<Range | null>(null);
  mode = $state<TimeMode>('relative');
}

export class Shared {
  /** Event number. */
  selected = $state<number | null>(null);
  #clock = new Clock();
  #ahead = () => 0;

  constructor(start: number, end: number) {
    this.#clock.full = { min: start, max: end };
  }

  /** The same for a recording that is shown beside, by its own clock: `ahead` is to be added to its times. */
  beside(ahead: () => number): Shared {
    const other = new Shared(0, 1);
    other.#clock = this.#clock;
    other.#ahead = ahead;
    return other;
  }

  /** All that there is. */
  get full(): Range {
    return this.#range(this.#clock.full);
  }

  /** What of it is shown, unless it is all. */
  get zoom(): Range | null {
    return this.#clock.zoom && this.#range(this.#clock.zoom);
  }

  set zoom(range: Range | null) {
    const ahead = this.#ahead();
    this.#clock.zoom = range && { min: range.min + ahead, max: range.max + ahead };
  }

  /** Where the pointer is, Unix ms. */
  get hover(): number | null {
    return this.#time(this.#clock.hover);
  }

  set hover(time: number | null) {
    this.#clock.hover = time === null ? null : time + this.#ahead();
  }

  /** Where the cursor stays when the pointer is nowhere. */
  get pinned(): number | null {
    return this.#time(this.#clock.pinned);
  }

  set pinned(time: number | null) {
    this.#clock.pinned = time === null ? null : time + this.#ahead();
  }

  /** Who moved the cursor: what a list of the recording beside does to it is nothing that the list of this one did. */
  get source(): CursorSource {
    return this.#clock.mover === this ? this.#clock.source : 'timeline';
  }

  set source(source: CursorSource) {
    this.#clock.source = source;
    this.#clock.mover = this;
  }

  get mode(): TimeMode {
    return this.#clock.mode;
  }

  set mode(mode: TimeMode) {
    this.#clock.mode = mode;
  }

  #time(time: number | null): number | null {
    return time === null ? null : time - this.#ahead();
  }

  #range({ min, max }: Range): Range {
    const ahead = this.#ahead();
    return { min: min - ahead, max: max - ahead };
  }

  /** The recording has grown; who shows all of it goes on to do so. */
  grow(start: number, end: number): void {
    const { min, max } = this.#clock.full;
    if (start !== min || end !== max) this.#clock.full = { min: start, max: end };
  }

  /** Whether a time is of the recording; an address has whole milliseconds. */
  has(time: number): boolean {
    return time > this.full.min - 1 && time < this.full.max + 1;
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
