// That the measurements of `make bench-client` and `make soak-client` measure. Nothing here depends on how fast this machine is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measure } from '../bench/measure.js';
import { growth, sampleMemory } from '../bench/memory.js';

test('what a poll costs is measured, and every poll is sent', async () => {
  const { polls, cost, received, faults } = await measure({ call: 'av', polls: 12, warmUp: 6, interval: 150 });
  assert.deepEqual(faults, []);
  assert.ok(polls.polls >= 12);
  assert.ok(polls.entries >= 20, `${polls.entries} entries`);
  assert.ok(polls.sends > 0 && polls.bytes > 0);
  assert.ok(received.lines > 18, `${received.lines} lines received`);
  assert.ok(cost && cost.call > 0);
  for (const { work, bare, ratio } of [polls.cold, polls.warm]) {
    for (const figure of [work.median, work.p95, bare.median, bare.p95, ratio]) assert.ok(figure > 0 && Number.isFinite(figure));
  }
});

test('the memory of a page does not grow with the reports', async () => {
  const samples = await sampleMemory({}, 20, 2);
  assert.ok(samples[0].wasm > 0);
  assert.ok(/** @type {import('../bench/memory.js').Sample} */ (samples.at(-1)).lines > 100);
  // A report of this call has 75 KB: what were kept of each would show.
  for (const of of /** @type {const} */ (['wasm', 'heap', 'outside'])) {
    const { grown } = growth(samples, of, [6, 12], [16, 30]);
    assert.ok(grown < 2_000_000, `${of} has grown by ${grown} bytes`);
  }
});
