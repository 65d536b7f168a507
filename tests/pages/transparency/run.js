// @ts-nocheck
// Runs the probes of one group in one mode, one after the other, and leaves what they saw as JSON.

import { modes } from './modes.js';
import { groups } from './groups.js';
import { describeError, sleep } from './tools.js';

const parameters = new URLSearchParams(location.search);

async function run() {
  const { probes, before } = groups[parameters.get('group')];
  await before?.();
  await modes[parameters.get('mode')]();
  const seen = {};
  for (const [name, probe] of Object.entries(probes)) {
    if (parameters.has('only') && parameters.get('only') !== name) continue;
    const late = sleep(20_000).then(() => 'did not end');
    seen[name] = await Promise.race([probe(), late]).catch((error) => `failed: ${describeError(error)} ${error.stack}`);
  }
  await window.starting;
  const { recorder } = window;
  const counters = recorder && { lines: recorder.counters.lines, faults: recorder.counters.faults };
  window.outcome = JSON.stringify({ seen, counters, heard: window.heard });
  // Only now may the test ask: some probes leave nothing of the language as it was.
  document.body.append(Object.assign(document.createElement('p'), { id: 'done' }));
}

run();
