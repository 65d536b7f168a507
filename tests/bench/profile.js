// Where the client's time goes, by the browser's sampling profiler.

import { fixed, table } from './figures.js';

/** Between two samples, in µs. */
export const INTERVAL = 100;

/** @param {any} frame */
const isWasm = ({ url }) => url.startsWith('wasm:') || url.endsWith('.wasm');
/** @param {any} frame */
const isClient = (frame) => frame.url.includes('/rtctrace/') || isWasm(frame);

/** @param {any} frame */
function label(frame) {
  const { functionName, url, lineNumber, columnNumber } = frame;
  const name = (functionName || '(anonymous)').replace(/::h[0-9a-f]{16}$/, '').replace(/\[[0-9a-f]{16}\]/g, '');
  if (isWasm(frame)) return `wasm     ${name}`;
  if (!url) return `browser  ${name}`;
  return `js       ${name} ${url.split('/').at(-1)}:${lineNumber + 1}:${columnNumber + 1}`;
}

/**
 * Time by function: of what runs below a function of the client and, for comparison, below the probe's bare stringify. JavaScript
 * builtins (`stringify`, `fromEntries`) count for the function that calls them.
 * @param {any} profile @param {number} polls
 */
export function profileTable(profile, polls) {
  /** @type {Map<number, any>} */
  const nodes = new Map(profile.nodes.map((/** @type {any} */ node) => [node.id, node]));
  /** @type {Map<number, number>} */
  const times = new Map();
  profile.samples.forEach((/** @type {number} */ id, /** @type {number} */ index) => {
    const delta = profile.timeDeltas[index + 1] ?? 0;
    // After a longer pause the thread was not running: the machine had other work.
    if (delta > 0) times.set(id, (times.get(id) ?? 0) + Math.min(delta, 3 * INTERVAL));
  });
  /** @type {Record<string, Map<string, number>>} */
  const groups = { client: new Map(), bare: new Map(), other: new Map() };
  /** @param {any} node @param {keyof typeof groups} group */
  const visit = (node, group) => {
    const frame = node.callFrame;
    const mine = frame.functionName === 'bare' && frame.url.endsWith('/probe.js') ? 'bare' : group === 'other' && isClient(frame) ? 'client' : group;
    const name = label(frame);
    groups[mine].set(name, (groups[mine].get(name) ?? 0) + (times.get(node.id) ?? 0) / 1000);
    for (const child of node.children ?? []) visit(nodes.get(child), mine);
  };
  visit(profile.nodes[0], 'other');
  /** @param {keyof typeof groups} group @param {number} limit */
  const rows = (group, limit) => {
    const all = [...groups[group]].filter(([, time]) => time > 0).sort((a, b) => b[1] - a[1]);
    const total = all.reduce((sum, [, time]) => sum + time, 0);
    const shown = all.slice(0, limit).map(([name, time]) => [`  ${name}`, fixed(time / polls), `${fixed((100 * time) / total, 1)}%`]);
    return [[group, fixed(total / polls), '100%'], ...shown];
  };
  const collector = groups.other.get('browser  (garbage collector)') ?? 0;
  return table([
    ['ms per poll', 'self', 'share'],
    ...rows('client', 30),
    ...rows('bare', 6),
    ['garbage collector (not attributed)', fixed(collector / polls), ''],
  ]);
}
