// What the timeline shows: lanes of states, and marks thinned to what a screen can tell apart.

import type { StateLanes } from '../import/messages';
import type { Mark, Recording } from './recording';
import type { Range } from './range';

export interface Segment {
  state: string;
  tone: Tone;
  /** Unix ms. */
  from: number;
  to: number;
}

export interface Lane {
  label: string;
  segments: Segment[];
}

export type Tone = 'idle' | 'busy' | 'good' | 'warn' | 'bad' | 'blue' | 'violet' | 'done';

const TONES: Record<string, Tone> = {
  new: 'idle',
  stable: 'idle',
  connecting: 'busy',
  checking: 'busy',
  connected: 'good',
  completed: 'good',
  disconnected: 'warn',
  failed: 'bad',
  closed: 'done',
  gathering: 'blue',
  complete: 'idle',
  'have-local-offer': 'violet',
  'have-remote-offer': 'violet',
  'have-local-pranswer': 'violet',
  'have-remote-pranswer': 'violet',
};

function lane(label: string, changes: [number, string][], end: number): Lane {
  const segments = changes.map(([from, state], index) => ({
    state,
    tone: TONES[state] ?? 'idle',
    from,
    to: changes[index + 1]?.[0] ?? end,
  }));
  return { label, segments };
}

const STATES: [keyof StateLanes, string][] = [
  ['connection', 'Connection'],
  ['iceConnection', 'ICE connection'],
  ['iceGathering', 'ICE gathering'],
  ['signaling', 'Signaling'],
];

export function connectionLanes(recording: Recording, index: number): Lane[] {
  const connection = recording.connection(index);
  if (!connection) return [];
  return STATES.map(([key, label]) => lane(label, connection.states[key], recording.end));
}

/** The state of every connection, as far as there is room. */
export function sessionLanes(recording: Recording, limit = 8): Lane[] {
  return recording.overview.connections
    .slice(0, limit)
    .map((connection) => lane(connection.id, connection.states.connection, recording.end));
}

/** What became of a connection: what it was before it was closed says more than that it was. */
export function outcome(states: StateLanes): { text: string; tone: Tone } {
  const lane = (states.connection.length > 0 ? states.connection : states.iceConnection).map(([, state]) => state);
  if (lane.length === 0) return { text: 'The recording does not tell its state', tone: 'idle' };
  const last = lane.filter((state) => state !== 'closed').at(-1);
  if (last === 'failed') return { text: 'It failed', tone: 'bad' };
  if (last === 'disconnected') return { text: 'It was disconnected at the end', tone: 'warn' };
  if (lane.some((state) => TONES[state] === 'good')) return { text: 'It connected', tone: 'good' };
  return { text: 'It never connected', tone: 'idle' };
}

export interface MarkGroup {
  mark: Mark;
  /** How many marks of its kind lie on the same spot. */
  count: number;
}

/** One mark per kind and spot. */
export function thin(marks: Mark[], range: Range, spots: number): MarkGroup[] {
  const groups = new Map<string, MarkGroup>();
  for (const mark of marks) {
    if (mark.time < range.min || mark.time > range.max) continue;
    const spot = Math.floor(((mark.time - range.min) / (range.max - range.min)) * spots);
    const key = `${mark.kind} ${spot}`;
    const group = groups.get(key);
    if (group) group.count += 1;
    else groups.set(key, { mark, count: 1 });
  }
  return [...groups.values()];
}
