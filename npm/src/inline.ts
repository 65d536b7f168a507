/** `rtctrace/inline`: the same with the module inside, so that recording begins before the next line of the page runs. */

import { bytes } from './bytes.js';
import type { RtctraceOptions } from './options.js';
import { original } from './original.js';
import type { Recorder } from './recorder.js';
import { record } from './recording.js';

export type { Identity, Redaction, RtctraceOptions } from './options.js';
export type { Counters, Recorder, RecorderState } from './recorder.js';

// The page may replace it later.
const setTimeout = original(globalThis, 'setTimeout');

/** In a task of its own: what must be done before the page's next line runs is the wrapping only. */
const module = (): Promise<Uint8Array<ArrayBuffer>> => new Promise((resolve) => setTimeout(() => resolve(bytes()), 0));

/**
 * Starts recording this page's WebRTC at once. Never throws; if recording is impossible, it says so once through `log` and
 * returns a recorder whose state is `closed`. While a recording runs, it returns that one.
 */
export function start(options: RtctraceOptions): Recorder {
  return record(options, module);
}

/** As {@link start}, for those who want to know whether recording is possible: resolves once that is known. Never rejects. */
export async function init(options: RtctraceOptions): Promise<Recorder> {
  const recording = record(options, module);
  await recording.ready;
  return recording;
}
