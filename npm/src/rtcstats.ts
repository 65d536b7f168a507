/**
 * The face of upstream's client, `@rtcstats/rtcstats-js`: the same functions, the same events, spoken to the same servers
 * (`rtcstats#5.0`). How the page is observed is in `wrap/`, how lines are compressed in the module; here is what a line is, and
 * the socket.
 *
 * Where WebAssembly is forbidden, nothing is wrapped, which is said once on the console; what the application traces itself is
 * sent still.
 */

import { aboutClient, forgetReloads } from './about.js';
import { Backlog } from './backlog.js';
import { bytes } from './bytes.js';
import { Core, give, loadNow, take, wasm, write } from './core.js';
import { idOf, observe, warn } from './face.js';
import { toJson } from './json.js';
import type { Group, Moment, Sink } from './wrap/sink.js';

/**
 * A function of the application that takes events: the full name of the method, the id of the connection (`PC_0`) or null, and
 * the value, where a report is its difference from the one before and a description that from the one before.
 */
export type Trace = (method: string, connection: any, value: any, ...extra: any[]) => void;

export interface WebSocketTraceConfig {
  /** Counts how often a tab began without having closed its trace, as `reloadCount`. Kept in `sessionStorage`. */
  countReloads?: boolean;
  /** Hears of errors of the socket, and that the server refused it. */
  log?: (message: string, ...details: unknown[]) => void;
}

export interface PeerConnectionConfig {
  /** Milliseconds between two reports of a connection; without it there is only the first. */
  getStatsInterval?: number;
}

/** A trace that ends at a server. */
export interface WebSocketTrace {
  /** Records an event of the application: a name that begins with a colon, what connection it is about, and anything JSON. */
  (method: string, connection: string | RTCPeerConnection | null | undefined, value?: unknown, ...extra: unknown[]): void;
  /** Begins a session at `ws://` or `wss://`, where an earlier one ends. */
  connect(url: string | URL): void;
  /** Ends the session. What is traced afterwards waits for the next one. */
  close(): void;
}

/** Where the interfaces are: `window`, or what stands for it. */
export type Target = Partial<typeof globalThis>;

/** The longest that a timer can wait: the first report of a connection comes without one. */
const ONCE = 2e9;

/** Observes all that can be. Call it before the page uses WebRTC, and then `connect` of what it returns. */
export function wrapRTCStatsWithDefaultOptions(
  config: WebSocketTraceConfig & PeerConnectionConfig = { getStatsInterval: 1000 },
  target: Target = globalThis,
): WebSocketTrace {
  const trace = WebSocketTrace(config);
  wrapRTCPeerConnection(trace, target, config);
  wrapGetUserMedia(trace, target);
  wrapEnumerateDevices(trace, target);
  return trace;
}

/** Observes connections: their methods, their events and their reports. */
export function wrapRTCPeerConnection(trace: Trace, window: Target, { getStatsInterval }: PeerConnectionConfig): void {
  hand('peerConnection', trace, window, window.RTCPeerConnection?.prototype as Mark, getStatsInterval || ONCE);
}

/** Observes `getUserMedia`, `getDisplayMedia` and the tracks that come of them. */
export function wrapGetUserMedia(trace: Trace, window: Target): void {
  hand('userMedia', trace, window, window.navigator?.mediaDevices as Mark);
}

/** Observes `enumerateDevices` and changes of the devices. */
export function wrapEnumerateDevices(trace: Trace, window: Target): void {
  hand('devices', trace, window, window.navigator?.mediaDevices?.enumerateDevices as Mark);
}

const core = new Core((error) => warn('a fault inside the recorder', error));

/** Whether the module is there. */
function load(): boolean | void {
  // Chromium before 118 cannot have it at once, and what came later would come in another order.
  try {
    if (wasm || loadNow(bytes())) return true;
    throw 'too old';
  } catch (why) {
    warn('not recording', why);
  }
}

const tokenOf = (method: string): string => core.call((wasm) => take(wasm.method_token(...give(method))), toJson(method));

/**
 * Takes an event. `encode` makes the JSON of its value when it is sent, because it may build on what was sent before; an empty
 * text makes no line. `length` is about how long it will be.
 */
type Line = (method: string, connection: string | null, length: number, encode: () => string, extra: unknown[], time: number, moment?: Moment) => void;

/** Of the traces that are ours: the way in that spares reading and writing JSON. */
const direct = new WeakMap<Trace, Line>();

/** What upstream records although it has no token for it. What else is recorded of connections is left out: who switches, gets what he had. */
const NAMELESS = /\.(enabled|contentHint)$|yMediaOnFailure$/;

/** What bears the mark of being observed. It is upstream's own: whichever of the two came first stays alone. */
type Mark = { __rtcStats?: true } | undefined;

/** Hands to a trace what is observed of a group. */
function hand(group: Group, trace: Trace, target: Target, mark: Mark, interval = 0): void {
  if (!mark || mark.__rtcStats || !load()) return;
  mark.__rtcStats = true;
  const line = direct.get(trace) ?? called(trace);
  const sink: Sink = {
    event(moment) {
      const { method, connection, json, extra, time } = moment;
      if (tokenOf(method) === toJson(method) && !NAMELESS.test(method)) return;
      // Leaves alone what is no description.
      const encode = () =>
        connection === null ? json : core.call((wasm) => take(wasm.compress_description(...give(method), connection, ...give(json), ...give(extra[0] ?? ''))), json);
      line(method, idOf(connection), json.length, encode, extra, time, moment);
    },
    report(connection, report, reason, time) {
      const json = toJson(report);
      const encode = () => core.call((wasm) => take(wasm.encode_report(connection, write(json))), '');
      line('getStats', idOf(connection), json.length, encode, reason ? [reason] : [], time);
    },
    // Behind what waits.
    gone: (connection) => line('', null, 0, () => core.call<any>((wasm) => wasm.codec_gone(connection), ''), [], 0),
  };
  observe({
    sinks: { [group]: sink },
    interval,
    target: target as typeof globalThis,
    created(connection, id) {
      (connection as { __rtcStatsId?: string }).__rtcStatsId = id;
    },
  });
}

/** Methods whose missing value upstream calls null; elsewhere it is undefined. In a line both are null. */
const NULL = /^addT|Candidate$|Description$|devicechange$/;

/** Calls a function of the application as upstream does. */
function called(trace: Trace): Line {
  return (method, connection, _, encode, extra, __, moment) => {
    const json = encode();
    if (!json) return;
    let value = JSON.parse(json);
    if (method === 'onicecandidate') value = (moment!.result as RTCPeerConnectionIceEvent).candidate;
    else if (value === null && !NULL.test(method)) value = undefined;
    trace(method, connection, value, ...extra);
  };
}

/** Upstream's. */
const RELOADS = 'rtcstatsReloadCount';
/** Characters of events and reports that are kept for the next socket. */
const BUFFER = 4 << 20;
/** Close codes after which another socket may fare better: a broken connection, a server that restarts or is overloaded. */
const LOST = /^10(0[156]|1)/;

/**
 * Makes a trace; with or without `new`.
 *
 * A server of upstream's acknowledges nothing and cannot continue a session. When a socket is lost, a new one is opened, after
 * 1 s to 30 s: a session of its own, which begins with the client's data, and in which the next report of each connection is whole. What is traced meanwhile waits for it, 4 MiB of it; beyond that the reports that wait are dropped,
 * and the new session says how many. What a dying socket had been given may be lost.
 */
export const WebSocketTrace = function (config: WebSocketTraceConfig = {}): WebSocketTrace {
  let waiting = new Backlog(BUFFER);
  let socket: WebSocket | undefined;
  /** Time of the last line that was sent on this socket; 0 for none, which makes the first time an absolute one. */
  let last = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let attempts = 0;
  const { countReloads } = config;
  const { reloadCount } = aboutClient(countReloads!, RELOADS);

  const log = (what: string, detail?: unknown): void => {
    try {
      config.log?.(`rtcstats websocket connection ${what}`, detail);
    } catch {
      // The application's own function.
    }
  };
  const fail = (error: unknown): void => log('error', error);
  const line: Line = (method, connection, length, encode, extra, time) => {
    const send = (): void => {
      const json = encode();
      if (!json) return;
      socket!.send(`[${[tokenOf(method), toJson(connection), json, ...extra.map(toJson), time - last]}]`);
      last = time;
    };
    // A socket that takes nothing, but does not say so.
    if (socket?.bufferedAmount! > BUFFER) socket!.close();
    if (socket?.readyState === 1 && !waiting.length) send();
    else waiting.add(method === 'getStats' ? 'report' : 'application', length, send);
  };
  const trace = ((method, connection, value, ...extra) => {
    const id = typeof connection === 'object' ? (connection as { __rtcStatsId?: string } | null)?.__rtcStatsId : connection;
    const json = toJson(value);
    line(method, id ?? null, json.length, () => json, extra, Date.now());
  }) as WebSocketTrace;
  direct.set(trace, line);
  load();

  const describeClient = (): void => trace('create', null, { ...aboutClient(false), reloadCount });
  /** Lines go to another session from now on. */
  const end = (): void => {
    clearTimeout(retry);
    socket?.close();
    socket = undefined;
    last = 0;
  };
  const open = (url: string | URL): void => {
    const began = Date.now();
    let own: WebSocket;
    try {
      own = socket = new WebSocket(url, 'rtcstats#5.0');
    } catch (error) {
      return fail(error);
    }
    own.addEventListener('error', fail);
    own.addEventListener('open', () => {
      if (own !== socket) return;
      const connectionTime = Date.now() - began;
      const backlog = waiting;
      waiting = new Backlog(BUFFER);
      // The server's reader knows nothing of an earlier session.
      core.call<unknown>((wasm) => wasm.codec_restart(), '');
      backlog.replay();
      backlog.tellLosses(trace);
      trace('websocket', null, { connectionTime });
    });
    own.addEventListener('close', ({ code }) => {
      if (own !== socket) return;
      const had = last;
      end();
      // Who reads these texts knows upstream's.
      if (!LOST.test(`${code}`)) return log(`closed with error=${code}. ${code - 1008 ? '' : 'Typically this means authorization is required and failed.'}`);
      if (had) describeClient();
      if (Date.now() - began > 30_000) attempts = 0;
      retry = setTimeout(open, Math.min(2 ** attempts++ * 1000 + Math.random() * 1000, 30_000), url);
    });
  };

  trace.close = () => {
    // A clean end: the next page of this tab is no reload.
    if (countReloads) forgetReloads(RELOADS);
    end();
  };
  trace.connect = (url) => {
    end();
    attempts = 0;
    describeClient();
    open(url);
  };
  return trace;
} as unknown as { (config?: WebSocketTraceConfig): WebSocketTrace; new (config?: WebSocketTraceConfig): WebSocketTrace };
