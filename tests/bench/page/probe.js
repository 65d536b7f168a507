// Measures the client from outside. Loaded before it, this replaces the browser's functions that the client works through: whatever
// runs in a callback that was given to them is the client's, because the measured page keeps the originals for itself.
//
// A span is one stay of the client on the main thread. It lasts until the microtasks that it made have run, which is seen by
// a few microtasks of our own that follow each other. Its ends are marked, too: a trace tells how long the thread was running between
// two marks, which other work of the machine does not change.

(() => {
  const { apply, construct, getOwnPropertyDescriptor, defineProperty } = Reflect;
  const { stringify } = JSON;
  const { fromEntries } = Object;
  const { then } = Promise.prototype;
  const now = performance.now.bind(performance);
  const mark = performance.mark.bind(performance);
  // Cheaper than queueMicrotask, whose callbacks pass through the browser.
  const resolved = Promise.resolve();
  const microtask = (/** @type {() => void} */ work) => void apply(then, resolved, [work]);
  const HOPS = 3;

  /**
   * @typedef {object} Span
   * @property {'timer' | 'socket' | 'report' | 'module' | 'begin'} kind
   * @property {number} start
   * @property {number} id
   * @property {number} time ms
   * @property {boolean} asked for statistics
   * @property {number} sends
   * @property {number} bytes given to `send`
   * @property {number} entries of the report
   * @property {number} bare ms of the comparison with the same report
   * @property {boolean} bareFirst
   */

  /** @type {Span | null} */
  let current = null;
  /** @type {Span[]} */
  let spans = [];
  let collecting = false;
  let count = 0;
  let reports = 0;
  let turns = 0;

  /** @param {Span['kind']} kind @returns {Span} */
  function open(kind) {
    count += 1;
    current = { kind, id: count, start: 0, time: 0, asked: false, sends: 0, bytes: 0, entries: 0, bare: 0, bareFirst: false };
    if (collecting) {
      markTwice('ready', count);
      mark(`open ${count}`);
    }
    current.start = now();
    return current;
  }

  /** The first mark after an idle time takes several times as long as one that follows; two that follow tell what a mark takes. @param {string} name @param {number} id */
  function markTwice(name, id) {
    mark('first');
    mark(`${name} ${id}`);
  }

  let hops = 0;
  /** @type {((span: Span) => void) | undefined} */
  let done;

  // One function for all spans and no closure: what this takes counts as the client's time.
  function hop() {
    hops -= 1;
    if (hops > 0) return microtask(hop);
    const span = /** @type {Span} */ (current);
    span.time = now() - span.start;
    current = null;
    if (collecting) {
      mark(`close ${span.id}`);
      spans.push(span);
    }
    done?.(span);
  }

  /** @param {(span: Span) => void} [then] */
  function closeSoon(then) {
    hops = HOPS;
    done = then;
    microtask(hop);
  }

  /** @param {Span['kind']} kind @param {any} callback @returns {any} */
  function timed(kind, callback) {
    if (typeof callback !== 'function') return callback;
    return function (/** @type {any} */ argument) {
      // @ts-ignore the type of `this`
      const self = this;
      if (current) return apply(callback, self, [argument]);
      open(kind);
      try {
        return apply(callback, self, [argument]);
      } finally {
        closeSoon();
      }
    };
  }

  /** @param {RTCStatsReport} report @param {number} id of the span beside it */
  function bare(report, id) {
    markTwice('before', id);
    mark(`bare ${id}`);
    const start = now();
    stringify(fromEntries(/** @type {any} */ (report)));
    const time = now() - start;
    mark(`bared ${id}`);
    return time;
  }

  // Timers.
  const page = /** @type {any} */ ({ setTimeout: setTimeout.bind(window), now });
  for (const name of ['setTimeout', 'setInterval', 'requestAnimationFrame', 'requestIdleCallback']) {
    const native = /** @type {any} */ (window)[name];
    if (!native) continue;
    const bound = native.bind(window);
    /** @type {any} */ (window)[name] = (/** @type {any} */ callback, /** @type {any} */ delay) => bound(timed('timer', callback), delay);
  }

  /** Whose turn it is: the sequence of Thue and Morse, which falls into step with nothing that the client does every second or third time. @param {number} turn */
  const isOdd = (turn) => turn.toString(2).replaceAll('0', '').length % 2 === 1;

  // Statistics. The reactions to a promise run in the order in which they were asked for: ours comes first. The client and the
  // bare stringify take turns in being first, because whoever is second finds the processor's caches warm.
  const { getStats } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.getStats = /** @type {any} */ (function (/** @type {any[]} */ ...args) {
    // @ts-ignore the type of `this`
    const promise = apply(getStats, this, args);
    if (!current?.asked) turns += 1;
    if (current) current.asked = true;
    const bareFirst = isOdd(turns);
    apply(then, promise, [
      (/** @type {RTCStatsReport} */ report) => {
        if (!collecting) return;
        reports += 1;
        const first = bareFirst ? bare(report, count + 1) : 0;
        closeSoon((span) => {
          Object.assign(span, { bareFirst, bare: bareFirst ? first : bare(report, span.id), entries: report.size });
        });
        open('report');
      },
      () => {},
    ]);
    return promise;
  });

  // The socket.
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (/** @type {any} */ data) {
    apply(send, this, [data]);
    if (!current) return;
    current.sends += 1;
    current.bytes += typeof data === 'string' ? data.length : 0;
  };
  for (const name of ['onopen', 'onmessage', 'onclose', 'onerror']) {
    const descriptor = /** @type {PropertyDescriptor} */ (getOwnPropertyDescriptor(WebSocket.prototype, name));
    const { set } = descriptor;
    descriptor.set = function (handler) {
      apply(/** @type {any} */ (set), this, [timed('socket', handler)]);
    };
    defineProperty(WebSocket.prototype, name, descriptor);
  }
  const { addEventListener } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (/** @type {any[]} */ ...args) {
    if (this instanceof WebSocket) args[1] = timed('socket', args[1]);
    apply(addEventListener, this, args);
  };

  // The module: how long its instantiation and what follows it at once take, and where its memory is.
  /** @type {WebAssembly.Memory[]} */
  const memories = [];
  /** @param {any} result */
  const keepMemory = (result) => {
    for (const value of Object.values((result.instance ?? result).exports ?? {})) {
      if (value instanceof WebAssembly.Memory) memories.push(value);
    }
  };
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const native = /** @type {any} */ (WebAssembly)[name];
    /** @type {any} */ (WebAssembly)[name] = (/** @type {any[]} */ ...args) => {
      const promise = apply(native, WebAssembly, args);
      const observe = (/** @type {any} */ result) => {
        keepMemory(result);
        if (current) return;
        open('module');
        closeSoon();
      };
      apply(then, promise, [observe, () => {}]);
      return promise;
    };
  }
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct(native, args, target) {
      const instance = construct(native, args, target);
      keepMemory(instance);
      return instance;
    },
  });

  /** @type {{ start: number, duration: number }[]} */
  const longTasks = [];
  new PerformanceObserver((list) => {
    if (!collecting) return;
    for (const { startTime, duration } of list.getEntries()) longTasks.push({ start: startTime, duration });
  }).observe({ type: 'longtask', buffered: true });

  Object.assign(window, {
    probe: {
      ...page,
      /** The time of `work` with the microtasks it makes. @param {() => void} work */
      measure: (work) =>
        new Promise((resolve) => {
          open('begin');
          work();
          closeSoon(({ time }) => resolve(time));
        }),
      collect(/** @type {boolean} */ on) {
        collecting = on;
      },
      reports: () => reports,
      take() {
        const taken = spans;
        spans = [];
        performance.clearMarks();
        return taken;
      },
      longTasks,
      memoryBytes: () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0),
    },
  });
})();
