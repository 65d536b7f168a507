// Polling of getStats: one timer for all connections, from the first that is connected or has failed to the last that is
// closed. Beside it what is counted per poll: the CPU's pressure and long tasks.

import { original } from '../original.js';
import { whenFulfilled } from './promises.js';
import { connectionOf, forget } from './registry.js';
import type { Scene } from './scene.js';
import type { Page } from './weave.js';

const { fromEntries } = Object;
const setInterval = original(globalThis, 'setInterval');
const clearInterval = original(globalThis, 'clearInterval');

/** As upstream counts: the more, the better. */
const PRESSURE: Record<string, number> = { nominal: 4, fair: 3, serious: 2, critical: 1 };

interface Polled {
  /** Why polling began; goes with the first report that is kept. */
  reason: string | null;
  isWaiting: boolean;
}

export function createPolls({ atEnd, guard, isOn, native, plan, target, teller }: Scene) {
  const { interval, now } = plan;
  const sink = plan.sinks.peerConnection!;
  const getStats = native('RTCPeerConnection', 'getStats');
  const connectionStateOf = native('RTCPeerConnection', 'connectionState');
  const signalingStateOf = native('RTCPeerConnection', 'signalingState');
  const { FinalizationRegistry, PerformanceObserver, PressureObserver } = target;

  const polled = new Map<number, Polled>();
  /** Those that may have reports, now or later. */
  const open = new Set<number>();
  const finalizers = FinalizationRegistry && new FinalizationRegistry((number: number) => guard(end, number));
  let timer: Page;
  let pressure: Page;
  let pressureEntry: Page;
  let tasks: Page;
  let taskCount = 0;
  let taskDuration = 0;

  const isClosed = (pc: Page) => signalingStateOf(pc) === 'closed' || connectionStateOf(pc) === 'closed';

  function start() {
    timer = setInterval(() => guard(tick), interval);
    if (PressureObserver) {
      pressure = new PressureObserver((records: Page[]) => guard(feel, records[records.length - 1]?.state));
      // The page's permissions policy may forbid it.
      whenFulfilled(pressure.observe('cpu', { sampleInterval: interval }), () => {});
    }
    if (plan.sinks.page && PerformanceObserver?.supportedEntryTypes?.includes('longtask')) {
      tasks = new PerformanceObserver((list: Page) => guard(count, list.getEntries()));
      tasks.observe({ type: 'longtask' });
    }
  }

  function stop() {
    clearInterval(timer);
    timer = pressureEntry = undefined;
    pressure?.disconnect();
    tasks?.disconnect();
  }

  function feel(state: string) {
    const cpuState = PRESSURE[state];
    if (cpuState) pressureEntry = { type: 'compute-pressure', timestamp: now(), cpuState };
  }

  function count(entries: { duration: number }[]) {
    for (const { duration } of entries) {
      taskCount += 1;
      taskDuration += duration;
    }
  }

  function tick() {
    if (tasks) count(tasks.takeRecords());
    if (taskCount) teller('page')('longtask', null, { count: taskCount, duration: taskDuration });
    taskCount = taskDuration = 0;
    for (const number of polled.keys()) guard(poll, number);
  }

  function poll(number: number) {
    const state = polled.get(number)!;
    const pc = connectionOf(number);
    if (!pc || isClosed(pc)) return end(number);
    if (state.isWaiting) return;
    const answered = (report?: Page) => {
      state.isWaiting = false;
      if (!isOn() || !report || !polled.has(number) || isClosed(pc)) return;
      const entries = fromEntries(report);
      if (pressureEntry) entries.rtcStatsComputePressure = pressureEntry;
      const isLast = ![...polled.values()].some(({ isWaiting }) => isWaiting);
      if (sink.report(number, entries, state.reason, now(), isLast) !== false) state.reason = null;
    };
    whenFulfilled(getStats(pc), (report) => guard(answered, report), () => guard(answered));
    state.isWaiting = true;
  }

  /** Nothing is to be asked of a connection any more. */
  function end(number: number) {
    if (!open.delete(number)) return;
    polled.delete(number);
    forget(number);
    if (!polled.size) stop();
    sink.gone(number);
  }

  atEnd(stop);

  return {
    /** Notices when the page has lost the connection. */
    follow(pc: Page, number: number) {
      open.add(number);
      finalizers?.register(pc, number);
    },

    /** Begins to poll a connection when it is connected for the first time, or has failed. */
    check(pc: Page, number: number) {
      const state = connectionStateOf(pc);
      if (!interval || !open.has(number) || polled.has(number) || !/^(connected|failed)$/.test(state)) return;
      polled.set(number, { reason: `${state}-0`, isWaiting: false });
      if (!timer) start();
      poll(number);
    },

    end,
  };
}
