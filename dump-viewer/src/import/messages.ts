// What passes between the page and the worker that reads dumps. The shapes of `Overview` and `EventValue` are those
// that the wasm module writes: dump-viewer/wasm/src/overview.rs and value.rs.

/** Everything about a dump that the views need at once; the rest is fetched when it is looked at. */
export interface Overview {
  /** The dump's second line. */
  metadata: Record<string, unknown>;
  /** Unix milliseconds of the first and the last event. */
  start: number;
  end: number;
  /** Method names; events refer to them by index. */
  methods: string[];
  /** In order of first appearance; events refer to them by index. */
  connections: ConnectionOverview[];
  /** What was captured. */
  tracks: TrackOverview[];
  skipped: SkippedLines;
  /** Reading stopped before the end of the file: truncated or damaged. */
  interrupted: LineProblem | null;
  /** The line at which a second dump begins, which is not read. */
  secondDump: number | null;
  /** Memory for graphs ran out at this time; later reports are in the event table only. */
  graphsEnd: number | null;
  /** What the recording amounts to, in the shape of the API's `features`; null if it could not be computed, or while the file is read. */
  features: Features | null;
  /** What was wrong, the worst first; nothing while the file is read. */
  findings: Finding[];
}

export type Severity = 'critical' | 'warning' | 'notice';

/** What a rule found. */
export interface Finding {
  rule: string;
  severity: Severity;
  /** What the rule finds, what that means for a user, and what can be done. */
  title: string;
  meaning: string;
  advice: string;
  /** Of the page if there is none. */
  connection?: string;
  track?: { kind?: string; direction?: string; mid?: string; rid?: string; trackIdentifier?: string; statsId?: string };
  /** Unix ms. */
  begin: number;
  end: number;
  sentence: string;
  values: Record<string, { value: number | string; unit?: string }>;
}

export interface LineProblem {
  /** Counted from 1, as editors do. */
  line: number;
  reason: string;
}

export interface SkippedLines {
  count: number;
  /** The first few of them. */
  first: LineProblem[];
}

export interface Features {
  client: Record<string, unknown>;
  connections: ({ id: string } & Record<string, unknown>)[];
}

/** The states of a connection that the timeline shows, each a list of `[Unix ms, state]`. */
export interface StateLanes {
  connection: [number, string][];
  iceConnection: [number, string][];
  iceGathering: [number, string][];
  signaling: [number, string][];
}

/** A track, and what became of it: `live`, `muted`, `disabled`, `replaced`, `ended`, `stopped`. */
export interface TrackOverview {
  id: string;
  kind: string;
  label: string;
  /** It is the other side's. */
  remote: boolean;
  /** Id of the first stream that it is in. */
  stream: string | null;
  /** It was captured of a screen, a window or a tab. */
  screen: boolean;
  /** What the application says that it shows or plays: `motion`, `detail`, `text`, `speech`, `music`. */
  hint: string | null;
  changes: [number, string][];
}

/** What reports tell of a state. */
export interface StatsLane {
  /** Index of the entry in its connection; null where several tell it together, as pairs do which of them is in use. */
  entry: number | null;
  /** The member whose values are states; of `freezeCount` they are `frozen` and `moving`. */
  member: 'dtlsState' | 'selectedCandidatePairId' | 'qualityLimitationReason' | 'state' | 'freezeCount';
  changes: [number, string][];
}

export interface ConnectionOverview {
  id: string;
  start: number;
  end: number;
  events: number;
  failures: number;
  reports: number;
  /** Event numbers of its session descriptions, in order. */
  descriptions: number[];
  states: StateLanes;
  tracks: TrackOverview[];
  lanes: StatsLane[];
  entries: EntryOverview[];
}

/** One stats entry (an RTCStats object with one id) over the life of its connection. */
export interface EntryOverview {
  id: string;
  type: string;
  start: number;
  end: number;
  /** Reports that hold it. */
  points: number;
  /** Last value of every member that is a string, as seen last. */
  texts: Record<string, TextMember>;
  series: SeriesOverview[];
}

export interface TextMember {
  value: string;
  /** Times it took another value. */
  changes: number;
}

export type SeriesKind = 'derived' | 'gauge' | 'counter';

export interface SeriesOverview {
  name: string;
  kind: SeriesKind;
  unit: string;
  /** It has the same value in every report. */
  constant: boolean;
  last: number | null;
}

/** The event table's columns; event n is at index n of each. */
export interface EventColumns {
  time: Float64Array;
  method: Uint32Array;
  /** Index into `connections`; -1 for an event of the page. */
  connection: Int32Array;
  /** Of a call the event that is its outcome, of an outcome its call; -1 of any other. */
  partner: Int32Array;
  flags: Uint8Array;
}

export const FLAG_FAILURE = 1;
export const FLAG_WARNING = 2;

/** The value of one event, complete: a report or SDP is no longer compressed. */
export interface EventValue {
  kind: 'json' | 'description' | 'report';
  /** JSON text; of a description the description's type, or null. */
  value: string;
  /** Session description, only of a description. */
  sdp: string | null;
  /** JSON texts. */
  extra: string[];
  line: number;
}

/** Times in Unix ms and a list of values for each series that was asked for; NaN where a report has no such member. */
export interface SeriesData {
  time: Float64Array;
  /** The points to which no line leads: their entry was away before, or the page slept. */
  breaks: Uint32Array;
  values: Float64Array[];
}

export type Request =
  | { id: number; do: 'open'; blob: Blob; session: string | null }
  | { id: number; do: 'append'; bytes: Uint8Array }
  | { id: number; do: 'previews'; from: Uint32Array }
  | { id: number; do: 'value'; event: number }
  | { id: number; do: 'anonymized' }
  | { id: number; do: 'search'; text: string; onwards: boolean }
  | { id: number; do: 'rest' }
  | { id: number; do: 'series'; connection: number; entry: number; names: string[] };

/** Part of what a search finds. */
export interface Found {
  events: Uint32Array;
  /** Of each report where the text is in it, as a number of `places`, which may be of a part before or none at all; of other events nothing. */
  at: Uint32Array | null;
  /** Further places. */
  places: string[];
  /** Of the recording that was looked at. */
  share: number;
}

export interface Opened {
  overview: Overview;
  columns: EventColumns;
}

/** One of the sessions of a file that has several: a log of the SFU Sora. */
export interface SoraSession {
  /** Sora's id of it, or the name of a node that counts itself. */
  id: string;
  channel: string | null;
  connections: number;
  /** Unix milliseconds. */
  start: number;
  end: number;
}

/** What a file with several sessions is opened to while none of them is named. */
export interface Several {
  sessions: SoraSession[];
}

export type Response =
  | { id: number; ok: true; result: unknown }
  | { id: number; ok: false; error: string }
  | { id: number; progress: number }
  | { id: number; found: Found }
  /** What of a file is there while the rest of it is read. */
  | { id: number; part: Opened };
