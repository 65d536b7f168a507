// `make bench-client`: what a poll costs the page, beside one bare JSON.stringify of the same report. Prints a table and JSON. Fails above the bars.
//
//   REPEAT=3 POLLS=120 INTERVAL=250 CALL=av|20video CLIENT=index|inline BOTH=1 PROFILE=1 WASM=with-names.wasm DIST=npm/dist COLLECTOR=target/debug/rtctrace

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { resultsDir } from '../harness/browser.js';
import { fixed, median, table } from './figures.js';
import { CALLS, measure, summary } from './measure.js';
import { buildNamed } from './named.js';

const BARS = { ratio: 2, p95: { av: 3, '20video': 3 }, longTask: 50, inlineStart: 10 };

const { env } = process;
const repeat = Number(env.REPEAT ?? 3);
const polls = Number(env.POLLS ?? 120);
const interval = Number(env.INTERVAL ?? 250);
const calls = /** @type {(keyof typeof CALLS)[]} */ (env.CALL ? [env.CALL] : Object.keys(CALLS));
const inlineBuild = existsSync(new URL('../../npm/dist/inline.js', import.meta.url));
const client = /** @type {'index' | 'inline'} */ (env.CLIENT ?? 'index');
/** @type {string[]} */
const missed = [];
const results = [];

for (const call of calls) {
  const settings = { call, both: Boolean(env.BOTH), polls, interval, client, realCollector: Boolean(env.COLLECTOR), dist: env.DIST };
  const runs = [];
  for (let run = 0; run < repeat; run += 1) runs.push(await measure(settings));
  results.push(...runs);
  const control = await measure({ ...settings, client: 'none', polls: 20 });

  console.log(`\n${call}: 1 audio and ${CALLS[call]} video, ${runs[0].polls.entries} entries, ${polls} polls every ${interval} ms, ${client}.js; ms for which the main thread ran, per poll\n`);
  /** @param {string} name @param {ReturnType<typeof summary>} of */
  const rows = (name, of) =>
    /** @type {const} */ (['cold', 'warm']).map((kind) => {
      const { work, bare, ratio, report, later } = of[kind];
      const shared = kind === 'cold' ? [fixed(of.meanRatio, 2), fixed(of.sendingRatio, 2), fixed(of.ask), fixed(of.all), of.sends, of.bytes] : [];
      return [`${name} ${kind}`, ...[work.median, work.p95, work.max, bare.median, bare.p95].map((cell) => fixed(cell)), fixed(ratio, 2), fixed(report), fixed(later), ...shared];
    });
  console.log(table([
    ['run', 'client', 'p95', 'max', 'bare', 'p95', 'ratio', 'report', 'later', 'of means', 'if sent', 'ask', 'all', 'sends', 'bytes'],
    ...runs.flatMap((run, index) => rows(`${index + 1}`, run.polls)),
    ...runs.flatMap((run, index) => rows(`${index + 1} by the clock`, run.passed).slice(0, 1)),
    ...runs.flatMap((run, index) => rows(`${index + 1} warm-up`, run.warmUp).slice(0, 1)),
  ]));

  const ratios = runs.map((run) => run.polls.cold.ratio);
  const p95 = runs.map((run) => run.polls.cold.work.p95);
  console.log(`\nratio ${fixed(median(ratios), 2)} (${fixed(Math.min(...ratios), 2)} to ${fixed(Math.max(...ratios), 2)}), bar ${BARS.ratio}; p95 ${fixed(median(p95))} ms, bar ${BARS.p95[call]}`);
  if (median(ratios) > BARS.ratio) missed.push(`${call}: ratio ${fixed(median(ratios), 2)}`);
  if (median(p95) > BARS.p95[call]) missed.push(`${call}: p95 ${fixed(median(p95))} ms`);

  /** @param {any[]} tasks */
  const told = (tasks) => (tasks.length ? `${tasks.length}, the longest ${Math.max(...tasks.map(({ duration }) => duration))} ms; in one of them the client ran for at most ${fixed(Math.max(...tasks.map(({ ours }) => ours)), 1)} ms` : 'none');
  console.log('\nbeginning (ms):');
  for (const { cost } of runs) if (cost) console.log(`  script ${fixed(cost.evaluate)}, call ${fixed(cost.call)} (ran ${fixed(cost.ran)}), module ready ${fixed(cost.module)}, recording after ${fixed(cost.ready, 1)}`);
  console.log('long tasks:');
  runs.forEach((run, index) => console.log(`  run ${index + 1}: ${told(run.longTasks)}`));
  console.log(`  without client: ${told(control.longTasks)}`);
  for (const run of runs) {
    if (run.faults.length) console.log(`  errors in the page: ${run.faults.join('; ')}`);
    if (run.longTasks.some((/** @type {any} */ { ours }) => ours > BARS.longTask)) missed.push(`${call}: a long task of the client`);
  }
}

if (inlineBuild && client === 'index') {
  const run = await measure({ call: 'av', polls: 5, client: 'inline', dist: env.DIST });
  results.push(run);
  if (run.cost) {
    console.log(`\ninline build: script ${fixed(run.cost.evaluate)} ms, start() ${fixed(run.cost.call)} ms (ran ${fixed(run.cost.ran)}), bar ${BARS.inlineStart}`);
    if (run.cost.evaluate + run.cost.ran > BARS.inlineStart) missed.push('the inline build begins slowly');
  }
}

if (env.PROFILE) {
  mkdirSync(resultsDir, { recursive: true });
  const raw = `${resultsDir}client.cpuprofile`;
  const dist = `${resultsDir}named-client`;
  await buildNamed(dist, env.WASM);
  const { profile } = await measure({ call: calls.at(-1) ?? '20video', polls, interval, client, dist, profile: raw });
  console.log(`\nprofile of ${calls.at(-1)} (sampling slows everything; read the shares), also in ${raw}\n\n${profile}`);
}

mkdirSync(resultsDir, { recursive: true });
writeFileSync(`${resultsDir}bench-client.json`, JSON.stringify(results, null, 2));
console.log(`\n${resultsDir}bench-client.json has all of it`);
if (missed.length) {
  console.log(`above the bars: ${missed.join('; ')}`);
  process.exitCode = 1;
}
