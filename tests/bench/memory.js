// The memory of a page in a call, sampled while it runs.

import { openCall } from './measure.js';

/**
 * @typedef {object} Sample
 * @property {number} at seconds since the call began
 * @property {number} wasm bytes of the module's memory
 * @property {number} heap bytes in use on the JavaScript heap, after a collection
 * @property {number} outside bytes that objects of the heap hold beside it
 * @property {number} lines that the collector has received
 */

/**
 * @param {Partial<import('./measure.js').Settings>} settings
 * @param {number} seconds
 * @param {number} every seconds
 * @param {(sample: Sample) => void} [told]
 * @returns {Promise<Sample[]>}
 */
export async function sampleMemory(settings, seconds, every, told = () => {}) {
  const call = await openCall({ call: '20video', polls: 0, interval: 100, ...settings });
  try {
    const session = await call.page.context().newCDPSession(call.page);
    await session.send('HeapProfiler.enable');
    await call.begin();
    await call.dial();
    const start = Date.now();
    const samples = [];
    for (let next = every; next <= seconds; next += every) {
      await call.page.waitForTimeout(Math.max(0, start + next * 1000 - Date.now()));
      // The second collection takes what the first one's finalizers let go of.
      await session.send('HeapProfiler.collectGarbage');
      await session.send('HeapProfiler.collectGarbage');
      const usage = /** @type {any} */ (await session.send('Runtime.getHeapUsage'));
      const wasm = await call.page.evaluate(() => /** @type {any} */ (window).probe.memoryBytes());
      const outside = (usage.embedderHeapUsedSize ?? 0) + (usage.backingStorageSize ?? 0);
      const sample = { at: (Date.now() - start) / 1000, wasm, heap: usage.usedSize, outside, lines: call.received.lines };
      samples.push(sample);
      told(sample);
    }
    if (call.faults.length) throw new Error(`errors in the page: ${call.faults.join('; ')}`);
    return samples;
  } finally {
    await call.close();
  }
}

/**
 * What stays: the least of each of two periods. A sample that meets a poll on its way is larger by its report, again and again.
 * @param {Sample[]} samples @param {'wasm' | 'heap' | 'outside'} of @param {number[]} early from and to, in seconds @param {number[]} late
 */
export function growth(samples, of, early, late) {
  /** @param {number[]} period */
  const floor = ([from, to]) => Math.min(...samples.filter(({ at }) => at > from && at <= to).map((sample) => sample[of]));
  const [before, after] = [floor(early), floor(late)];
  return { before, after, grown: after - before };
}
