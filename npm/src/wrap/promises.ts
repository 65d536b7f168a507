// A page gets the browser's own promise, and we hear how it settles by a `then` on the side: no turn is added. That alone
// would mark it as handled, and a rejection that the page ignores would raise no `unhandledrejection`. So while such a
// promise is pending, its prototype is an object between it and `Promise.prototype` that notices the first look at
// `constructor`, which `then`, await, Promise.all and the like all take before they do anything (ECMA-262, section 27.2.5.4,
// step 3), and then takes itself out of the way. If the promise is rejected before that, a promise of our own is rejected for
// the same reason and stands in for it: the browser reports that one as it would have reported the page's.
//
// The engines' fast paths for promises depend on `Promise.prototype` and on own properties of promises being untouched; this
// changes neither.

import { original } from '../original.js';

const { apply, construct, getPrototypeOf, setPrototypeOf } = Reflect;

/**
 * What promises of the browser's own are made of, whatever `Promise` is by now. A bundler may make an async function one that
 * returns a `Promise` of zone.js, whose `then` takes no other: so a function of the browser's is asked for a promise.
 */
const prototype: Promise<unknown> = (() => {
  try {
    return getPrototypeOf(new ReadableStream().cancel());
  } catch {
    return original(globalThis, 'Promise').prototype;
  }
})();
const { constructor: Native } = prototype;
const then = original(prototype, 'then');
const rejected = (reason: unknown): Promise<never> => construct(Native, [(_: unknown, reject: (reason: unknown) => void) => reject(reason)]);

const stands = new WeakMap<object, Promise<never>>();
const standOf = stands.get.bind(stands);
const setStand = stands.set.bind(stands);
const ignore = () => {};

/** The page takes care of the promise from now on. */
function release(promise: object) {
  if (getPrototypeOf(promise) !== attended) return;
  setPrototypeOf(promise, prototype);
  const stand = standOf(promise);
  if (stand) apply(then, stand, [ignore, ignore]);
}

// `super` finds what a library has put in place of the browser's own by then.
const attended = {
  __proto__: prototype,
  get constructor() {
    release(this);
    return super.constructor;
  },
} as unknown as object;

/**
 * Calls back when `promise` is settled. What is no promise of the engine's own is left alone. `fresh`: the browser has just
 * made it, so nobody takes care of it yet. A function of the page's, a polyfill's say, may have done so before it returned
 * the promise; nothing may be rejected in its stead then.
 */
export function attend(promise: object, settled: (result: unknown, failed: boolean) => void, fresh: boolean): void {
  try {
    apply(then, promise, [
      (value: unknown) => {
        release(promise);
        settled(value, false);
      },
      (error: unknown) => {
        if (getPrototypeOf(promise) === attended && !standOf(promise)) setStand(promise, rejected(error));
        settled(error, true);
      },
    ]);
    if (fresh && getPrototypeOf(promise) === prototype) setPrototypeOf(promise, attended);
  } catch {
    // Someone else replaced the function before us and returns something of their own.
  }
}

/** Calls back with what `promise` comes to; its failure is of no interest. */
export function whenFulfilled(promise: object, fulfilled: (value: never) => void, failed = ignore): void {
  apply(then, promise, [fulfilled, failed]);
}
