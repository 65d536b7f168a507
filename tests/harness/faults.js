// Faults of a network at random moments, the same ones for the same seed.

import { sleep } from './wait.js';

/** @typedef {import('./proxy.js').Proxy} Proxy */
/** @typedef {(limit: number) => number} Random a whole number below the limit */

/** Mulberry32. @param {number} seed @returns {Random} */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** @type {Record<string, (proxy: Proxy, random: Random) => Promise<void> | void>} */
const faults = {
  cut: (proxy) => proxy.cut(),
  /** In the middle of a frame, or of its header. */
  breakFrame(proxy, random) {
    for (const link of proxy.links) link.left = random(random(2) ? 20 : 4000);
  },
  async refuse(proxy, random) {
    await proxy.refuse();
    await sleep(random(900));
    await proxy.accept();
  },
  /** What was sent in the last moments never arrived. */
  async silence(proxy, random) {
    proxy.silence();
    await sleep(random(700));
    proxy.cut();
  },
  /** All arrives, but the page does not hear so. */
  async deafen(proxy, random) {
    for (const link of proxy.links) link.deaf = true;
    await sleep(random(1500));
    proxy.cut();
  },
  /** The collector's end is still open when the page comes back. */
  async leaveBehind(proxy) {
    for (const link of proxy.links) {
      link.silent = true;
      link.client.destroy();
    }
  },
  close(proxy, random) {
    const codes = [1001, 1011, 1012, 1013];
    for (const link of proxy.links) link.close(codes[random(codes.length)]);
  },
};

/**
 * Does something to a network again and again.
 * @param {Proxy} proxy
 * @param {{ seed: number, until: number, more?: typeof faults }} plan until: Unix ms; more: faults beside those of the network
 * @returns {Promise<Record<string, number>>} how often what was done
 */
export async function torment(proxy, { seed, until, more = {} }) {
  const random = randomNumbers(seed);
  const all = { ...faults, ...more };
  const names = Object.keys(all);
  /** @type {Record<string, number>} */
  const done = {};
  for (;;) {
    // Often before the welcome, sometimes after quiet.
    await sleep(random(4) ? random(1200) : random(6000));
    if (Date.now() > until) return done;
    const name = names[random(names.length)];
    done[name] = (done[name] ?? 0) + 1;
    await all[name](proxy, random);
  }
}
