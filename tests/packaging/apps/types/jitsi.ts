// The face of Jitsi's client, as jitsi-meet uses that.

import { PC_CON_STATE_CHANGE, PC_ICE_CON_STATE_CHANGE, PC_STATE_CONNECTED, PC_STATE_DISCONNECTED, PC_STATE_FAILED } from 'rtctrace/jitsi/events';
import rtcstatsInit, { type ConnectionEvent, type RtcstatsOptions, type StatsTrace } from 'rtctrace/jitsi/rtcstats';
import traceInit, { type Trace, type TraceOptions } from 'rtctrace/jitsi/trace-ws';

const events: ConnectionEvent['type'][] = [PC_CON_STATE_CHANGE, PC_ICE_CON_STATE_CHANGE];
const states: RTCPeerConnectionState[] = [PC_STATE_CONNECTED, PC_STATE_DISCONNECTED, PC_STATE_FAILED];
const connection: TraceOptions = {
  endpoint: 'wss://stats.example.org',
  meetingFqn: 'blue',
  useLegacy: false,
  obfuscate: true,
  pingInterval: 30_000,
  onCloseCallback: ({ code, reason }) => console.log(code, reason),
};
const observed: RtcstatsOptions = {
  connectionFilter: (configuration) => !configuration?.iceServers?.length,
  pollInterval: 10_000,
  useLegacy: false,
  sendSdp: true,
  prefixesToWrap: ['', 'webkit', 'moz'],
  eventCallback: ({ type, body: { pcId, isP2P, state } }: ConnectionEvent) => console.log(events.includes(type), pcId, isP2P, states.includes(state as RTCPeerConnectionState)),
};

export function begin(): StatsTrace {
  const trace: Trace = traceInit(connection);
  rtcstatsInit(trace, observed);
  trace.connect(false);
  trace.identity('identity', null, { confName: 'blue', displayName: 'ada' });
  const kept: boolean = trace.statsEntry('setVideoType', null, { ssrc: 1 });
  trace.keepAlive();
  if (trace.isConnected() && !trace.isClosed() && kept) trace.close();
  return trace;
}
