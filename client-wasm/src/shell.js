// The effects of the recorder: sockets, timers, polls. It decides nothing; what happens is signalled to Rust as one of the
// kinds below with a number and a text.

import { connectionOf, whenGone } from './registry.js';
import { guarded, whenDead } from './weave.js';

const { apply } = Reflect;
const { stringify } = JSON;
const { fromEntries } = Object;
const { then } = Promise.prototype;
const { WebSocket, PressureObserver, setTimeout, clearTimeout, setInterval, clearInterval, document, navigator } = globalThis;
const performanceNow = performance.now.bind(performance);

const TICK = 0;
const FRAME = 1;
const CLOSED = 2;
const ONLINE = 3;
const HIDDEN = 4;
const PAGE_HIDE = 5;
const FORBIDDEN = 6;
const POLL = 7;
const REPORT = 8;
const PRESSURE = 9;
const GONE = 10;

let receive = () => {};
let socket;
let socketUrl = '';
let timer;
let polling;
let pressure;
let installed = false;
/** As it is when recording begins, like everything that is wrapped: a page may have wrapped it before. */
let getStats;

const signal = (kind, number = 0, text = undefined) => void guarded(() => receive(kind, number, text));

/** Unix time in whole ms by the page's monotonic clock. */
export function now() {
  return Math.round(performance.timeOrigin + performanceNow());
}

export function installShell(receiver) {
  receive = receiver;
  if (installed) return;
  installed = true;
  getStats = RTCPeerConnection.prototype.getStats;
  whenGone((number) => signal(GONE, number));
  whenDead(() => {
    disconnect(1000);
    wakeIn(-1);
    pollEvery(0);
    observePressure(0);
  });
  addEventListener('online', () => signal(ONLINE));
  addEventListener('pagehide', () => signal(PAGE_HIDE));
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') signal(HIDDEN);
  });
  document.addEventListener('securitypolicyviolation', ({ disposition, effectiveDirective, blockedURI }) => {
    if (disposition !== 'enforce' || effectiveDirective !== 'connect-src' || !socketUrl) return;
    if (socketUrl.startsWith(blockedURI) || blockedURI.startsWith(socketUrl.split('?')[0])) signal(FORBIDDEN);
  });
}

export function connect(url) {
  disconnect(1000);
  socketUrl = url;
  let mine;
  try {
    mine = new WebSocket(url, 'rtctrace.v1');
  } catch {
    // Mixed content or a URL that is none: trying again cannot help.
    setTimeout(() => signal(FORBIDDEN), 0);
    return;
  }
  socket = mine;
  mine.onmessage = ({ data }) => {
    if (mine === socket && typeof data === 'string') signal(FRAME, 0, data);
  };
  mine.onclose = ({ code }) => {
    if (mine !== socket) return;
    socket = undefined;
    signal(CLOSED, code);
  };
}

export function send(text) {
  try {
    socket?.send(text);
  } catch {
    // The close event follows, and what was not acknowledged is sent again.
  }
}

export function disconnect(code) {
  const mine = socket;
  socket = undefined;
  try {
    mine?.close(code);
  } catch {
    // Already closed.
  }
}

export function beacon(url, body) {
  try {
    navigator.sendBeacon(url, body);
  } catch {
    // The page is going; there is no other way left.
  }
}

/** Sets the one timer of the transport; a negative delay stops it. */
export function wakeIn(delay) {
  clearTimeout(timer);
  if (delay >= 0) timer = setTimeout(() => signal(TICK, socket?.bufferedAmount ?? 0), delay);
}

/** Starts the one timer of all polls; 0 stops it. */
export function pollEvery(interval) {
  clearInterval(polling);
  polling = interval > 0 ? setInterval(() => signal(POLL), interval) : undefined;
}

const isClosed = ({ signalingState, connectionState }) => signalingState === 'closed' || connectionState === 'closed';

/** Asks a connection for its report. `false` when it is closed or gone and will never have one again. */
export function poll(number) {
  try {
    const connection = connectionOf(number);
    if (!connection || isClosed(connection)) return false;
    apply(then, apply(getStats, connection, []), [
      (report) => signal(REPORT, number, isClosed(connection) ? undefined : stringify(fromEntries(report))),
      () => signal(REPORT, number),
    ]);
    return true;
  } catch {
    return false;
  }
}

/** Follows the CPU's pressure where the browser tells it; 0 stops. */
export function observePressure(interval) {
  try {
    pressure?.disconnect();
    pressure = undefined;
    if (!interval || !PressureObserver) return;
    pressure = new PressureObserver((records) => signal(PRESSURE, 0, records.at(-1)?.state));
    apply(then, pressure.observe('cpu', { sampleInterval: interval }), [undefined, () => {}]);
  } catch {
    // The page's permissions policy forbids it.
  }
}
