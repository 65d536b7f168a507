// How long a connection took from nothing to media, step by step: the features say how long, the events when.

import type { ConnectionOverview } from '../import/messages';
import type { Recording } from './recording';

export interface Step {
  name: string;
  /** What begins and ends it. */
  title: string;
  /** Unix ms. */
  from: number;
  /** null: it never came to its end. */
  to: number | null;
}

const NEGOTIATION = new Set(['createOffer', 'createAnswer', 'setLocalDescription', 'setRemoteDescription']);

/** The steps that were begun, in the order of their beginning. */
export function setupSteps(recording: Recording, index: number): Step[] {
  const connection = recording.connection(index);
  if (!connection) return [];
  const features = recording.connectionFeatures(index);
  const number = (name: string) => (typeof features[name] === 'number' ? (features[name] as number) : null);
  const after = (from: number, length: number | null) => (length === null ? null : from + length);
  const first = (states: [number, string][], ...wanted: string[]) => states.find(([, state]) => wanted.includes(state))?.[0] ?? null;

  const steps: Step[] = [];
  const add = (name: string, title: string, from: number | null, to: number | null) => {
    if (from !== null) steps.push({ name, title, from, to });
  };

  const capture = captured(recording, connection);
  if (capture) add('Capture', 'getUserMedia, until it was answered', recording.time(capture.call), capture.end);
  const negotiation = recording.events(index).find((event) => NEGOTIATION.has(recording.method(event)));
  const signaling = negotiation === undefined ? null : recording.time(negotiation);
  add('Signaling', 'from the first offer or answer until the exchange was complete', signaling, signaling === null ? null : after(signaling, number('setupSignalingTime')));
  const { iceConnection, connection: states } = connection.states;
  const checking = first(iceConnection, 'checking');
  const iceEnd = checking === null ? null : after(checking, number('setupIceTime'));
  add('ICE', 'from checking until a path was found', checking, iceEnd);
  const dtls = connection.lanes.find(({ member }) => member === 'dtlsState')?.changes ?? [];
  const dtlsTime = number('setupDtlsTime');
  const handshake = iceEnd ?? (dtlsTime === null ? null : first(dtls, 'connecting'));
  add('DTLS', 'the handshake, until the connection was connected', handshake, handshake === null ? null : after(handshake, dtlsTime));
  const connected = first(states, 'connected');
  const media = [number('timeToFirstAudioPacket'), number('timeToFirstVideoPacket')].filter((time) => time !== null);
  if (connected !== null && media.length > 0) {
    add('First packet', 'from connected until media was received', connected, Math.max(connected, connection.start + Math.min(...media)));
  }
  const frame = number('timeToFirstVideoFrame');
  const packet = number('timeToFirstVideoPacket');
  if (packet !== null) add('First frame', 'from the first video packet to the first report with a decoded frame', connection.start + packet, after(connection.start, frame));
  return steps.sort((a, b) => a.from - b.from);
}

/** The last getUserMedia that was asked for before the connection was set up, or while it was. */
function captured(recording: Recording, connection: ConnectionOverview): { call: number; end: number | null } | null {
  const connected = connection.states.connection.find(([, state]) => state === 'connected')?.[0] ?? connection.end;
  const calls = recording.events(-1).filter((event) => /getUserMedia$/.test(recording.method(event)) && recording.time(event) <= connected);
  const call = calls.at(-1);
  if (call === undefined) return null;
  const took = recording.took(call);
  return { call, end: took === null ? null : recording.time(call) + took };
}
