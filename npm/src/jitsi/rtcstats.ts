/**
 * Observes a page for `rtctrace/jitsi/trace-ws`, or for what stands between, in the format of Jitsi's client. In place of
 * `@jitsi/rtcstats/rtcstats`. How the page is observed is in `wrap/`; here its moments become entries.
 */

import { idOf, observe } from '../face.js';
import { toJson } from '../json.js';
import type { Moment } from '../wrap/sink.js';

/** Where entries go to. */
export interface StatsTrace {
  /** Returning false says that the entry was not kept: the next report is then compared with the one before it. */
  statsEntry(type: string, connection: string | null, value?: unknown): unknown;
}

export interface ConnectionEvent {
  type: 'connectionstatechange' | 'iceconnectionstatechange';
  body: { pcId: string; isP2P: boolean; state: string };
}

export interface RtcstatsOptions {
  /** Which connections are left alone: true for those. */
  connectionFilter?: (configuration: RTCConfiguration | undefined) => boolean;
  /** Milliseconds between two reports, which begin with the connection; without it there is one whenever it connects or fails. */
  pollInterval?: number;
  /** Taken for the sake of its callers: no browser has the reports any more that it asked for. */
  useLegacy?: boolean;
  /** Whether descriptions, and candidates that are added, are recorded. */
  sendSdp?: boolean;
  /** Taken for the sake of its callers: every name that the browser has is wrapped. */
  prefixesToWrap?: string[];
  /** Hears of changes of the states of connections. */
  eventCallback?: (event: ConnectionEvent) => void;
}

type Report = Record<string, Record<string, unknown>>;

/** Begins to observe the page. A second call does nothing: a page is observed once. */
export default function rtcstatsInit(
  { statsEntry }: StatsTrace,
  { connectionFilter, pollInterval, sendSdp, eventCallback }: RtcstatsOptions,
): void {
  const polls = new WeakMap<object, () => void>();
  /** Connections that are peer-to-peer, and transports that were in use: bundling closes others, which says nothing. */
  const marked = new WeakSet<object>();

  const event = (moment: Moment): void => {
    const { method, connection, args } = moment;
    const self = moment.self as object;
    const id = idOf(connection)!;
    const value = valueOf(moment, sendSdp);
    if (value === UNKNOWN) return;
    if (method === 'ondtlsstatechange') {
      if (value === 'closed' && !marked.has(self)) return;
      marked.add(self);
    }
    statsEntry(method, id, value);
    if (method === 'create') {
      const constraints: any = args[1] ?? {};
      if (constraints.optional?.some?.((option: any) => option.rtcStatsSFUP2P)) marked.add(self);
      statsEntry('constraints', id, constraints);
    } else if (/ectionstatechange$/.test(method)) {
      const state = value as string;
      eventCallback?.({ type: method.slice(2) as ConnectionEvent['type'], body: { pcId: id, isP2P: marked.has(self), state } });
      if (/^onc.*e(connected|failed)$/.test(method + state)) polls.get(self)!();
    }
  };

  const created = (connection: RTCPeerConnection, id: string): void => {
    (connection as { __rtcStatsId?: string }).__rtcStatsId = id;
    // A timer that held the connection would keep one alive that the page has dropped.
    const reference = new WeakRef(connection);
    let previous: Report = {};
    const poll = async (): Promise<void> => {
      try {
        const report: Report = Object.fromEntries((await reference.deref()!.getStats()) as unknown as Map<string, Report[string]>);
        if (statsEntry('getstats', id, changes(previous, report)) !== false) previous = report;
      } catch {
        // It was closed meanwhile.
      }
    };
    polls.set(connection, poll);
    if (!pollInterval) return;
    const timer = setInterval(() => {
      if ((reference.deref()?.signalingState ?? 'closed') === 'closed') clearInterval(timer);
      else void poll();
    }, pollInterval);
  };

  const sink = { event, report() {}, gone() {} };
  observe({
    sinks: { peerConnection: sink, userMedia: sink },
    interval: 0,
    filter: (configuration) => !connectionFilter?.(configuration),
    created,
  });
}

/** Of what that client does not record. */
const UNKNOWN = {};

const nameOf = ({ kind, id }: MediaStreamTrack): string => `${kind}:${id}`;
const namesOf = (streams: MediaStream[]): string[] => streams.map(({ id }) => `stream:${id}`);

/** What a call or event looks like in that client's entries. */
function valueOf({ method, json, args, result }: Moment, sendSdp: boolean | undefined): unknown {
  const [first, second] = args as any[];
  const outcome = result as any;
  const value = JSON.parse(json) ?? undefined;
  // getUserMedia, getDisplayMedia.
  if (/[ry]Media/.test(method)) return /Failure$/.test(method) ? outcome.name : /Success$/.test(method) ? streamOf(outcome) : first;
  // What has no value here, and what has the one that is in lines too.
  if (/[ne]OnSuccess$/.test(method)) return undefined;
  // Of `on`: negotiationneeded, datachannel, dtlserror.
  if (/^([csa].*OnFailure|on([nd].*|.*statechange)|create(Offer|Answer))$/.test(method)) return value;
  // What getters of the page's keep from us they say when it is sent. The last is addIceCandidate.
  if (/^create.*OnSuccess$|Description$|^addI.*e$/.test(method)) return sendSdp ? (value ?? first) : '';
  if (/stream$/i.test(method)) {
    const stream: MediaStream = first ?? outcome.stream;
    return `${stream.id} ${stream.getTracks().map(nameOf)}`;
  }
  switch (method) {
    case 'create':
      return { ...(value ?? { nullConfig: true }), browserType: /Firefox/.test(navigator.userAgent) ? 'moz' : 'webkit' };
    case 'createDataChannel':
    case 'close':
      return { ...args };
    case 'onicecandidate':
      return outcome.candidate;
    case 'addTrack':
      return `${nameOf(first)} ${namesOf(args.slice(1) as MediaStream[]).join(';') || '-'}`;
    case 'ontrack':
      return `${nameOf(outcome.track)} ${namesOf(outcome.streams)}`;
    case 'removeTrack':
      return first.track ? nameOf(first.track) : 'null';
    case 'addTransceiver':
      return (first.id ? nameOf(first) : first) + (second ? ` ${toJson(second)}` : '');
    default:
      return UNKNOWN;
  }
}

const streamOf = (stream: MediaStream): unknown => ({
  id: stream.id,
  tracks: stream.getTracks().map(({ id, kind, label, enabled, muted, readyState }) => ({ id, kind, label, enabled, muted, readyState })),
});

/**
 * A report as its difference from the one before: members of entries that did not change are left out, unless they are objects;
 * the newest time stands beside the entries, and as 0 in those that have it.
 */
function changes(previous: Report, report: Report): Record<string, unknown> {
  const delta: Record<string, any> = {};
  let timestamp = -Infinity;
  for (const [key, { id, ...entry }] of Object.entries(report)) {
    for (const name in entry) if (entry[name] === previous[key]?.[name]) delete entry[name];
    if ((entry.timestamp as number) > timestamp) timestamp = entry.timestamp as number;
    delta[key] = entry;
  }
  for (const entry of Object.values(delta)) if (entry.timestamp === timestamp) entry.timestamp = 0;
  delta.timestamp = timestamp;
  return delta;
}
