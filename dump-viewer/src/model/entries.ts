// How stats entries are ordered and named.

import type { ConnectionOverview, EntryOverview, SeriesOverview } from '../import/messages';

const ORDER = [
  'inbound-rtp',
  'outbound-rtp',
  'remote-inbound-rtp',
  'remote-outbound-rtp',
  'candidate-pair',
  'transport',
  'media-source',
  'media-playout',
  'data-channel',
  'peer-connection',
  'compute-pressure',
  'codec',
  'local-candidate',
  'remote-candidate',
];

/** Types that tell most: the media and what carries it. */
const MAIN = new Set(['inbound-rtp', 'outbound-rtp', 'remote-inbound-rtp', 'remote-outbound-rtp', 'candidate-pair']);

export interface EntryLabel {
  /** Short words that tell entries of a type apart. */
  badges: string[];
  /** A longer line: identifiers, implementations. */
  details: string[];
}

export interface EntryItem {
  /** Index in the connection's entries. */
  index: number;
  entry: EntryOverview;
  label: EntryLabel;
  /** It is of those that tell most. */
  main: boolean;
}

/** The last value of a member that is a text; empty if there is none. */
export const text = (entry: EntryOverview | undefined, member: string) => entry?.texts[member]?.value ?? '';
/** The last value of a member that is a number. */
export const number = (entry: EntryOverview | undefined, member: string) =>
  entry?.series.find((series) => series.name === member)?.last ?? null;

/** `192.0.2.1:50000`, `[2001:db8::1]:50000`. */
export function endpoint({ address, port }: { address: string; port: number | null }): string {
  const host = address.includes(':') ? `[${address}]` : address || 'address hidden';
  return port === null ? host : `${host}:${port}`;
}

function candidate(entry: EntryOverview | undefined): string {
  if (!entry) return '';
  return `${text(entry, 'candidateType')} ${endpoint({ address: text(entry, 'address'), port: number(entry, 'port') })}`.trim();
}

/** A candidate pair by its ends: `host 192.0.2.x:50000 ⇄ relay ...`, and its protocol. */
export function pathText(connection: ConnectionOverview, id: string): string {
  const find = (id: string) => connection.entries.find((entry) => entry.id === id);
  const pair = find(id);
  if (!pair) return id ? 'an unknown pair' : 'none';
  const [local, remote] = [find(text(pair, 'localCandidateId')), find(text(pair, 'remoteCandidateId'))];
  const protocol = text(local, 'relayProtocol') || text(local, 'protocol');
  return `${candidate(local) || 'unknown'} ⇄ ${candidate(remote) || 'unknown'}${protocol ? ` ${protocol}` : ''}`;
}

function label(entry: EntryOverview, find: (id: string) => EntryOverview | undefined): EntryLabel {
  const badges: string[] = [];
  const details: string[] = [];
  const badge = (value: string, name = '') => {
    if (value) badges.push(name ? `${name} ${value}` : value);
  };
  const detail = (value: string, name = '') => {
    if (value) details.push(name ? `${name} ${value}` : value);
  };
  switch (entry.type) {
    case 'candidate-pair': {
      badge(text(entry, 'state'));
      if (number(entry, 'nominated') === 1) badges.push('nominated');
      const local = find(text(entry, 'localCandidateId'));
      const remote = find(text(entry, 'remoteCandidateId'));
      if (local ?? remote) detail(`${candidate(local) || 'unknown'} ⇄ ${candidate(remote) || 'unknown'}`);
      detail(text(local, 'protocol'));
      break;
    }
    case 'local-candidate':
    case 'remote-candidate':
      badge(text(entry, 'candidateType'));
      badge(text(entry, 'protocol'));
      detail(candidate(entry));
      detail(text(entry, 'networkType'));
      detail(text(entry, 'url'));
      break;
    case 'codec':
      badge(text(entry, 'mimeType'));
      detail(String(number(entry, 'payloadType') ?? ''), 'payload type');
      detail(text(entry, 'sdpFmtpLine'));
      break;
    case 'data-channel':
      badge(text(entry, 'label'));
      badge(text(entry, 'state'));
      break;
    case 'transport':
      badge(text(entry, 'dtlsState'), 'DTLS');
      badge(text(entry, 'iceState'), 'ICE');
      detail(text(entry, 'tlsVersion'), 'TLS');
      detail(text(entry, 'dtlsCipher'));
      detail(text(entry, 'srtpCipher'));
      break;
    default: {
      const codec = find(text(entry, 'codecId'));
      badge(text(entry, 'kind'));
      badge(text(codec, 'mimeType').replace(/^(audio|video)\//, ''));
      // What the other side reports is named after the stream it is about.
      const local = find(text(entry, 'localId'));
      badge(text(entry, 'mid') || text(local, 'mid'), 'mid');
      badge(text(entry, 'rid') || text(local, 'rid'), 'rid');
      badge(text(entry, 'scalabilityMode'));
      badge(String(number(entry, 'ssrc') ?? ''), 'ssrc');
      detail(text(entry, 'trackIdentifier'), 'track');
      detail(text(entry, 'decoderImplementation'), 'decoder');
      detail(text(entry, 'encoderImplementation'), 'encoder');
      const limited = entry.texts['qualityLimitationReason'];
      if (limited && (limited.changes > 0 || limited.value !== 'none')) {
        detail(`${limited.value}${limited.changes > 0 ? ` (changed ${limited.changes}×)` : ''}`, 'quality limited by');
      }
    }
  }
  return { badges, details };
}

/** The entries of a connection in the order of interest, with what names them. */
export function entryItems(connection: ConnectionOverview): EntryItem[] {
  const byId = new Map(connection.entries.map((entry) => [entry.id, entry]));
  const rank = (entry: EntryOverview) => (ORDER.includes(entry.type) ? ORDER.indexOf(entry.type) : ORDER.length);
  const mid = (entry: EntryOverview) => Number(text(entry, 'mid') || text(byId.get(text(entry, 'localId')), 'mid') || Infinity);
  return connection.entries
    .map((entry, index) => ({ index, entry, label: label(entry, (id) => byId.get(id)), main: isMain(entry) }))
    .sort(
      (a, b) =>
        rank(a.entry) - rank(b.entry) ||
        importance(b.entry) - importance(a.entry) ||
        compare(mid(a.entry), mid(b.entry)) ||
        a.index - b.index,
    );
}

/** Media ids that are no numbers, and entries without one, stay in their order. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Among candidate pairs the one that carries media comes first; other entries stay in their order. */
function importance(entry: EntryOverview): number {
  if (entry.type !== 'candidate-pair') return 0;
  return (number(entry, 'bytesReceived') ?? 0) + (number(entry, 'bytesSent') ?? 0);
}

function isMain(entry: EntryOverview): boolean {
  if (!MAIN.has(entry.type)) return false;
  return entry.type !== 'candidate-pair' || importance(entry) > 0;
}

const TIMESTAMP = /Timestamp$/;

export interface SeriesGroups {
  /** Rates, averages and levels that move. */
  main: SeriesOverview[];
  /** Counters that move. */
  counters: SeriesOverview[];
  /** What stays as it is, and clock readings. */
  still: SeriesOverview[];
}

export function groupSeries(entry: EntryOverview, filter: string): SeriesGroups {
  const groups: SeriesGroups = { main: [], counters: [], still: [] };
  const wanted = filter.trim().toLowerCase();
  for (const series of entry.series) {
    if (wanted && !series.name.toLowerCase().includes(wanted)) continue;
    if (series.constant || TIMESTAMP.test(series.name)) {
      // A derived series of a counter that stands still says nothing.
      if (series.kind !== 'derived') groups.still.push(series);
    } else if (series.kind === 'counter') groups.counters.push(series);
    else groups.main.push(series);
  }
  return groups;
}

/** `[bytesReceived_in_bits/s]` as a heading: `bytesReceived in bits/s`. */
export function seriesTitle(name: string): string {
  return name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1).replaceAll('_', ' ') : name;
}
