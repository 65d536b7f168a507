// Drawing spread over frames: as much of what waits as a frame has time for, so that the page answers while many graphs change.

/** Milliseconds of a frame; one drawing may take longer. */
const BUDGET = 7;

const waiting = new Set<() => void>();

function frame(): void {
  const end = performance.now() + BUDGET;
  for (const draw of waiting) {
    waiting.delete(draw);
    draw();
    if (performance.now() >= end) break;
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
