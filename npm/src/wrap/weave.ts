// Puts observers around the browser's own functions and takes part in nothing else. What a page can see of it must not
// differ from the page without it:
//
// - Functions are replaced by proxies of themselves. A proxy keeps name, length, statics, `new.target` and the fact that a
//   method is no constructor; the property's descriptor is kept too; a constructor's `prototype` is the browser's own.
// - The native function gets the page's own arguments and `this`, and its result or exception passes through untouched. A
//   promise is the very one that the browser made, see promises.ts.
// - A fault of an observer is swallowed and told; it never reaches the page.

import { original } from '../original.js';
import { attend } from './promises.js';

/** What belongs to a page. It may be anything, whatever the types say. */
export type Page = any;

/** Hears how a call ended: with a result, or with the error when it failed. */
export type After = (result: Page, failed: boolean) => void;
/** Hears of a call before it is made. Without something that is returned its end is not asked for. */
export type Before = (self: Page, args: Page[]) => After | undefined | void;

/** By type of event. */
export type Handlers = Record<string, (self: Page, event: Page) => void>;

/** When a function's end is known: when it returns, or when the promise that it returned (or a callback of old) says so. */
export const RETURNS = 0;
export const SETTLES = 1;

// The page, a polyfill or a test's fake clock may replace these later.
const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;

const addEventListener = original(globalThis.EventTarget?.prototype, 'addEventListener');
const isFunction = (value: unknown) => typeof value === 'function';
export const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const { toString } = Function.prototype;
/** Whether a function is the browser's, as far as its text says so. */
const isNative = (f: Page): boolean => /\[native code\]\s*\}$/.test(apply(toString, f, []));

/** Where on its chain of prototypes an object has a property: an interface may be replaced by a class that extends it. */
function holderOf(object: Page, name: string): Page {
  while (object && !getOwnPropertyDescriptor(object, name)) object = getPrototypeOf(object);
  return object;
}

export type Loom = ReturnType<typeof createLoom>;

export function createLoom(target: Page, fault: (error: unknown) => void, untrusted = false) {
  const aborter = new AbortController();
  const listening = new WeakSet<object>();
  const undo: (() => void)[] = [];
  let on = true;

  /** Runs `work` so that nothing it throws reaches the page. */
  function guard<A extends unknown[], R>(work: (...args: A) => R, ...args: A): R | undefined {
    if (on) {
      try {
        return work(...args);
      } catch (error) {
        try {
          fault(error);
        } catch {
          // Who is told is the application's.
        }
      }
    }
    return undefined;
  }

  /** Replaces a field of a property's descriptor, until `restore`. */
  function replace(owner: Page, name: string, field: 'value' | 'set', make: (native: Page) => Page) {
    const holder = holderOf(owner, name);
    const descriptor = holder && getOwnPropertyDescriptor(holder, name);
    const native = descriptor?.[field];
    if (!isFunction(native)) return;
    if (!descriptor!.configurable) return guard(fault, new TypeError(`${name} is frozen and cannot be observed`));
    const woven = make(native);
    defineProperty(holder, name, { ...descriptor, [field]: woven });
    undo.push(() => {
      const current = getOwnPropertyDescriptor(holder, name);
      if (current?.[field] === woven) defineProperty(holder, name, { ...current, [field]: native });
    });
  }

  const observed = (before: Before, ends: number) => (native: Page) => {
    const isOwn = isNative(native);
    return new Proxy(native as Function, {
      apply(native, self, args: Page[]) {
        const after = guard(before, self, args);
        if (!after) return apply(native, self, args);
        const told: After = (result, failed) => guard(after, result, failed);
        const callbacks = ends && guard(withHeard, args, told);
        const result = apply(native, self, callbacks || args);
        if (!ends) told(result, false);
        else if (!callbacks) attend(result, told, isOwn);
        return result;
      },
    });
  };

  /**
   * `createOffer(success, failure, options)`, `setLocalDescription(description, success, failure)`: the promise of these tells
   * nothing, their callbacks do.
   */
  function withHeard(args: Page[], told: After): Page[] | undefined {
    const first = args.findIndex(isFunction);
    if (first < 0 || first > 1 || args.length < first + 2) return undefined;
    return args.map((arg, at) => (isFunction(arg) && at - first < 2 ? heard(arg, told, at > first) : arg));
  }

  /** No proxy here: Firefox's own code, in which these methods are written, does not take one for a function. */
  const heard = (callback: Page, told: After, failed: boolean) =>
    function (this: Page, ...values: Page[]) {
      told(values[0], failed);
      return apply(callback, this, values);
    };

  return {
    target,
    guard,
    isOn: () => on,

    /** Observes the calls of `holder[name]`. */
    call(holder: Page, name: string, before: Before, ends = RETURNS) {
      replace(holder, name, 'value', observed(before, ends));
    },

    /** Observes assignments to the accessor `holder[name]`. */
    assignment(holder: Page, name: string, before: (self: Page, value: Page) => void) {
      replace(holder, name, 'set', observed((self, args) => before(self, args[0]), RETURNS));
    },

    /** Observes what the constructor `name` makes, also through its aliases and for subclasses. */
    construction(name: string, after: (made: Page, args: Page[]) => void) {
      const native = target[name];
      if (!isFunction(native)) return;
      const woven: Page = new Proxy(native, {
        construct(native, args, newTarget): object {
          const made: object = construct(native, args, newTarget === woven ? native : newTarget);
          guard(after, made, args);
          return made;
        },
      });
      const weave = (holder: Page, key: string) => {
        if (getOwnPropertyDescriptor(holder, key)?.value === native) replace(holder, key, 'value', () => woven);
      };
      weave(target, name);
      weave(target, `webkit${name}`);
      weave(target, `moz${name}`);
      weave(native.prototype, 'constructor');
    },

    /** Listens to events of `object`, once however often it is asked to, without keeping it alive. */
    listen(object: Page, make: () => Handlers) {
      // A page's own stand-in for a call may give anything.
      if (!isObject(object) || listening.has(object)) return;
      listening.add(object);
      for (const [type, handler] of Object.entries(make())) {
        const hear = (event: Page) => {
          if (untrusted || event.isTrusted) guard(handler, event.currentTarget, event);
        };
        apply(addEventListener, object, [type, hear, { signal: aborter.signal }]);
      }
    },

    /**
     * A getter or method as it is now, whatever the page makes of it later; where there is none, a look at the property.
     * `undefined` for what is no object of the interface.
     */
    native(owner: string, name: string): (self: Page) => Page {
      const holder = holderOf(target[owner]?.prototype, name);
      const { get, value = get } = (holder && getOwnPropertyDescriptor(holder, name)) ?? {};
      return (self) => {
        try {
          return value ? apply(value, self, []) : self[name];
        } catch {
          return undefined;
        }
      };
    },

    /** To be done at the end. */
    atEnd(work: () => void) {
      undo.push(work);
    },

    /** Puts every original back where ours is still in place; where it is not, ours does nothing any more. */
    restore() {
      for (const work of undo.splice(0)) guard(work);
      on = false;
      aborter.abort();
    },
  };
}
