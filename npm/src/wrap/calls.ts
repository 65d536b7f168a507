// Tracking ids: what ties a call to its outcome in a recording.

/** Of the methods that have tracking ids, those whose name has a token in lines (tests/fixtures/rtcstats-tables.json). */
export const TOKENS: Record<string, number> = {
  createOffer: 2,
  createAnswer: 4,
  setLocalDescription: 6,
  setRemoteDescription: 8,
  addIceCandidate: 10,
  'navigator.mediaDevices.getUserMedia': 60,
  'navigator.mediaDevices.getDisplayMedia': 63,
};

let counts: Record<string, number> = {};

/** The tracking id of the next call of `method`. */
export function track(method: string): string {
  const count = counts[method] ?? 0;
  counts[method] = count + 1;
  return `${TOKENS[method] ?? method}-${count}`;
}

/** Numbers belong to one recording. */
export function resetCalls() {
  counts = {};
}
