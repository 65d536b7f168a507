/** Time for lines: Unix time that never goes back, and that follows when the machine has slept. */

// A page or a test may replace these later.
const wallClock = Date.now;
const monotonicClock = globalThis.performance?.now.bind(performance);

/** Smaller differences between the two clocks are their own affair: steps by NTP, rounding. */
const TOLERANCE = 2_000;

/**
 * Returns a function that gives the Unix time in whole ms. It runs on the page's monotonic clock, which stands still on most
 * systems while the machine sleeps and knows nothing of a wall clock that is set. When the wall clock has run ahead of it
 * since the last look, the time jumps along and `jumped` hears by how many ms; a wall clock that is set back is ignored.
 */
export function startClock(jumped: (duration: number, now: number) => void): () => number {
  let wall = wallClock();
  let monotonic = monotonicClock();
  // The origin is as old as the page, or older: a machine that has slept since has left it behind.
  const { timeOrigin } = performance;
  let offset = Math.abs(wall - timeOrigin - monotonic) > TOLERANCE ? wall - monotonic : timeOrigin;

  /** By how much the wall clock was set back; to be set right again is no sleep. */
  let setBack = 0;

  return () => {
    const lastWall = wall;
    const lastMonotonic = monotonic;
    wall = wallClock();
    monotonic = monotonicClock();
    let ahead = wall - lastWall - (monotonic - lastMonotonic);
    if (ahead < -TOLERANCE) setBack -= ahead;
    if (ahead > TOLERANCE) {
      const made = Math.min(setBack, ahead);
      setBack -= made;
      ahead -= made;
    }
    if (ahead > TOLERANCE) offset += ahead;
    const now = Math.round(offset + monotonic);
    if (ahead > TOLERANCE) jumped(Math.round(ahead), now);
    return now;
  };
}
