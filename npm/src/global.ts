/**
 * The classic script: `<script src="rtctrace.global.js" data-endpoint="wss://...">` in front of every other records the page.
 * `window.rtctrace` has the functions, and the recorder if one was started here.
 */

import { init, start } from './inline.js';
import type { RtctraceOptions } from './options.js';
import type { Recorder } from './recorder.js';

/** What `window.rtctrace` is. */
export interface RtctraceGlobal {
  init: typeof init;
  start: typeof start;
  /** Of the script's own `data-endpoint`. */
  recorder?: Recorder;
}

declare global {
  var rtctrace: RtctraceGlobal | undefined;
}

/** Attributes `data-<name in kebab case>`; numbers and switches are read as such. */
function optionsOf({ endpoint, token, session, user, conference, ...rest }: DOMStringMap): RtctraceOptions {
  const options: Record<string, unknown> = { endpoint };
  if (token) options.token = token;
  if (session) options.session = session;
  if (user || conference) options.identity = { ...(user && { user }), ...(conference && { conference }) };
  for (const name of ['getStatsInterval', 'bufferBytes', 'sampleRate']) {
    if (rest[name]) options[name] = Number(rest[name]);
  }
  if (rest.countReloads) options.countReloads = rest.countReloads !== 'false';
  const redact = rest.redact?.match(/[^\s,]+/g);
  if (redact) options.redact = Object.fromEntries(redact.map((what) => [what, true]));
  return options as unknown as RtctraceOptions;
}

// A second script of this kind finds the first one's recorder.
const face: RtctraceGlobal = (globalThis.rtctrace ??= { init, start });
// On a server there is no document.
const dataset = (globalThis.document?.currentScript as HTMLScriptElement | null | undefined)?.dataset;
if (dataset?.endpoint) face.recorder = start(optionsOf(dataset));
