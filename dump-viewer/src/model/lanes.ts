// What the timeline shows: lanes of states, and marks thinned to what a screen can tell apart.

import type { ConnectionOverview, StateLanes, StatsLane, TrackOverview } from '../import/messages';
import { entryItems, pathText } from './entries';
import type { Mark, Recording } from './recording';
import type { Range } from './range';
import { trackName } from './tracks';

export interface Segment {
  state: string;
  tone: Tone;
  /** Unix ms. */
  from: number;
  to: number;
}

export interface Lane {
  label: string;
  /** What it is of, where the label alone does not tell. */
  title?: string;
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
  muted: 'idle',
  live: 'good',
  disabled: 'busy',
  replaced: 'done',
  ended: 'bad',
  stopped: 'done',
  frozen: 'bad',
  moving: 'idle',
  none: 'idle',
  cpu: 'bad',
  bandwidth: 'warn',
  other: 'busy',
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
  const end = recording.end;
  const states = STATES.map(([key, label]) => lane(label, connection.states[key], end));
  const transport = statsLanes(connection, end, ['dtlsState', 'selectedCandidatePairId']);
  const media = statsLanes(connection, end, ['qualityLimitationReason', 'freezeCount']);
  // A lane in which nothing ever happens is no help; those of the connection itself are always there.
  const eventful = [...transport, ...media].filter(({ segments }) => segments.some(({ tone }) => tone !== 'idle'));
  return told(recording, [...states, ...eventful, ...trackLanes(recording, connection)]);
}

const LABELS: Record<StatsLane['member'], string> = {
  dtlsState: 'DTLS',
  selectedCandidatePairId: 'Path',
  state: 'Data channel',
  qualityLimitationReason: 'Limited',
  freezeCount: 'Frozen',
};

function statsLanes(connection: ConnectionOverview, end: number, members: StatsLane['member'][]): Lane[] {
  const items = entryItems(connection);
  const wanted = members.flatMap((member) => connection.lanes.filter((lane) => lane.member === member));
  const several = (member: StatsLane['member']) => wanted.filter((lane) => lane.member === member).length > 1;
  return wanted.map(({ entry, member, changes }) => {
    const badges = items.find(({ index }) => index === entry)?.label.badges ?? [];
    const own = badges.filter((badge) => /^(mid|rid) /.test(badge)).join(' ') || badges.join(' ');
    const label = several(member) && own ? `${LABELS[member]}, ${own}` : LABELS[member];
    const named: [number, string][] = member === 'selectedCandidatePairId' ? changes.map(([time, id]) => [time, pathText(connection, id)]) : changes;
    const { segments } = lane(label, named, end);
    return { label, title: [entry === null ? 'selected' : member, ...badges].join(' · '), segments: member === 'selectedCandidatePairId' ? paths(segments) : segments };
  });
}

/** One path after another: each change of the path is to be seen. */
const paths = (segments: Segment[]) => segments.map((segment, index) => ({ ...segment, tone: index === 0 ? segment.tone : index % 2 ? ('blue' as const) : ('violet' as const) }));

/** Tracks to which something happened, or that are few. */
const TRACKS = 6;

function trackLanes(recording: Recording, { tracks }: ConnectionOverview): Lane[] {
  const happened = (track: TrackOverview) => track.changes.length > 1;
  const all = tracks.map((track) => withCapture(track, recording.overview.tracks));
  const shown = all.length > TRACKS ? all.filter(happened) : all;
  return shown.map((track) => trackLane(track, recording, tracks));
}

/** What happened to a track as it was captured happened to it here. */
function withCapture(track: TrackOverview, captured: TrackOverview[]): TrackOverview {
  const start = track.changes[0]?.[0] ?? 0;
  const own = captured.find(({ id }) => id === track.id)?.changes.filter(([time]) => time > start) ?? [];
  return { ...track, changes: [...track.changes, ...own].sort(([a], [b]) => a - b) };
}

/** What was captured, for the page. */
export function captureLanes(recording: Recording): Lane[] {
  const { tracks } = recording.overview;
  return tracks.slice(0, 2 * TRACKS).map((track) => trackLane(track, recording, tracks));
}

function trackLane(track: TrackOverview, { overview, end }: Recording, all: TrackOverview[]): Lane {
  const name = trackName(track, overview.tracks, all);
  return { ...lane(name, track.changes, end), title: `${name}: ${track.label || track.id}` };
}

/** The state of every connection. */
export function sessionLanes(recording: Recording): Lane[] {
  const lanes = recording.overview.connections.map((connection) => lane(connection.id, connection.states.connection, recording.end));
  return told(recording, lanes);
}

/** Sora tells of no states: lanes without any are none of its. */
function told(recording: Recording, lanes: Lane[]): Lane[] {
  return recording.sora ? lanes.filter(({ segments }) => segments.length > 0) : lanes;
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
