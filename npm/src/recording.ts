/** One recording: observers in the page, the core that writes lines, the link that sends them, and the handle to it all. */

import { aboutClient, forgetReloads } from './about.js';
import { Backlog, type Rank } from './backlog.js';
import { startClock } from './clock.js';
import { CLOSE, Core, load, loadNow, START } from './core.js';
import { toJson } from './json.js';
import { describe, Link } from './link.js';
import type { Identity, ModuleSource, RtctraceOptions } from './options.js';
import type { Counters, Recorder, RecorderState } from './recorder.js';
import { original } from './original.js';
import { redactor } from './redact.js';
import { isSampled, newSession } from './session.js';
import { check, type Settings } from './settings.js';
import { wrap } from './wrap/index.js';
import type { Sink } from './wrap/sink.js';

// The page may replace these later.
const { stringify } = JSON;
const { Event } = globalThis;
const [queueMicrotask, setTimeout] = ['queueMicrotask', 'setTimeout'].map((name) => original(globalThis, name));

/** Their values are compressed against the descriptions before them; failures say which of those count. */
const DESCRIPTIONS = new Set([
  'createOfferOnSuccess', 'createOfferOnFailure', 'createAnswerOnSuccess', 'createAnswerOnFailure',
  'setLocalDescription', 'setLocalDescriptionOnSuccess', 'setLocalDescriptionOnFailure',
  'setRemoteDescription', 'setRemoteDescriptionOnSuccess', 'setRemoteDescriptionOnFailure',
]);

/** Why the collector ends a recording, by its close codes. */
const REASONS: Record<number, string> = {
  1007: 'it could not read what was sent',
  1008: 'this page or user is not allowed to record',
  1009: 'a line was too large',
  4000: 'the session has already ended',
  4001: 'it has reached its limit of sessions',
  4002: 'another page or tab continues the session',
};

/** In place of a close code: the browser forbids the socket; the recording ended, with and without all of it acknowledged. */
const FORBIDDEN = 0;
const COMPLETE = -1;
const INCOMPLETE = -2;

/** In the order in which the core numbers them. */
const STATES: readonly RecorderState[] = ['connecting', 'open', 'reconnecting', 'closed'];
const COUNTED = ['lines', 'reports', 'acknowledged', 'bufferedBytes', 'droppedReports', 'droppedEvents', 'reconnects'] as const;

/**
 * What no collector takes in one line. The core refuses it too, to the byte; but its memory, once grown for a text, would never
 * shrink again, so what is far too long stays outside. A report is shorter as a line, but hardly a quarter.
 */
const LINE_LIMIT = 1024 * 1024;
const LIMITS: Record<Rank, number> = { report: 4 * LINE_LIMIT, event: LINE_LIMIT, application: LINE_LIMIT };

/** How long the end of a recording waits for a module that is still on its way; the core waits as long for the collector. */
const CLOSE_TIMEOUT = 5_000;

/** Where a page keeps its recording, so that every copy of this package finds it: functions are wrapped once. */
const RUNNING = Symbol.for('rtctrace.recording');
const page = globalThis as { [RUNNING]?: Recording };

/** Where the module comes from, asked once the observers are in place. */
type Source = () => ModuleSource | Promise<ModuleSource>;

/**
 * The recording that runs in this page, or a new one, whose observers are in place when this returns. One that is about to end
 * runs no more; the new one keeps what happens until the module is free. Never throws.
 */
export function record(options: RtctraceOptions, source: Source): Recording {
  const running = page[RUNNING];
  return running && !running.ending ? running : new Recording(options, source, running?.ending);
}

class Recording extends EventTarget implements Recorder {
  /** Until it is known whether the module can be had. Never rejects. */
  readonly ready: Promise<void>;
  /** Until it has ended, once it is about to. */
  ending: Promise<void> | undefined;

  readonly #log: (message: string) => void;
  readonly #core = new Core((error) => this.#died(error));
  readonly #finished: Promise<void>;
  #finish!: () => void;
  #session = '';
  #sampled = true;
  #identity: Identity = {};
  #now: () => number = Date.now;
  #startedAt = 0;
  /** Until the module is there. */
  #backlog: Backlog | undefined;
  #link: Link | undefined;
  #unwrap = (): void => {};
  #numberOf = (_: unknown): number | undefined => undefined;
  #isClosing = false;
  #isOver = false;
  #toldState: RecorderState = 'connecting';
  #counters: Counters = {
    lines: 0, reports: 0, acknowledged: 0, bufferedBytes: 0, droppedReports: 0, droppedEvents: 0, reconnects: 0, faults: 0,
  };
  #faults = 0;
  #toldData = false;
  /** What never came to the core: it was too long, or had no room before the module was there. */
  #lost = { reports: 0, events: 0 };

  constructor(options: RtctraceOptions, source: Source, previous?: Promise<void>) {
    super();
    this.#log = (message) => {
      try {
        const log = typeof options?.log === 'function' ? options.log : console.warn;
        log(`rtctrace: ${message}`);
      } catch {
        // The application's own function.
      }
    };
    this.#finished = new Promise((resolve) => (this.#finish = resolve));
    this.ready = this.#begin(options, source, previous);
  }

  get session(): string {
    return this.#session;
  }

  get state(): RecorderState {
    if (this.#isOver) return 'closed';
    return this.#backlog ? 'connecting' : STATES[this.#core.state()]!;
  }

  get sampled(): boolean {
    return this.#sampled;
  }

  get counters(): Counters {
    if (!this.#isOver) this.#count();
    return { ...this.#counters, faults: this.#faults };
  }

  event(name: string, data?: unknown, connection?: RTCPeerConnection): void {
    this.#guard(() => {
      // No connection may join now: a later recording would miss its beginning.
      if (this.#isOver || this.#isClosing) return;
      let json = 'null';
      try {
        json = stringify(data) ?? json;
      } catch (error) {
        if (!this.#toldData) this.#log(`data of an event that is no JSON is recorded as null: ${describe(error)}`);
        this.#toldData = true;
      }
      this.#write(`:${name}`, this.#numberOf(connection) ?? null, json, '', this.#now());
    });
  }

  identify(data: Identity): void {
    this.#guard(() => {
      // What is no JSON must not spoil what was told before.
      this.#identity = { ...this.#identity, ...JSON.parse(stringify(data)) };
      this.#record('identity', null, this.#identity);
    });
  }

  flush(): void {
    this.#link?.flush();
  }

  close(): Promise<void> {
    if (this.#isOver) this.#leave();
    else if (!this.#isClosing) {
      this.#isClosing = true;
      this.ending = this.#finished;
      this.#unwrap();
      this.#link?.input(CLOSE);
      if (this.#backlog) setTimeout(() => this.#backlog && this.#fail('it was closed before the module was there'), CLOSE_TIMEOUT);
    }
    return this.#finished;
  }

  restore(): void {
    void this.close();
  }

  /** Everything up to the first `await` happens before the application goes on. */
  async #begin(options: RtctraceOptions, source: Source, previous?: Promise<void>): Promise<void> {
    try {
      const settings = check(options);
      const session = settings.session ?? newSession(Date.now());
      // A session that is left out stays the page's one, so that another `init` does not cast the lot again.
      Object.defineProperty(page, RUNNING, { value: this, configurable: true });
      this.#sampled = isSampled(session, settings.sampleRate);
      if (!this.#sampled) {
        this.#isOver = true;
        this.#finish();
        return;
      }
      this.#session = session;
      this.#backlog = new Backlog(settings.bufferBytes);
      this.#observe(settings);
      const module = await source();
      await previous;
      if (!(module instanceof Uint8Array && loadNow(module))) await load(module);
      if (!this.#isOver) this.#attach(settings);
    } catch (error) {
      this.#fail(describe(error));
    }
  }

  #observe(settings: Settings): void {
    const { connectionFilter, getStatsInterval, groups, identity } = settings;
    this.#now = startClock((duration, now) => this.#write(':rtctrace.suspended', null, `{"duration":${duration}}`, '', now));
    this.#startedAt = this.#now();
    if (identity) this.identify(identity);

    const sink = this.#sink(settings);
    const fault = (error: unknown): void => this.#fault(error);
    const filter = (configuration: RTCConfiguration | undefined): boolean => {
      try {
        return Boolean(connectionFilter!(configuration));
      } catch (error) {
        fault(error);
        return false;
      }
    };
    const { numberOf, restore } = wrap({
      sinks: Object.fromEntries(groups.map((group) => [group, sink])),
      interval: getStatsInterval,
      ...(connectionFilter && { filter }),
      fault,
      now: this.#now,
      localTracks: true,
      taken: (group) => this.#log(`${group} is not recorded here: another copy of rtctrace, or a drop-in face, records it already`),
    });
    this.#unwrap = restore;
    this.#numberOf = numberOf;
  }

  #sink({ redact }: Settings): Sink {
    const redaction = redact && redactor(redact);
    return {
      event: ({ method, connection, json, extra, time }) => {
        const value = redaction ? redaction.value(method, json) : json;
        if (connection !== null && DESCRIPTIONS.has(method) && !redact?.sdp) {
          const tracking = extra[0] ?? '';
          this.#put('event', connection, value.length, time, () => this.#core.describe(method, connection, value, tracking, time));
        } else {
          this.#write(method, connection, value, extra.map((item) => stringify(item ?? null)).join(), time);
        }
      },
      report: (connection, report, reason, time, isLast) => {
        const json = stringify(redaction ? redaction.report(report) : report);
        const extra = reason ? `"${reason}"` : '';
        return this.#put('report', connection, json.length, time, () => this.#core.report(connection, json, extra, time), isLast);
      },
      gone: (connection) => this.#put('event', connection, 0, 0, () => this.#core.gone(connection)),
    };
  }

  /** An event of our own or of the application, now. */
  #record(method: string, connection: number | null, value: unknown): void {
    this.#write(method, connection, toJson(value), '', this.#now());
  }

  #write(method: string, connection: number | null, json: string, extra: string, time: number): void {
    const rank = method.startsWith(':') ? 'application' : 'event';
    const length = method.length + json.length + extra.length;
    this.#put(rank, connection, length, time, () => this.#core.record(method, connection, json, extra, time));
  }

  /**
   * The way to the core: at once, or as soon as it is there. What is due is sent in the same task after the last of several
   * reports, because a timer's own would cost the page more than all of this. False if it was not kept.
   */
  #put(rank: Rank, connection: number | null, length: number, time: number, work: () => unknown, isLast = false): boolean {
    if (this.#isOver || this.#isClosing) return false;
    if (length > LIMITS[rank]) {
      this.#lost[rank === 'report' ? 'reports' : 'events'] += 1;
      this.#write(':rtctrace.dropped', connection, `{"lines":1,"bytes":${length}}`, '', time);
      return false;
    }
    if (this.#backlog) return this.#backlog.add(rank, length, work);
    const isKept = work() !== false;
    if (isLast) this.#link?.tick(time);
    // A report may be the last that comes for long: one that a browser never answers holds up no other.
    else this.#link?.pump();
    return isKept;
  }

  /** The module is there. */
  #attach({ endpoint, token, bufferBytes, countReloads }: Settings): void {
    const core = this.#core;
    const backlog = this.#backlog!;
    this.#backlog = undefined;
    const [seed] = crypto.getRandomValues(new Uint32Array(1));
    core.begin(bufferBytes, seed!, typeof token === 'function', this.#startedAt);
    // Now, and not at the start: the first look at a tab's storage may keep the page waiting for the browser for 10 ms.
    core.record('create', null, toJson(aboutClient(countReloads)), '', this.#startedAt);
    backlog.replay();
    backlog.tellLosses((method, connection, value) => core.record(method, connection, stringify(value), '', this.#now()));
    this.#lost.reports += backlog.lostReports.count;
    this.#lost.events += backlog.lostEvents.count;
    this.#link = new Link({
      core,
      endpoint,
      session: this.#session,
      token,
      now: this.#now,
      flushed: (connectionTime) => this.#record('websocket', null, { connectionTime }),
      over: (code) => this.#ended(code),
      settled: () => this.#tellState(),
      log: this.#log,
      fault: (error) => this.#fault(error),
    });
    this.#link.input(START);
    if (this.#isClosing) this.#link.input(CLOSE);
  }

  #count(): void {
    const counters = this.#counters;
    const backlog = this.#backlog;
    if (backlog) {
      Object.assign(counters, {
        lines: backlog.length,
        bufferedBytes: backlog.bytes,
        droppedReports: backlog.lostReports.count,
        droppedEvents: backlog.lostEvents.count,
      });
    } else {
      COUNTED.forEach((name, index) => (counters[name] = this.#core.counter(index)));
    }
    counters.droppedReports += this.#lost.reports;
    counters.droppedEvents += this.#lost.events;
  }

  #ended(code: number): void {
    this.#count();
    if (code === COMPLETE || code === INCOMPLETE) {
      forgetReloads();
      if (code === INCOMPLETE) this.#log('closed before the collector had acknowledged all of the recording');
    } else if (code === FORBIDDEN) {
      this.#log('not recording any more: the browser forbids this page a connection to the collector');
    } else {
      this.#log(`the collector refused the recording: ${REASONS[code] ?? `close code ${code}`}`);
    }
    this.#stop();
  }

  #fail(message: string): void {
    if (this.#isOver) return;
    this.#log(`not recording: ${message}`);
    this.#session = '';
    this.#stop();
  }

  /** The module has trapped. */
  #died(error: unknown): void {
    this.#faults += 1;
    this.#log(`a fault inside the recorder, which stops it: ${describe(error)}`);
    this.#stop();
  }

  /** A fault of ours that is not the end. */
  #fault(error: unknown): void {
    this.#faults += 1;
    if (this.#faults === 1) this.#log(`a fault inside the recorder: ${describe(error)}`);
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fault(error);
    }
  }

  #stop(): void {
    this.#isOver = true;
    this.#backlog = undefined;
    this.#guard(() => this.#unwrap());
    this.#guard(() => this.#link?.stop());
    this.#leave();
    this.#tellState();
    this.#finish();
  }

  /** Makes room for another recording in this page. */
  #leave(): void {
    if (page[RUNNING] === this) delete page[RUNNING];
  }

  /** Later, because this may be in the middle of what the page is doing. */
  #tellState(): void {
    const { state } = this;
    if (state === this.#toldState) return;
    this.#toldState = state;
    queueMicrotask(() => this.dispatchEvent(new Event('statechange')));
  }
}
