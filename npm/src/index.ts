/**
 * The face of rtctrace: starts the recorder and hands out a handle to it. What is recorded is decided in the WebAssembly
 * module; here options are checked, the module is loaded, and its states and faults are told to the application.
 */

import load, * as client from '../build/rtctrace.js';

/** How to record. */
export interface RtctraceOptions {
  /** Where the collector is: `ws://host:8080`, `wss://host/path`, or the same with `http` and `https`. */
  endpoint: string | URL;
  /** The id of the recording, a UUID that no other recording has. Made here when absent. */
  session?: string;
  /** Milliseconds between two `getStats` reports of a connection; 0 turns reports off. Default 1000. */
  getStatsInterval?: number;
  /**
   * Counts how often a tab began a recording without having ended the one before, as `reloadCount` of the first event. The
   * count is kept in `sessionStorage` under `rtctrace.reloads`. Default true.
   */
  countReloads?: boolean;
  /** Hears, once each, that the recorder could not start, was refused, or had a fault. Default `console.warn`. */
  log?: (message: string) => void;
  /** Where `rtctrace_bg.wasm` is, or the compiled module. Default: beside this file. */
  wasmUrl?: string | URL | Request | WebAssembly.Module;
}

/**
 * - `connecting`: recording; the collector was not reached yet
 * - `open`: recording; lines are on their way
 * - `reconnecting`: recording; the connection was lost and will be made again
 * - `closed`: nothing is recorded any more, or never was
 */
export type RecorderState = 'connecting' | 'open' | 'reconnecting' | 'closed';

/** Counts since the recording began. */
export interface Counters {
  /** Events and reports that were recorded. */
  lines: number;
  /** Reports among them. */
  reports: number;
  /** Lines that the collector has stored. */
  acknowledged: number;
  /** Bytes of lines that it has not. */
  bufferedBytes: number;
  /** Reports that a full buffer had to drop; the recording says so too. */
  droppedReports: number;
  /** Events that it had to drop. */
  droppedEvents: number;
  /** How often a lost connection was made again. */
  reconnects: number;
  /** Faults inside the recorder. None of them reaches the page. */
  faults: number;
}

/** A recording. */
export interface Recorder {
  /** Its id, a UUID; empty if it never began. */
  readonly session: string;
  readonly state: RecorderState;
  readonly counters: Counters;
  /**
   * Records an event of the application.
   * @param name shows as `:name`
   * @param data anything that `JSON.stringify` takes
   * @param connection the connection that it is about
   */
  event(name: string, data?: unknown, connection?: RTCPeerConnection): void;
  /** Sends what waits without waiting for more. */
  flush(): void;
  /**
   * Ends the recording: sends what is left and waits until the collector has it, five seconds at most. Never rejects. What
   * was wrapped works on unrecorded.
   */
  close(): Promise<void>;
}

const NO_COUNTERS: Counters = {
  lines: 0,
  reports: 0,
  acknowledged: 0,
  bufferedBytes: 0,
  droppedReports: 0,
  droppedEvents: 0,
  reconnects: 0,
  faults: 0,
};

/** In the order in which the module gives them. */
const COUNTER_NAMES = Object.keys(NO_COUNTERS);

const REASONS: Record<number, string> = {
  1007: 'it could not read what was sent',
  1008: 'this page or user is not allowed to record',
  1009: 'a line was too large',
  4000: 'the session has already ended',
  4001: 'it has reached its limit of sessions',
  4002: 'another page or tab continues the session',
};

/** Stands for a close code when no socket may be opened: the page's policy, or `ws:` from a page of `https:`. */
const FORBIDDEN = 0;

/** The recording is over (with a close code if the collector ended it); a first fault; a fault that ends the recorder. */
type Notice = 'over' | 'fault' | 'dead';

/** The recording of this page; there is one at a time, because the browser's functions are wrapped once. */
let current: Promise<Recorder> | undefined;
/** Called by the module. */
let notify: (what: Notice, detail: number | string | undefined) => void = () => {};

/**
 * Starts recording this page's WebRTC. Call it before the page uses WebRTC; a connection that was there before joins when
 * one of its own methods is called next.
 *
 * Never throws and never rejects: if recording is impossible (no WebRTC, WebAssembly forbidden, a bad endpoint), it says so
 * once through `log` and resolves with a recorder whose state is `closed`. While a recording runs, it resolves with that
 * one.
 */
export function init(options: RtctraceOptions): Promise<Recorder> {
  current ??= begin(options);
  return current;
}

async function begin(options: RtctraceOptions): Promise<Recorder> {
  const log = (message: string): void => {
    try {
      (options?.log ?? console.warn)(`rtctrace: ${message}`);
    } catch {
      // The application's own function.
    }
  };
  try {
    return await start(options, log);
  } catch (error) {
    log(`not recording: ${error instanceof Error ? error.message : String(error)}`);
    current = undefined;
    return CLOSED;
  }
}

/** Marks the page, so that a second copy of this package does not wrap what is wrapped. */
const MARK = Symbol.for('rtctrace');

async function start(options: RtctraceOptions, log: (message: string) => void): Promise<Recorder> {
  if (!options) throw new Error('no options: at least an endpoint is needed');
  const { session, getStatsInterval = 1000, countReloads = true } = options;
  const endpoint = socketUrl(options.endpoint);
  if (typeof RTCPeerConnection === 'undefined') throw new Error('this browser or context has no RTCPeerConnection');
  if (typeof WebAssembly === 'undefined') throw new Error('this browser or context has no WebAssembly');
  if (typeof FinalizationRegistry === 'undefined') throw new Error('this browser has no FinalizationRegistry');
  if (!(getStatsInterval >= 0 && getStatsInterval <= 0x7fff_ffff)) {
    throw new Error(`getStatsInterval is no number of milliseconds: ${String(getStatsInterval)}`);
  }
  if (session !== undefined && !/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(session)) {
    throw new Error(`session is not a UUID: ${session}`);
  }
  await load({ module_or_path: options.wasmUrl ?? new URL('rtctrace_bg.wasm', import.meta.url) });
  const page = globalThis as { [MARK]?: object };
  if (page[MARK] && page[MARK] !== init) throw new Error('another copy of rtctrace records this page');
  Object.defineProperty(page, MARK, { value: init, configurable: true });

  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  let over = false;
  let last = NO_COUNTERS;
  const die = (message: string): void => {
    log(`a fault inside the recorder, which stops it: ${message}`);
    last = { ...last, faults: last.faults + 1 };
    over = true;
    finish();
  };
  notify = (what, detail) => {
    if (what === 'dead') return die(String(detail));
    if (what === 'fault') return log(`a fault inside the recorder: ${detail}`);
    const code = Number(detail);
    if (code === FORBIDDEN) log('not recording any more: the browser forbids this page a connection to the collector');
    else if (detail !== undefined) log(`the collector refused the recording: ${REASONS[code] ?? `close code ${code}`}`);
    last = count();
    if (detail === undefined && last.acknowledged + last.droppedReports < last.lines) {
      log('closed before the collector had acknowledged all of the recording');
    }
    current = undefined;
    over = true;
    finish();
  };
  /** Calls the module. A trap leaves it unusable; the page goes on without it. */
  const guarded = <T>(work: () => T, otherwise: T): T => {
    if (over) return otherwise;
    try {
      return work();
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) die(String(error));
      else log(`a fault inside the recorder: ${String(error)}`);
      return otherwise;
    }
  };
  const count = (): Counters =>
    guarded(() => {
      const counts = client.counters() as number[];
      return Object.fromEntries(counts.map((count, index) => [COUNTER_NAMES[index], count])) as unknown as Counters;
    }, last);
  const id = client.start(endpoint, session, getStatsInterval, countReloads, (what: Notice, detail?: number | string) => {
    notify(what, detail);
  });

  return {
    session: id,
    get state() {
      return guarded(client.state, 'closed') as RecorderState;
    },
    get counters() {
      return (last = count());
    },
    event(name, data, connection) {
      guarded(() => client.event(String(name), toJson(data), connection), undefined);
    },
    flush() {
      guarded(client.flush, undefined);
    },
    close() {
      guarded(client.close, undefined);
      return finished;
    },
  };
}

const CLOSED: Recorder = Object.freeze({
  session: '',
  state: 'closed' as const,
  counters: NO_COUNTERS,
  event() {},
  flush() {},
  close: () => Promise.resolve(),
});

/** `ws` or `wss`, without search, hash or a slash at the end. */
function socketUrl(endpoint: string | URL): string {
  let url: URL;
  try {
    url = new URL(endpoint, location.href);
  } catch {
    throw new Error(`endpoint is not a URL: ${String(endpoint)}`);
  }
  const scheme = { 'http:': 'ws:', 'ws:': 'ws:', 'https:': 'wss:', 'wss:': 'wss:' }[url.protocol];
  if (!scheme) throw new Error(`endpoint is neither ws, wss, http nor https: ${url.href}`);
  return `${scheme}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
}

function toJson(data: unknown): string {
  try {
    return JSON.stringify(data) ?? 'null';
  } catch {
    return 'null';
  }
}
