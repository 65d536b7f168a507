// What all views of an open recording share: the cursor, the zoom, how times are written, the selected event.

import type { TimeMode } from './time';

export interface Range {
  min: number;
  max: number;
}

/** Who moved the cursor; a view need not follow itself. */
export type CursorSource = 'graph' | 'timeline' | 'events';

export class Shared {
  /** The whole recording. */
  readonly full: Range;
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

  /** Shows this range; one too small to mean anything is a slip of the hand. */
  zoomTo(min: number, max: number): void {
    const low = Math.max(this.full.min, Math.min(min, max));
    const high = Math.min(this.full.max, Math.max(min, max));
    if (high - low >= 5) this.zoom = { min: low, max: high };
  }

  resetZoom(): void {
    this.zoom = null;
  }
}
