// @ts-nocheck
// Rejections that a page ignores, handles late, or handles.

import { describeError, sleep, withConnections } from '../tools.js';

const hostile = { get iceRestart() { throw new RangeError('mine'); } };

/** Each makes a promise that is rejected, at once or later. */
const failing = (pc, closed) => ({
  getter: () => pc.createOffer(hostile),
  wrongThis: () => RTCPeerConnection.prototype.createOffer.call({}),
  closed: () => closed.createOffer(),
  description: () => pc.setRemoteDescription({ type: 'answer', sdp: 'x' }),
  candidate: () => pc.addIceCandidate({ candidate: 'candidate:1' }),
  stats: () => pc.getStats(7),
  media: () => navigator.mediaDevices.getUserMedia({ video: { width: { exact: 99999 } } }),
  devices: () => MediaDevices.prototype.enumerateDevices.call({}),
  constraints: () => navigator.mediaDevices.getUserMedia({}),
  parameters: () => pc.addTransceiver('video').sender.setParameters({}),
});

/** After the event, even where devices take their time. */
const LATE = 300;

/**
 * What the window hears while `use` runs and for a while after. `strictly`: also of which promise.
 * @param {(tools: { log: string[], mark: (promise: Promise<unknown>) => Promise<unknown>, say: (error: unknown) => void }) => Promise<void>} use
 */
async function heard(use, strictly = false) {
  const log = [];
  const promises = [];
  const reasons = [];
  const numberOf = (list, value) => {
    if (!list.includes(value)) list.push(value);
    return list.indexOf(value);
  };
  const listener = (event) => {
    event.preventDefault();
    log.push(`${event.type} ${describeError(event.reason)}, reason ${numberOf(reasons, event.reason)}, ${event.isTrusted}${strictly ? `, promise ${numberOf(promises, event.promise)}` : ''}`);
  };
  for (const type of ['unhandledrejection', 'rejectionhandled']) window.addEventListener(type, listener);
  await use({
    log,
    /** Gives a promise its number, so that an event of another one shows. */
    mark: (promise) => (numberOf(promises, promise), promise),
    /** The page has heard of it by itself. */
    say: (error) => void log.push(`heard ${describeError(error)}, reason ${numberOf(reasons, error)}`),
  });
  // Steps, because a late timer may fall together with the next one before its events were dispatched.
  for (let step = 0; step < 4; step += 1) await sleep(10);
  for (const type of ['unhandledrejection', 'rejectionhandled']) window.removeEventListener(type, listener);
  return log;
}

/** What a page may do about a promise. */
const manners = {
  ignored: (promise) => void promise,
  handled: (promise, say) => void promise.catch(say),
  handledTwice: (promise, say) => void (promise.catch(say), promise.catch(say)),
  handledByThen: (promise, say) => void promise.then(() => {}, say),
  handledBySecond: (promise, say) => void promise.then(null, say),
  handledByNativeThen: (promise, say) => void Promise.prototype.then.call(promise, null, say),
  handledInMicrotask: (promise, say) => queueMicrotask(() => promise.catch(say)),
  handledInMicrotasks: (promise, say) => queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => promise.catch(say)))),
  handledNextTask: (promise, say) => void setTimeout(() => promise.catch(say), 0),
  handledLate: (promise, say) => void setTimeout(() => promise.catch(say), 20),
  handledMuchLater: (promise, say) => void setTimeout(() => promise.catch(say), LATE),
  onlyThen: (promise, say) => void promise.then(say),
  onlyFinally: (promise, say) => void promise.finally(() => say('finally')),
  twoBranches: (promise, say) => void (promise.then(() => {}), promise.catch(say)),
  awaited: async (promise, say) => void (await promise.catch(say)),
  awaitedAndCaught: async (promise, say) => {
    try {
      await promise;
    } catch (error) {
      say(error);
    }
  },
  awaitedInVain: (promise) => void (async () => void (await promise))(),
  returned: (promise) => void (async () => promise)(),
  returnedAndHandled: (promise, say) => void (async () => promise)().catch(say),
  returnedMuchLater: (promise, say) => void setTimeout(() => (async () => promise)().catch(say), LATE),
  all: (promise) => void Promise.all([promise, sleep(5)]),
  allAlone: (promise) => void Promise.all([promise]),
  allHandled: (promise, say) => void Promise.all([promise]).catch(say),
  allSettled: (promise, say) => void Promise.allSettled([promise]).then(([{ reason }]) => say(reason)),
  race: (promise, say) => void Promise.race([promise]).catch(say),
  any: (promise, say) => void Promise.any([promise]).catch(({ errors: [error] }) => say(error)),
  resolved: (promise, say) => void Promise.resolve(promise).catch(say),
  executor: (promise, say) => void new Promise((resolve) => resolve(promise)).catch(say),
  iterated: async (promise, say) => {
    try {
      for await (const value of [promise]) say(value);
    } catch (error) {
      say(error);
    }
  },
  subclass: (promise, say) => void class extends Promise {}.resolve(promise).catch(say),
  rethrown: (promise) => void promise.catch((error) => { throw error; }),
};

/** Whether these come before a timer is no matter of ours, unless that is late; and then these and one other will do. */
const slow = ['media', 'description'];
const soon = [manners.handledNextTask, manners.handledLate];
const muchLater = [manners.handledMuchLater, manners.returnedMuchLater];
const isLeftOut = (manner, name) => (slow.includes(name) ? soon.includes(manner) : name !== 'closed' && muchLater.includes(manner));

const probe = (manner) => () =>
  withConnections(2, async (pc, closed) => {
    closed.close();
    const seen = {};
    for (const [name, work] of Object.entries(failing(pc, closed))) {
      if (isLeftOut(manner, name)) continue;
      seen[name] = await heard(async ({ mark, say }) => {
        manner(mark(work()), say);
        // Devices take their time.
        if (muchLater.includes(manner)) await sleep(LATE + 50);
        else if (name === 'media') await sleep(150);
      });
    }
    return seen;
  });

const severalHeard = (inOrder) =>
  withConnections(2, (pc, closed) =>
    heard(async ({ log }) => {
      closed.close();
      pc.createOffer(hostile);
      if (inOrder) Promise.reject(new Error('page'));
      closed.createOffer();
      queueMicrotask(() => log.push('microtask'));
      pc.setRemoteDescription({ type: 'answer', sdp: 'x' });
      setTimeout(() => log.push('timeout'), 40);
      await sleep(60);
    }),
  );

export const probes = {
  ...Object.fromEntries(Object.entries(manners).map(([name, manner]) => [name, probe(manner)])),

  async ofSeveral() {
    const log = await severalHeard(false);
    return log.sort();
  },

  /** Which promise the events name. */
  ofWhichPromise: () =>
    withConnections(1, (pc) =>
      heard(async ({ mark }) => {
        const promise = mark(pc.createOffer(hostile));
        setTimeout(() => promise.catch(() => {}), 10);
      }, true),
    ),

  /** The order of events of one task, among them one of the page's own. */
  inOrder: () => severalHeard(true),

  /** A call that succeeds is nobody's rejection. */
  async ofSuccess() {
    return withConnections(1, (pc) =>
      heard(async () => {
        pc.createOffer();
        pc.getStats();
        pc.setLocalDescription();
        navigator.mediaDevices.enumerateDevices();
        await sleep(100);
      }),
    );
  },

  /** Closing leaves some promises pending for ever. */
  async pendingForEver() {
    return heard(async ({ log }) => {
      const pc = new RTCPeerConnection();
      pc.createOffer().then(() => log.push('offer'), () => log.push('offer failed'));
      pc.setLocalDescription().then(() => log.push('local'), () => log.push('local failed'));
      pc.getStats().then(() => log.push('stats'), () => log.push('stats failed'));
      pc.close();
      await sleep(200);
    });
  },
};
