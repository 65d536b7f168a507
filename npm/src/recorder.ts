/** What an application holds of its recording. */

import type { Identity } from './options.js';

/**
 * - `connecting`: recording; the collector was not reached yet
 * - `open`: recording; lines are on their way
 * - `reconnecting`: recording; the connection was lost and will be made again
 * - `closed`: nothing is recorded any more, or never was
 */
export type RecorderState = 'connecting' | 'open' | 'reconnecting' | 'closed';

/** Counts since the recording began. */
export interface Counters {
  /** Events and reports that were recorded. */
  lines: number;
  /** Reports among them. */
  reports: number;
  /** Lines that the collector has stored. */
  acknowledged: number;
  /** Bytes of lines that it has not. */
  bufferedBytes: number;
  /** Reports that a full buffer had to drop; the recording says so too. */
  droppedReports: number;
  /** Events that it had to drop. */
  droppedEvents: number;
  /** How often a lost connection was made again. */
  reconnects: number;
  /** Faults inside the recorder. None of them reaches the page. */
  faults: number;
}

/** A recording. An `EventTarget`: it fires `statechange` after each change of `state`. */
export interface Recorder extends EventTarget {
  /** Its id, a UUID; empty if there is no recording. */
  readonly session: string;
  readonly state: RecorderState;
  /** `false` if `sampleRate` has left this session out: nothing is wrapped or recorded, and `state` is `closed`. */
  readonly sampled: boolean;
  readonly counters: Counters;
  /**
   * Records an event of the application.
   * @param name shows as `:name`
   * @param data anything that `JSON.stringify` takes
   * @param connection the connection that it is about
   */
  event(name: string, data?: unknown, connection?: RTCPeerConnection): void;
  /**
   * Tells whom the recording is about, as the event `identity`. Members are added to those that were told before:
   * `identify({ user: 'ada' })` at login, and with Sora, once its SDK is connected, what the SFU calls this connection:
   * `identify({ sora: { connection_id: connection.connectionId, channel_id: connection.channelId } })`.
   */
  identify(data: Identity): void;
  /** Sends what waits without waiting for more. */
  flush(): void;
  /**
   * Ends the recording: puts the browser's functions back, sends what is left and waits until the collector has it, five
   * seconds at most. Never rejects.
   */
  close(): Promise<void>;
  /** Ends the recording and has every function back in its place when it returns; sends what is left in the background. */
  restore(): void;
}
