/**
 * Carries out what the transport wants: a socket, a timer, a beacon. It decides nothing; what happens outside is handed to
 * the core, and what follows from it comes back as effects.
 */

import {
  BEACON, BEACON_REFUSED, CLOSED, CONNECT, type Core, DISCONNECT, FIRST_FLUSH, FLUSH, FORBIDDEN, HIDDEN, ONLINE, OVER, PAGE_HIDE, SEND, SHOWN, TICK,
} from './core.js';
import type { RtctraceOptions } from './options.js';
import { original } from './original.js';

// The page, a polyfill or a test's fake clock may replace these later.
const { WebSocket, navigator, document } = globalThis;
const { apply } = Reflect;
const [setTimeout, clearTimeout] = ['setTimeout', 'clearTimeout'].map((name) => original(globalThis, name));
const [addEventListener, removeEventListener] = ['addEventListener', 'removeEventListener'].map((name) => original(globalThis.EventTarget?.prototype, name));
const { send, close } = WebSocket?.prototype ?? {};
const { sendBeacon } = navigator ?? {};

/** How a socket closes that never opened. */
const LOST = 1006;

export interface LinkPlan {
  core: Core;
  endpoint: string;
  session: string;
  token: RtctraceOptions['token'];
  now: () => number;
  /** The first lines were handed to the socket. */
  flushed: (milliseconds: number) => void;
  /** The recording is over: the close code, 0 if the browser forbids the socket, -1 if it ended as it should. */
  over: (code: number) => void;
  /** All effects of something were carried out. */
  settled: () => void;
  log: (message: string) => void;
  fault: (error: unknown) => void;
}

export class Link {
  readonly #plan: LinkPlan;
  readonly #cleanUp: (() => void)[] = [];
  #socket: WebSocket | undefined;
  /** Of the newest socket, for the policy's violation that names it. */
  #url = '';
  /** Counts connections, so that a token that comes late opens none. */
  #attempt = 0;
  /** The newest token, for the beacon, which cannot wait for one. */
  #token = '';
  #tokenFailed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wakeAt = -1;
  #isBusy = false;
  #isStopped = false;
  #isLeaving = false;

  constructor(plan: LinkPlan) {
    this.#plan = plan;
    this.#listen(globalThis, 'online', () => this.input(ONLINE));
    // Whatever is recorded after this, by the page's own listeners too, goes with further beacons.
    // Some libraries dispatch these themselves, in pages that stay.
    this.#listen(globalThis, 'pagehide', ({ isTrusted }) => {
      if (!isTrusted) return;
      this.#isLeaving = true;
      this.input(PAGE_HIDE);
      // An open socket would keep the page out of the back-forward cache.
      this.#disconnect(1000);
    });
    this.#listen(globalThis, 'pageshow', (event) => {
      if (!event.isTrusted) return;
      this.#isLeaving = false;
      if ((event as PageTransitionEvent).persisted) this.input(SHOWN);
    });
    this.#listen(document, 'visibilitychange', () => {
      if (document.visibilityState === 'hidden' && !this.#isLeaving) this.input(HIDDEN);
    });
    this.#listen(document, 'securitypolicyviolation', (event) => {
      const { disposition, effectiveDirective, blockedURI } = event as SecurityPolicyViolationEvent;
      if (disposition !== 'enforce' || effectiveDirective !== 'connect-src' || !this.#url) return;
      // Some browsers tell the origin only.
      if (this.#url.startsWith(blockedURI) || blockedURI.startsWith(this.#url.split('?')[0]!)) this.input(FORBIDDEN);
    });
  }

  /** Tells the core that something happened, at a `time` that is known or now, and carries out what follows from it. */
  input(kind: number, number = 0, time?: number): void {
    if (this.#isStopped) return;
    this.#guard(() => this.#plan.core.input(kind, number, time ?? this.#plan.now()));
    this.pump();
  }

  /** The browser calls from here; what goes wrong must not become the window's error. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#plan.fault(error);
    }
  }

  /** Sends all that waits. */
  flush(): void {
    this.input(FLUSH, this.#socket?.bufferedAmount);
  }

  /** Sends what is due. */
  tick(time?: number): void {
    this.input(TICK, this.#socket?.bufferedAmount, time);
  }

  /** Carries out the effects that wait, and sets the timer. */
  pump(): void {
    // An effect may lead to a line of ours, and that to another pump. After the end, the core is another recording's.
    if (this.#isBusy || this.#isStopped) return;
    this.#isBusy = true;
    const { core, settled } = this.#plan;
    this.#guard(() => {
      for (let effect = core.effect(); effect; effect = core.effect()) {
        if (effect === SEND) this.#send(core.effectText());
        else this.#carryOut(effect);
      }
      this.#wake(core.deadline());
      settled();
    });
    this.#isBusy = false;
  }

  /** Lets go of the socket, the timer and the page. */
  stop(): void {
    this.#isStopped = true;
    this.#disconnect(1000);
    clearTimeout(this.#timer);
    this.#wakeAt = -1;
    for (const work of this.#cleanUp.splice(0)) work();
  }

  #carryOut(effect: number): void {
    const { core, flushed, over } = this.#plan;
    const number = core.effectNumber();
    if (effect === CONNECT) this.#connect(number);
    else if (effect === DISCONNECT) this.#disconnect(number);
    else if (effect === BEACON) this.#beacon(number, core.effectText());
    else if (effect === FIRST_FLUSH) flushed(number);
    else if (effect === OVER) over(number);
  }

  #connect(from: number): void {
    this.#disconnect(1000);
    const { token } = this.#plan;
    if (typeof token !== 'function') {
      this.#token = token ?? '';
      this.#open(from);
      return;
    }
    // How long this may take, the core knows: it gives up a connection that is not there in time.
    const attempt = this.#attempt;
    void (async () => {
      try {
        const text = await token();
        if (typeof text !== 'string') throw new TypeError('it gave no string');
        if (attempt !== this.#attempt) return;
        this.#token = text;
        this.#open(from);
      } catch (error) {
        if (attempt !== this.#attempt) return;
        if (!this.#tokenFailed) this.#plan.log(`the token function failed, and will be asked again: ${describe(error)}`);
        this.#tokenFailed = true;
        this.input(CLOSED, LOST);
      }
    })();
  }

  #open(from: number): void {
    const url = `${this.#plan.endpoint}/v1/ws${this.#query(from)}`;
    this.#url = url;
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, 'rtctrace.v1');
    } catch {
      // Mixed content: trying again cannot help. Told later, because this may be in the middle of other effects.
      setTimeout(() => this.input(FORBIDDEN), 0);
      return;
    }
    this.#socket = socket;
    apply(addEventListener, socket, ['message', ({ data }: MessageEvent) => {
      if (socket !== this.#socket || typeof data !== 'string') return;
      this.#guard(() => this.#plan.core.frame(data, this.#plan.now()));
      this.pump();
    }]);
    apply(addEventListener, socket, ['close', ({ code }: CloseEvent) => {
      if (socket !== this.#socket) return;
      this.#socket = undefined;
      this.input(CLOSED, code);
    }]);
  }

  #query(from: number): string {
    const token = this.#token && `&token=${encodeURIComponent(this.#token)}`;
    return `?session=${this.#plan.session}&from=${from}${token}`;
  }

  #send(text: string): void {
    try {
      if (this.#socket) apply(send, this.#socket, [text]);
    } catch {
      // The close event follows, and what was not acknowledged is sent again.
    }
  }

  #disconnect(code: number): void {
    this.#attempt += 1;
    const socket = this.#socket;
    this.#socket = undefined;
    try {
      if (socket) apply(close, socket, [code]);
    } catch {
      // Already closed.
    }
  }

  #beacon(from: number, body: string): void {
    try {
      // `ws:` becomes `http:`, `wss:` becomes `https:`.
      const isTaken = apply(sendBeacon, navigator, [`http${this.#plan.endpoint.slice(2)}/v1/beacon${this.#query(from)}`, body]);
      // The core then offers less, in this same round of effects.
      if (isTaken === false) this.input(BEACON_REFUSED);
    } catch {
      // The page is going; there is no other way left.
    }
  }

  /** A timer that fires too early asks again; to set it anew at every change of the deadline would cost more. */
  #wake(at: number): void {
    if (at < 0 || (this.#wakeAt >= 0 && this.#wakeAt <= at)) return;
    this.#wakeAt = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#wakeAt = -1;
      this.tick();
    }, Math.max(0, at - this.#plan.now()));
  }

  #listen(target: EventTarget, type: string, listener: (event: Event) => void, options: AddEventListenerOptions = {}): void {
    apply(addEventListener, target, [type, listener, options]);
    this.#cleanUp.push(() => apply(removeEventListener, target, [type, listener, options]));
  }
}

/** An error in words, whatever it is. */
export function describe(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'it cannot be told';
  }
}
