// @ts-nocheck
// Beneath the recorder lie functions of the page: a polyfill, a mock, another tracer. They notice everything that is done to them.

import { describeError, sleep } from '../tools.js';

let log = [];
const promises = [];
const made = {};
const mine = { mine: true };

/** Puts a page's function in the place of the browser's. */
function replace(owner, name, make) {
  const native = owner[name];
  owner[name] = function (...args) {
    log.push([name, this === made.self || this === navigator.mediaDevices, args.length, args[0] === made.argument]);
    return make(native, this, args);
  };
}

export const before = async () => {
  const prototype = RTCPeerConnection.prototype;
  made.promise = new Promise((resolve) => setTimeout(resolve, 5, 'x'));
  made.rejected = Promise.reject(mine);
  made.rejected.catch(() => {});
  made.argument = { mine: true };
  class Sub extends Promise {
    static get [Symbol.species]() {
      log.push('species');
      return Promise;
    }
    then(...args) {
      log.push(`own then ${args.length}`);
      return super.then(...args);
    }
  }
  made.sub = new Sub((resolve) => resolve('x'));
  made.thenable = {
    get then() {
      log.push('then read');
      return (resolve) => {
        log.push('then called');
        resolve('x');
      };
    },
  };
  made.spied = Promise.resolve('x');
  Object.defineProperty(made.spied, 'then', {
    configurable: true,
    get() {
      log.push('then of the promise');
      return Promise.prototype.then;
    },
  });
  replace(prototype, 'createOffer', () => made.promise);
  replace(prototype, 'createAnswer', () => made.rejected);
  replace(prototype, 'setLocalDescription', () => made.sub);
  replace(prototype, 'setRemoteDescription', () => made.thenable);
  replace(prototype, 'addIceCandidate', () => made.spied);
  replace(prototype, 'createDataChannel', () => 7);
  replace(prototype, 'addTransceiver', () => undefined);
  replace(prototype, 'addTrack', () => {
    throw mine;
  });
  replace(navigator.mediaDevices.constructor.prototype, 'getUserMedia', () => made.promise);
};

/** What the functions below noticed during one call. */
async function noticed(work) {
  log = [];
  const pc = new RTCPeerConnection();
  made.self = pc;
  let result;
  try {
    result = work(pc);
  } catch (error) {
    result = error;
  }
  const known = Object.keys(made).find((key) => made[key] === result);
  await sleep(20);
  pc.close();
  return [known ?? (result === mine ? 'mine' : typeof result === 'object' ? describeError(result) : String(result)), log];
}

export const probes = {
  async promise() {
    return noticed((pc) => pc.createOffer(made.argument));
  },
  async rejected() {
    const seen = await noticed((pc) => pc.createAnswer(made.argument, 2, 3));
    return [...seen, (await made.rejected.catch((error) => error)) === mine];
  },
  async subclass() {
    return noticed((pc) => pc.setLocalDescription());
  },
  async thenable() {
    return noticed((pc) => pc.setRemoteDescription(made.argument));
  },
  async spied() {
    return noticed((pc) => pc.addIceCandidate(made.argument));
  },
  async number() {
    return noticed((pc) => pc.createDataChannel(made.argument, 2));
  },
  async nothing() {
    return noticed((pc) => pc.addTransceiver(made.argument));
  },
  async exception() {
    return noticed((pc) => pc.addTrack(made.argument));
  },
  async media() {
    return noticed(() => navigator.mediaDevices.getUserMedia(made.argument));
  },
  async callbacks() {
    const callback = () => {};
    made.argument = callback;
    const seen = await noticed((pc) => pc.createOffer(callback, callback));
    made.argument = { mine: true };
    // The callbacks may be dressed, for natively nobody can compare them; their number may not change.
    return [seen[0], seen[1].map(([name, self, count]) => [name, self, count])];
  },
  /** A page may lay its own function over ours, as over the browser's, and take it away again. */
  async above() {
    const prototype = RTCPeerConnection.prototype;
    const below = prototype.getSenders;
    const seen = [];
    prototype.getSenders = function (...args) {
      seen.push(['above', args.length]);
      return below.apply(this, args);
    };
    const pc = new RTCPeerConnection();
    seen.push(pc.getSenders().length, Object.keys(pc));
    prototype.getSenders = below;
    const { getStats } = prototype;
    prototype.getStats = async function (...args) {
      seen.push(['later', args.length]);
      return getStats.apply(this, args);
    };
    seen.push(Object.prototype.toString.call(await pc.getStats(null)));
    prototype.getStats = getStats;
    seen.push(Object.prototype.toString.call(await pc.getStats()), prototype.getStats === getStats);
    pc.getStats = async () => 'own';
    seen.push(await pc.getStats());
    seen.push(pc.getSenders().length, prototype.getSenders === below);
    pc.getSenders = () => 'own';
    seen.push(pc.getSenders(), delete pc.getSenders, pc.getSenders().length, promises.length);
    pc.close();
    return seen;
  },
};
