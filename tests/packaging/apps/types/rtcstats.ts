// The face of upstream's client, as apps use that.

import {
  WebSocketTrace,
  wrapEnumerateDevices,
  wrapGetUserMedia,
  wrapRTCPeerConnection,
  wrapRTCStatsWithDefaultOptions,
  type PeerConnectionConfig,
  type Target,
  type Trace,
  type WebSocketTraceConfig,
} from 'rtctrace/rtcstats';

const config: WebSocketTraceConfig & PeerConnectionConfig = { countReloads: true, log: console.log, getStatsInterval: 1000 };
const page: Target = window;

export function everything(url: URL, connection: RTCPeerConnection): void {
  const trace: WebSocketTrace = wrapRTCStatsWithDefaultOptions(config, page);
  trace.connect(url);
  trace('rating', connection, { stars: 4 }, 'more');
  trace('muted', null);
  trace.close();
}

export function pieces(): void {
  const made: WebSocketTrace = new WebSocketTrace({ countReloads: true });
  const called: WebSocketTrace = WebSocketTrace();
  const own: Trace = (method, connection, value, ...extra) => console.log(method, connection, value, extra);
  for (const trace of [made, called, own]) {
    wrapRTCPeerConnection(trace, window, { getStatsInterval: 1000 });
    wrapGetUserMedia(trace, window);
    wrapEnumerateDevices(trace, window);
  }
  made.connect('wss://stats.example.org');
}
