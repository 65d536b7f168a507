/** The package `rtctrace`: `init`, and the module beside this file. */

import type { ModuleSource, RtctraceOptions } from './options.js';
import type { Recorder } from './recorder.js';
import { record } from './recording.js';

export type { Identity, ModuleSource, Redaction, RtctraceOptions } from './options.js';
export type { Counters, Recorder, RecorderState } from './recorder.js';

/** How to record, and where the module is. */
export interface InitOptions extends RtctraceOptions {
  /** Where `rtctrace_bg.wasm` is, or its bytes, or the compiled module. Default: beside this file. */
  wasmUrl?: ModuleSource;
}

/**
 * Starts recording this page's WebRTC. Call it before the page uses WebRTC; a connection that was there before joins when
 * one of its own methods is called next. The browser's functions are wrapped when this returns, and what happens until the
 * promise is resolved is recorded too: there is no need to wait for it.
 *
 * Never throws and never rejects: if recording is impossible (no WebRTC, WebAssembly forbidden, a bad endpoint), it puts
 * everything back, says so once through `log`, and resolves with a recorder whose state is `closed`. While a recording
 * runs, it resolves with that one.
 */
export async function init(options: InitOptions): Promise<Recorder> {
  const recording = record(options, () => options.wasmUrl ?? new URL('rtctrace_bg.wasm', import.meta.url));
  await recording.ready;
  return recording;
}
