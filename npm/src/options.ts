/** The options of a recording, as an application gives them. */

/** Where the module is: its address, its bytes, or itself compiled. */
export type ModuleSource = string | URL | Request | BufferSource | WebAssembly.Module;

/** Who a recording is about. Members of any other name are recorded too. */
export interface Identity {
  /** Who uses the page. */
  user?: string;
  /** The room, meeting or channel. */
  conference?: string;
  /** The application's own name for this participation. */
  session?: string;
  /** What the SFU Sora calls the page's connection to it. The collector links the recording to what Sora sends of that connection. */
  sora?: { connection_id: string; channel_id?: string };
  [name: string]: unknown;
}

/** What to leave out of a recording, in the page already. */
export interface Redaction {
  /**
   * IP addresses lose their last part, as the collector does it: in candidates, their errors and selected pairs, in descriptions and in
   * reports. The addresses of TURN servers (relay candidates) stay, the ones behind them do not.
   */
  addresses?: boolean;
  /** The labels of devices and tracks are recorded as `''`. */
  labels?: boolean;
  /** Descriptions are recorded by their type alone, with an empty `sdp`. Candidates are still recorded one by one. */
  sdp?: boolean;
}

/** How to record. */
export interface RtctraceOptions {
  /** Where the collector is: `ws://host:8080`, `wss://host/path`, or the same with `http` and `https`. */
  endpoint: string | URL;
  /**
   * What the collector admits this page by. A function is asked again before every connection, and the collector's refusal of
   * an old token is then not the end; one that fails, or takes longer than 15 seconds, counts as a failed attempt.
   */
  token?: string | (() => string | Promise<string>);
  /** The id of the recording, a UUID that no other recording has. Made here when absent. */
  session?: string;
  /** Recorded as the event `identity`, right after the first event. See also {@link Recorder.identify}. */
  identity?: Identity;
  /** Milliseconds between two `getStats` reports of a connection; 0 turns reports off. Default 1000. */
  getStatsInterval?: number;
  /**
   * Picks the connections to record, like the function given to `Array.filter`: `true` records the connection. Asked once with the
   * configuration that the page gave. One that throws is a fault, and that connection is not recorded. Default: all.
   */
  connectionFilter?: (configuration: RTCConfiguration | undefined) => boolean;
  /** What is traced. Each is `true` by default. */
  wrap?: {
    /** `RTCPeerConnection` and what belongs to it: senders, transceivers, transports, data channels. */
    peerConnection?: boolean;
    /** `getUserMedia`, `getDisplayMedia`, and the tracks that they gave. */
    userMedia?: boolean;
    /** `enumerateDevices` and changes of devices. */
    devices?: boolean;
  };
  /** How many bytes are kept for a collector that is out of reach, 256 KiB more for events of the application. Default 4 MiB, at least 64 KiB. */
  bufferBytes?: number;
  /**
   * The share of sessions to record, from 0 to 1. Decided by the session's id alone, so the same id always decides the same.
   * Of a session that is left out nothing is wrapped, and its recorder has `sampled === false`. Default 1.
   */
  sampleRate?: number;
  /** What to leave out. Default: nothing; TURN credentials are never recorded. */
  redact?: Redaction;
  /**
   * Counts how often a tab began a recording without having ended the one before, as `reloadCount` of the first event. The
   * count is kept in `sessionStorage` under `rtctrace.reloads`. Default true.
   */
  countReloads?: boolean;
  /** Hears, once each, that the recorder could not start, was refused, or had a fault. Default `console.warn`. */
  log?: (message: string) => void;
}
