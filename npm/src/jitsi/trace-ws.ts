/**
 * Sends what `rtctrace/jitsi/rtcstats` observes to a server of Jitsi's rtcstats, in its own dialect. In place of
 * `@jitsi/rtcstats/trace-ws`. What goes into an entry is decided there, not here; only addresses are obfuscated here.
 */

import { toJson } from '../json.js';
import { newSession } from '../session.js';

export interface TraceOptions {
  /** `wss://` URL of the server, without a slash at its end. */
  endpoint: string;
  /** Name of the meeting: the path of the URL. */
  meetingFqn: string;
  /** Hears of every socket that closed, the refused ones too. */
  onCloseCallback?: (event: { code: number; reason: string }) => void;
  /** Announces the legacy dialect. */
  useLegacy?: boolean;
  /** Replaces IP addresses in candidates, descriptions and reports. Default true. */
  obfuscate?: boolean;
  /** Milliseconds between two keepalives. Default 30000. */
  pingInterval?: number;
}

/** A connection to the server, and what waits for it. */
export interface Trace {
  /** The socket is open. Entries may wait nevertheless until the server has said what it holds. */
  isConnected(): boolean;
  isClosed(): boolean;
  /** Tells who records: `trace.identity('identity', null, { confName, displayName, ... })`. Later ones add to earlier ones. */
  identity(type: string, connection: string | null, data: Record<string, unknown>): void;
  /**
   * Records an entry.
   * @returns false if it could not be kept: the buffer is full, or the value is not JSON
   */
  statsEntry(type: string, connection: string | null, value?: unknown): boolean;
  keepAlive(): void;
  /** Leaves the conference: closes with 3001, and no socket is opened any more. */
  close(): void;
  /** Opens a socket. A breakout room is a session of its own, which names the one it came from. */
  connect(isBreakoutRoom?: boolean, isReconnect?: boolean): void;
}

/** Between two sockets, in ms. Theirs waits ever longer, and gives up when it has waited for ten minutes. */
const LONGEST_WAIT = 120_000;
/** Characters of entries that are kept for a server that does not have them. What is no report has as much again. */
const BUFFER = 4 << 20;

interface Entry {
  sequence: number;
  type: string;
  /** JSON of `[type, connection, value, time, sequence number]`. */
  text: string;
}

/** Where Jitsi's client keeps the first thousand entries, acknowledged or not, this one keeps the last ones. */
export default function traceInit({
  endpoint,
  meetingFqn,
  onCloseCallback,
  useLegacy,
  obfuscate = true,
  pingInterval = 30_000,
}: TraceOptions): Trace {
  let session = newSession(Date.now());
  /** The session that the first breakout room was entered from. */
  let parent: string | undefined;
  let socket: WebSocket | undefined;
  /** The server has said what it holds. */
  let ready: boolean | undefined;
  let left: boolean | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let attempts = 0;

  let sequence = 1;
  const entries: Entry[] = [];
  let size = 0;

  const send = ({ type, text }: { type: string; text?: string }): void => {
    // Identities travel as JSON, all else as a text that holds JSON.
    const data = type === 'identity' ? JSON.parse(text!) : text;
    if (ready && socket?.readyState === 1) socket.send(toJson({ statsSessionId: session, type, data }));
  };
  const forget = (): void => {
    size -= entries.shift()!.text.length;
  };
  const add = (type: string, [name, connection, value]: unknown[]): boolean => {
    const text = toJson([name, connection, obfuscate ? obfuscated(name as string, value) : value, Date.now(), sequence]);
    // While the server listens, all of them were sent: what it does not acknowledge gives way.
    while (ready && entries[0] && size + text.length > BUFFER) forget();
    if (text === 'null' || size + text.length > BUFFER * (name === 'getstats' ? 1 : 2)) return false;
    // Only now: a number that nothing has would be a gap to the server.
    const entry = { sequence: sequence++, type, text };
    entries.push(entry);
    size += text.length;
    send(entry);
    return true;
  };

  const keepAlive = (): void => send({ type: 'keepalive' });

  const connect = (isBreakoutRoom?: boolean, isReconnect = false): void => {
    clearTimeout(retry);
    left = ready = false;
    if (isBreakoutRoom) parent ??= session;
    if (parent && !isReconnect) session = newSession(Date.now());
    socket?.close();
    const own = (socket = new WebSocket(
      `${endpoint}/${meetingFqn}?statsSessionId=${session}&isReconnect=${isReconnect}`,
      `3.1_${useLegacy ? 'LEGACY' : 'STANDARD'}`,
    ));
    const keepAlives = setInterval(keepAlive, pingInterval);
    own.onclose = ({ code, reason }) => {
      clearInterval(keepAlives);
      if (own === socket) {
        ready = false;
        // 3001: the conference was left, or the session is refused; 3002: its dump is broken.
        if (!left && code !== 3001 && code !== 3002) {
          const wait = Math.min(2 ** attempts++ * 1000 + Math.random() * 10_000, LONGEST_WAIT);
          retry = setTimeout(connect, wait, isBreakoutRoom, true);
        }
      }
      onCloseCallback?.({ code, reason });
    };
    own.onmessage = ({ data }) => {
      if (own !== socket) return;
      try {
        const { type, body } = JSON.parse(data);
        if (type !== 'sn') return;
        while (entries[0] && entries[0].sequence <= body.value) forget();
        if (body.state !== 'initial') return;
        attempts = 0;
        ready = true;
        entries.forEach(send);
      } catch {
        // No message of this dialect.
      }
    };
  };

  return {
    connect,
    keepAlive,
    isConnected: () => socket?.readyState === 1,
    isClosed: () => !(socket?.readyState! < 3),
    identity(type, connection, data) {
      // JSON leaves out what is undefined.
      add('identity', [type, connection, { ...data, parentStatsSessionId: parent }]);
    },
    statsEntry: (...entry) => add('stats-entry', entry),
    close() {
      left = true;
      clearTimeout(retry);
      socket?.close(3001);
    },
  };
}

const hidden = (address: unknown): string => (/:/.test(address as string) ? 'x:x:x:x:x:x:x:x' : 'x.x.x.x');

/** The address of a relay stays, so that calls can be told apart by their TURN server. */
const hiddenCandidate = (candidate: string): string =>
  candidate
    .replace(
      /(candidate:\S+ \S+ (\S+) \S+ )(\S+)(?= \S+ typ (\S+))/,
      (all: string, head: string, protocol: string, address: string, type: string) =>
        /relay|ssltcp/i.test(type + protocol) ? all : head + hidden(address),
    )
    .replace(/( raddr )(\S+)/, (_, name: string, address: string) => name + hidden(address));

/** The value without IP addresses, the caller's own untouched. */
function obfuscated(type: string, value: any): unknown {
  if (!value || !/candidate$|Description$|rOnSuccess$|^getstats/i.test(type)) return value;
  const copy = JSON.parse(toJson(value)) ?? {};
  if (copy.sdp) {
    copy.sdp = copy.sdp
      .replace(/^a=candidate:.*/gm, hiddenCandidate)
      .replace(/^c=.*/gm, 'c=IN IP4 0.0.0.0')
      .replace(/^a=rtcp:.*/gm, 'a=rtcp:9 IN IP4 0.0.0.0');
  } else if (copy.candidate) {
    copy.candidate = hiddenCandidate(copy.candidate);
  } else {
    for (const entry of Object.values<any>(copy)) {
      for (const member of ['ip', 'address', 'relatedAddress']) {
        if (entry?.[member] && (entry.candidateType !== 'relay' || member[0] === 'r')) entry[member] = hidden(entry[member]);
      }
    }
  }
  return copy;
}
