// The client's module on recorded reports: what each step from the report's object to the frame costs, in ms. What the same
// steps cost a page in a browser is `make bench-client`.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import * as core from '../npm/build/rtctrace.js';

const ROUNDS = 6;
const at = (path) => new URL(path, import.meta.url);
const wasm = core.initSync({ module: readFileSync(at('../npm/build/rtctrace_bg.wasm')) });
const encoder = new TextEncoder();

for (const name of ['loopback-av-60s', 'loopback-20video-60s']) {
  const text = gunzipSync(readFileSync(at(`../tests/fixtures/recordings/${name}.raw-getstats.jsonl.gz`))).toString();
  const reports = text.trim().split('\n').map((line) => JSON.parse(line));
  const steps = { stringify: [], encodeInto: [], report: [], send: [] };
  let [chars, sent] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    let [now, lines] = [1000, 0];
    core.begin(64e6, 7, false, now);
    core.input(0, 0, now);
    core.frame('{"type":"welcome","received":0}', now);
    while (core.effect());
    for (const [connection, report] of reports) {
      now += 500;
      const times = [performance.now()];
      const json = JSON.stringify(report);
      times.push(performance.now());
      const address = core.input_buffer(json.length);
      const { written } = encoder.encodeInto(json, new Uint8Array(wasm.memory.buffer, address, json.length));
      times.push(performance.now());
      core.report(Number(connection.slice(3)), written, '', now);
      times.push(performance.now());
      core.input(8, 0, now);
      let frame = '';
      for (let effect; (effect = core.effect()); ) if (effect === 2) frame += core.effect_text();
      times.push(performance.now());
      lines += frame.split('\n').length;
      core.frame(`{"type":"ack","received":${lines}}`, now);
      // The first round is the compiler's.
      if (round === 0) continue;
      chars += json.length;
      sent += frame.length;
      Object.values(steps).forEach((step, index) => step.push(times[index + 1] - times[index]));
    }
  }
  const count = steps.report.length;
  console.log(`${name}: ${Math.round(chars / count)} bytes a report, ${Math.round(sent / count)} sent`);
  for (const [step, times] of Object.entries(steps)) {
    times.sort((a, b) => a - b);
    const quantile = (share) => times[Math.floor(share * (times.length - 1))].toFixed(4);
    console.log(`  ${step.padEnd(10)} median ${quantile(0.5)}  p95 ${quantile(0.95)}`);
  }
}
console.log(`memory of the module: ${wasm.memory.buffer.byteLength} bytes`);
