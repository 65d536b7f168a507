/** Between those who observe the page (this folder) and those who write down what they saw: a recording, or a drop-in face. */

/** One thing that a page did or a browser said, before it is written down. */
export interface Moment {
  /** As in lines, uncompressed: `createOfferOnSuccess`, `onicecandidate`, `MediaStreamTrack.stop`. */
  method: string;
  /** The n of `PC_n`; null for what belongs to no connection. */
  connection: number | null;
  /** JSON text of the value in the format of rtcstats 5.0, `null` where there is none. A description is whole here: `{"type","sdp"}`. */
  json: string;
  /** Texts: tracking id, sender name, track id. */
  extra: (string | null)[];
  /** Unix time in whole ms. */
  time: number;
  /** The object that the method was called on, or that the event came from. */
  self: unknown;
  /** The arguments of the call. */
  args: unknown[];
  /** The result, the error or the browser's event. */
  result: unknown;
}

/** Takes what was observed. What it throws is swallowed and counted. */
export interface Sink {
  event(moment: Moment): void;
  /**
   * A poll's answer.
   * @param report `Object.fromEntries` of the RTCStatsReport, with `rtcStatsComputePressure` where it is known
   * @param reason `connected-0` or `failed-0` on a connection's first report
   * @param isLast whether no other connection's report is on its way, so that what came may be sent
   * @returns false if it was not kept: the next one is told the reason again
   */
  report(connection: number, report: Record<string, unknown>, reason: string | null, time: number, isLast: boolean): boolean | void;
  /** Nothing will come of this connection any more (closed, or collected): what is kept for it may go. */
  gone(connection: number): void;
}

/** What can be observed, or left alone, as one. */
export type Group = 'peerConnection' | 'userMedia' | 'devices' | 'page';

/** What to observe, and for whom. */
export interface Plan {
  /** Groups without a sink are left alone. A group that is observed already stays with its first sink: wrapping twice is once. */
  sinks: Partial<Record<Group, Sink>>;
  /** Milliseconds between two reports of a connection; 0 for none. */
  interval: number;
  /** Which connections are recorded; all by default. */
  filter?: (configuration: RTCConfiguration | undefined) => boolean;
  /** Where the interfaces are; `globalThis` by default. */
  target?: typeof globalThis;
  /** Hears of faults of ours; none of them reaches the page. */
  fault: (error: unknown) => void;
  /** Unix time in whole ms. */
  now: () => number;
  /** Whether it is told when local tracks are muted, and what becomes of those that are sent and were not captured: upstream tells neither. */
  localTracks?: boolean;
  /** Takes events that the page made and dispatched, too; by default only what comes from the browser is the browser's. */
  untrusted?: boolean;
  /** Hears of a group that someone else observes already. */
  taken?: (group: Group) => void;
  /** Called with each connection that is recorded and its id, `PC_0`. */
  created?: (connection: RTCPeerConnection, id: string) => void;
}
