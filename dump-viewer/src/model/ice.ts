// The ICE candidates of a connection and their pairs, from its reports, and what its events tell of candidates.

import type { ConnectionOverview, EntryOverview } from '../import/messages';
import { number, text } from './entries';
import type { Recording } from './recording';

export interface Candidate {
  /** `host`, `srflx`, `prflx`, `relay`. */
  type: string;
  protocol: string;
  /** How a relay is reached. */
  relayProtocol: string;
  address: string;
  port: number | null;
  /** Of the network that it is of, as far as the browser tells. */
  network: string;
  /** The server that it came from. */
  url: string;
}

export interface Pair {
  id: string;
  local: Candidate | null;
  remote: Candidate | null;
  state: string;
  nominated: boolean;
  /** Whether media went over it at the end, or at some time before. */
  selected: 'now' | 'before' | 'never';
  /** Seconds. */
  roundTripTime: number | null;
  bytesSent: number;
  bytesReceived: number;
  requestsSent: number;
  responsesReceived: number;
}

function candidate(entry: EntryOverview | undefined): Candidate | null {
  if (!entry) return null;
  return {
    type: text(entry, 'candidateType'),
    protocol: text(entry, 'protocol'),
    relayProtocol: text(entry, 'relayProtocol'),
    address: text(entry, 'address') || text(entry, 'ip'),
    port: number(entry, 'port'),
    network: text(entry, 'networkType'),
    url: text(entry, 'url'),
  };
}

/** When which pair was selected, in order: `[Unix ms, id]`. */
export function selections(connection: ConnectionOverview): [number, string][] {
  return connection.lanes.filter(({ member }) => member === 'selectedCandidatePairId').flatMap(({ changes }) => changes).sort(([a], [b]) => a - b);
}

const RANK = { now: 0, before: 1, never: 2 };

/** All pairs, what was used first. */
export function pairs(connection: ConnectionOverview): Pair[] {
  const byId = new Map(connection.entries.map((entry) => [entry.id, entry]));
  const history = selections(connection).map(([, id]) => id);
  const transports = connection.lanes.filter(({ member }) => member === 'selectedCandidatePairId');
  const last = new Set(transports.map(({ changes }) => changes.at(-1)?.[1]));
  return connection.entries
    .filter(({ type }) => type === 'candidate-pair')
    .map((entry): Pair => {
      const isSelected = last.has(entry.id) || number(entry, 'selected') === 1;
      return {
        id: entry.id,
        local: candidate(byId.get(text(entry, 'localCandidateId'))),
        remote: candidate(byId.get(text(entry, 'remoteCandidateId'))),
        state: text(entry, 'state'),
        nominated: number(entry, 'nominated') === 1,
        selected: isSelected ? 'now' : history.includes(entry.id) ? 'before' : 'never',
        roundTripTime: number(entry, 'currentRoundTripTime'),
        bytesSent: number(entry, 'bytesSent') ?? 0,
        bytesReceived: number(entry, 'bytesReceived') ?? 0,
        requestsSent: number(entry, 'requestsSent') ?? 0,
        responsesReceived: number(entry, 'responsesReceived') ?? 0,
      };
    })
    .sort((a, b) => RANK[a.selected] - RANK[b.selected] || b.bytesSent + b.bytesReceived - a.bytesSent - a.bytesReceived || Number(b.nominated) - Number(a.nominated));
}

/** A candidate as an event tells of it. */
export interface Told extends Candidate {
  event: number;
  side: 'local' | 'remote';
  /** Of `addIceCandidate`: it was refused. */
  failed: boolean;
}

/** A server that could not be reached, or gave no candidate. */
export interface Refusal {
  event: number;
  url: string;
  code: number | null;
  reason: string;
}

/** The parts of a candidate attribute (RFC 8839, section 5.1); null if it is none, or the end of candidates. */
export function parseCandidate(attribute: string): Candidate | null {
  const [, , protocol, , address, port, typ, type, ...rest] = attribute.replace(/^a=/, '').split(' ');
  if (typ !== 'typ' || type === undefined || address === undefined) return null;
  const after = (name: string) => rest[rest.indexOf(name) + 1] ?? '';
  const tcp = rest.includes('tcptype') ? ` ${after('tcptype')}` : '';
  return { type, protocol: `${protocol?.toLowerCase() ?? ''}${tcp}`, relayProtocol: '', address, port: Number(port), network: '', url: '' };
}

/** Values of events that are looked at. */
const EVENTS = 600;

/** What the events of a connection tell of candidates. */
export async function told(recording: Recording, connection: number): Promise<{ candidates: Told[]; refusals: Refusal[] }> {
  const names = new Set(['onicecandidate', 'addIceCandidate', 'onicecandidateerror']);
  const events = [...recording.events(connection)].filter((event) => names.has(recording.method(event))).slice(0, EVENTS);
  const candidates: Told[] = [];
  const refusals: Refusal[] = [];
  for (const event of events) {
    const value = object(JSON.parse((await recording.value(event)).value));
    const method = recording.method(event);
    if (method === 'onicecandidateerror') {
      refusals.push({ event, url: String(value['url'] ?? ''), code: typeof value['errorCode'] === 'number' ? value['errorCode'] : null, reason: String(value['errorText'] ?? '') });
      continue;
    }
    const found = parseCandidate(String(value['candidate'] ?? ''));
    if (!found) continue;
    const outcome = recording.partner(event);
    candidates.push({
      ...found,
      event,
      side: method === 'onicecandidate' ? 'local' : 'remote',
      url: String(value['url'] ?? ''),
      relayProtocol: String(value['relayProtocol'] ?? ''),
      failed: outcome !== null && recording.failed(outcome),
    });
  }
  return { candidates, refusals };
}

const object = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? { ...value } : {});
