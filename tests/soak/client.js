// `make soak-client`: the memory of a page that is polled every 100 ms in a call with 20 video transceivers, beside a run without
// the client. Fails if it is not flat after the first minute.
//
//   MINUTES=10 CONTROL_MINUTES=4 INTERVAL=100 CLIENT=index|inline DIST=npm/dist

import { fixed, table } from '../bench/figures.js';
import { growth, sampleMemory } from '../bench/memory.js';

const { env } = process;
const minutes = Number(env.MINUTES ?? 10);
const controlMinutes = Number(env.CONTROL_MINUTES ?? Math.min(4, minutes));
const interval = Number(env.INTERVAL ?? 100);
const client = /** @type {'index' | 'inline'} */ (env.CLIENT ?? 'index');
const SHARE = 0.02;
const BYTES = 200_000;
const second = [60, 120];

/** @param {string} title @param {'index' | 'inline' | 'none'} build @param {number} length minutes */
async function run(title, build, length) {
  console.log(`\n${title}, ${length} minutes (bytes)`);
  const samples = await sampleMemory({ client: build, interval, dist: env.DIST }, length * 60, 10, ({ at, wasm, heap, outside, lines }) =>
    console.log(`  ${fixed(at, 0).padStart(4)} s  wasm ${wasm}  heap ${heap}  outside ${outside}  lines ${lines}`));
  return samples;
}

const samples = await run(`with ${client}.js, every ${interval} ms`, client, minutes);
const control = controlMinutes > 0 ? await run('without the client', 'none', controlMinutes) : [];

const grown = /** @type {const} */ (['wasm', 'heap', 'outside']).map((of) => ({
  of,
  ours: growth(samples, of, second, [(minutes - 1) * 60, minutes * 60 + 30]),
  control: growth(control, of, second, [(controlMinutes - 1) * 60, controlMinutes * 60 + 30]),
}));
console.log(`\n${table([
  ['', 'second minute', 'last minute', 'grown', 'without client, grown'],
  ...grown.map(({ of, ours, control }) => [of, ours.before, ours.after, ours.grown, fixed(control.grown, 0)]),
])}`);

/** @param {{ before: number, grown: number }} of */
const isFlat = ({ before, grown }) => grown <= Math.max(BYTES, SHARE * before);
const rising = grown.filter(({ ours }) => !isFlat(ours));
const lastStep = samples.findLast(({ wasm }, index) => index > 0 && wasm > samples[index - 1].wasm);
console.log(`the module's memory grew last ${lastStep ? `before ${fixed(lastStep.at, 0)} s` : 'before the first sample'}`);
console.log(rising.length ? `not flat: ${rising.map(({ of }) => of).join(', ')}` : 'flat');
if (rising.length) process.exitCode = 1;
