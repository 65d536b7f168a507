// Drawing spread over frames: as much of what waits as a frame has time for, so that the page answers while many graphs change.

/** Milliseconds of a frame for drawing; one drawing may take longer. */
const BUDGET = 7;
/** A frame that comes later than this, in ms, had too much to do: what is drawn here is put on the screen elsewhere. */
const LATE = 22;
const MOST = 12;

const waiting = new Set<() => void>();
let before = 0;
/** So many in a frame. */
let many = 4;

function frame(now: number): void {
  // Whether the frame before was in time; after a rest nothing is known.
  if (now - before < 250) many = now - before > LATE ? Math.max(1, many >> 1) : Math.min(MOST, many + 1);
  before = now;
  const end = performance.now() + BUDGET;
  let left = many;
  for (const draw of waiting) {
    waiting.delete(draw);
    draw();
    left -= 1;
    if (left === 0 || performance.now() >= end) break;
  }
  if (waiting.size > 0) requestAnimationFrame(frame);
}

/** Has something drawn soon. What waits already keeps its place: in a gesture everybody has a turn. */
export function paint(draw: () => void): void {
  if (waiting.size === 0) requestAnimationFrame(frame);
  waiting.add(draw);
}

export function forget(draw: () => void): void {
  waiting.delete(draw);
}
