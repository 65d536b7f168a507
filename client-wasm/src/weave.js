// Puts observers around the browser's own functions and takes part in nothing else: which functions, what is recorded of
// them and every state is decided in Rust. What a page can see of it must not differ from the page without it:
//
// - Functions are replaced by proxies of themselves. A proxy keeps name, length, statics, `new.target` and the fact that a
//   method is no constructor; the property's descriptor is kept too; a constructor's `prototype` is the browser's own.
// - The native function gets the page's own arguments and `this`, and its result or exception passes through untouched.
//   A promise is the very one that the browser made: it is observed by a `then` on the side. That marks it as handled, so
//   a rejection that the page ignores altogether raises no `unhandledrejection`. The alternatives are worse: rejecting
//   the side promise again would raise it for pages that do handle theirs, and returning a derived promise would change
//   its identity and delay it. A page that handles its failures sees no difference.
// - A fault of an observer is swallowed and counted. After a trap the module's memory is not to be trusted any more, so
//   no observer runs again; the proxies stay and do nothing.

// The page, a polyfill or a test's fake clock may replace these later.
const { apply, construct, defineProperty, getOwnPropertyDescriptor } = Reflect;
const { then } = Promise.prototype;
const { addEventListener } = EventTarget.prototype;
// There may be no WebAssembly (a locked-down browser); loading this file must not fail for it.
const RuntimeError = globalThis.WebAssembly?.RuntimeError;

export const BEFORE = 0;
export const AFTER = 1;
export const FAILED = 2;
export const EVENT = 3;

/** Modes of `weaveMethod`: what is observed beside the call itself. */
const RESULT = 1;
const OUTCOME = 2;

let observer;
let notify;
let cleanUp = () => {};
let faults = 0;
let dead = false;

/**
 * @param observe `(hook, phase, self, args, token, result) => token`, the one way into Rust
 * @param tell called with `'fault'` and the message of the first fault, and with `'dead'` and a message after a trap
 */
export function install(observe, tell) {
  observer = observe;
  notify = tell;
}

/** Calls back once if the module dies. */
export function whenDead(work) {
  cleanUp = work;
}

export function faultCount() {
  return faults;
}

/** Runs `work` so that nothing it throws reaches the page. */
export function guarded(work) {
  if (dead) return undefined;
  try {
    return work();
  } catch (error) {
    faults += 1;
    dead = error instanceof RuntimeError;
    try {
      if (dead) cleanUp();
      if (dead || faults === 1) notify(dead ? 'dead' : 'fault', String(error));
    } catch {
      // What is notified is the application's.
    }
    return undefined;
  }
}

function observe(hook, phase, self, args, token, result) {
  return guarded(() => observer(hook, phase, self, args, token, result));
}

function prototypeOf(name) {
  return globalThis[name]?.prototype;
}

/**
 * Observes `<owner>.prototype.<name>`. A token that the observer returns before the call ties its outcome to it; without
 * one the outcome is not asked for.
 */
export function weaveMethod(owner, name, hook, mode) {
  const prototype = prototypeOf(owner);
  const descriptor = prototype && getOwnPropertyDescriptor(prototype, name);
  if (typeof descriptor?.value !== 'function' || !descriptor.configurable) return;
  descriptor.value = new Proxy(descriptor.value, {
    apply(native, self, args) {
      const token = observe(hook, BEFORE, self, args);
      if (token === undefined || !mode) return apply(native, self, args);
      const given = mode === OUTCOME ? withObservedCallbacks(hook, self, args, token) : args;
      const result = apply(native, self, given);
      if (mode === RESULT) observe(hook, AFTER, self, args, token, result);
      else if (given === args) observePromise(hook, self, args, token, result);
      return result;
    },
  });
  defineProperty(prototype, name, descriptor);
}

function observePromise(hook, self, args, token, promise) {
  try {
    apply(then, promise, [
      (value) => void observe(hook, AFTER, self, args, token, value),
      (error) => void observe(hook, FAILED, self, args, token, error),
    ]);
  } catch {
    // Not a promise: someone else replaced the function before us and returns something of their own.
  }
}

/**
 * The legacy forms `createOffer(success, failure, options)` and `setLocalDescription(description, success, failure)` tell
 * their outcome by callbacks, and their promise tells nothing.
 */
function withObservedCallbacks(hook, self, args, token) {
  const at = args.findIndex((arg) => typeof arg === 'function');
  if (at < 0 || at > 1 || args.length < at + 2) return args;
  const observed = [...args];
  const wrap = (index, phase) => {
    const callback = args[index];
    if (typeof callback !== 'function') return;
    observed[index] = function (...values) {
      observe(hook, phase, self, args, token, values[0]);
      return apply(callback, this, values);
    };
  };
  wrap(at, AFTER);
  wrap(at + 1, FAILED);
  return observed;
}

/** Observes assignments to the accessor `<owner>.prototype.<name>`. */
export function weaveSetter(owner, name, hook) {
  const prototype = prototypeOf(owner);
  const descriptor = prototype && getOwnPropertyDescriptor(prototype, name);
  if (typeof descriptor?.set !== 'function' || !descriptor.configurable) return;
  descriptor.set = new Proxy(descriptor.set, {
    apply(native, self, args) {
      observe(hook, BEFORE, self, args);
      return apply(native, self, args);
    },
  });
  defineProperty(prototype, name, descriptor);
}

/** Observes what the constructor `globalThis.<name>` makes, also through its aliases and for subclasses. */
export function weaveConstructor(name, hook) {
  const native = globalThis[name];
  if (typeof native !== 'function') return;
  const woven = new Proxy(native, {
    construct(target, args, newTarget) {
      const made = construct(target, args, newTarget === woven ? target : newTarget);
      observe(hook, AFTER, made, args);
      return made;
    },
  });
  for (const key of [name, `webkit${name}`]) {
    const descriptor = getOwnPropertyDescriptor(globalThis, key);
    if (descriptor?.value === native && descriptor.configurable) {
      defineProperty(globalThis, key, { ...descriptor, value: woven });
    }
  }
  const descriptor = getOwnPropertyDescriptor(native.prototype, 'constructor');
  if (descriptor?.configurable) defineProperty(native.prototype, 'constructor', { ...descriptor, value: woven });
}

/** Observes an event of `target` without keeping it alive. */
export function listen(target, type, hook) {
  apply(addEventListener, target, [type, (event) => void observe(hook, EVENT, event.currentTarget, undefined, undefined, event)]);
}
