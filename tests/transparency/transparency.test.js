// What a page sees of the browser while it is recorded is what it sees without. Each probe of tests/pages/transparency runs in a page
// that knows nothing of rtctrace and in one that stands to it in the way that a mode says; what they saw must be equal.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { browserName, openBrowser, openPage } from '../harness/browser.js';
import { openSite } from '../harness/site.js';
import { groups } from '../pages/transparency/groups.js';

/** @typedef {{ seen: Record<string, any>, counters?: { lines: number, faults: number }, heard: string[], faults: string[] }} Outcome */

/** Beside `recorded`, which runs all: what a mode can change at all. */
const modes = {
  // Firefox lets no page ask for a collection, and lets a closed connection wait for one for a long time.
  recorded: Object.keys(groups).filter((group) => group !== 'memory' || browserName === 'chromium'),
  early: ['arguments', 'construction', 'errors', 'identity', 'microtasks', 'rejections', 'callbacks'],
  twice: ['arguments', 'callbacks', 'construction', 'descriptors', 'errors', 'events', 'identity', 'microtasks'],
  inline: ['construction', 'errors', 'identity', 'microtasks'],
  closed: ['construction', 'errors', 'identity', 'microtasks'],
  restored: ['construction', 'descriptors', 'errors', 'identity', 'microtasks'],
};

/** Where the recorder differs, and why it must. */
const known = new Map([
  ['identity prototypeOfPendingPromises', 'until the page first uses a promise, its prototype is one in front of the browser\'s: that is how we notice'],
  ['arguments proxyKeys', 'a copy is made of what the page hands over: a proxy sees its keys and their descriptors being read'],
  ['rejections ofWhichPromise', 'a promise of ours stands in for the one that the page ignored'],
  ['rejections inOrder', 'a stand-in is rejected a microtask after the promise that it stands for'],
  ['replaced subclass', "observing a subclass of Promise asks for its species, as any `then` does"],
  ['sabotage speciesGetter', 'so does observing a promise of the browser'],
]);

/** Differences of two observations, flat, so that a report of ten thousand properties names the one that differs. @param {any} value @param {string} path @param {Map<string, unknown>} into */
function flatten(value, path = '', into = new Map()) {
  if (value !== null && typeof value === 'object' && Object.keys(value).length > 0) {
    for (const [key, member] of Object.entries(value)) flatten(member, path ? `${path} > ${key}` : key, into);
  } else {
    into.set(path, value);
  }
  return into;
}

/** @param {any} actual @param {any} expected */
function differences(actual, expected) {
  const [left, right] = [flatten(actual), flatten(expected)];
  const paths = [...new Set([...right.keys(), ...left.keys()])];
  return paths
    .filter((path) => JSON.stringify(left.get(path)) !== JSON.stringify(right.get(path)))
    .map((path) => `${path}: ${JSON.stringify(left.get(path))} instead of ${JSON.stringify(right.get(path))}`);
}

const site = await openSite({ collector: true });
const browser = await openBrowser();
after(async () => {
  await browser.close();
  await site.close();
});

/** @type {Map<string, Promise<Outcome>>} */
const natives = new Map();
/** @param {string} group @param {string} mode @returns {Promise<Outcome>} */
async function run(group, mode) {
  const { page, faults } = await openPage(browser);
  await page.goto(`${site.url}/transparency/index.html?group=${group}&mode=${mode}`);
  await page.locator('#done').waitFor({ state: 'attached', timeout: 60_000 });
  const outcome = JSON.parse(await page.evaluate(() => /** @type {any} */ (window).outcome));
  await page.close();
  return { ...outcome, faults };
}
/** @param {string} group */
function native(group) {
  const begun = natives.get(group);
  if (begun) return begun;
  const running = run(group, 'native');
  natives.set(group, running);
  return running;
}

for (const [mode, names] of Object.entries(modes)) {
  for (const group of names) {
    describe(`${mode}: ${group}`, () => {
      /** @type {Outcome} */ let without;
      /** @type {Outcome} */ let outcome;

      before(async () => {
        without = await native(group);
        outcome = await run(group, mode);
      });

      for (const name of Object.keys(groups[group].probes)) {
        it(name, { todo: mode === 'closed' || mode === 'restored' ? undefined : known.get(`${group} ${name}`) }, () => {
          const found = differences(outcome.seen[name], without.seen[name]);
          assert.equal(found.length, 0, `${found.length} differences:\n${found.slice(0, 20).join('\n')}`);
        });
      }

      it('keeps quiet', () => {
        if (group !== 'rejections') assert.deepEqual(outcome.faults, without.faults);
        // With the language itself broken the recorder may have faults, and may end; it tells of the first fault and of the end.
        if (group === 'sabotage') return assert.ok(outcome.heard.length <= 2, outcome.heard.join('\n'));
        assert.deepEqual(outcome.heard, []);
        assert.equal(outcome.counters?.faults, 0);
        if (mode !== 'closed' && mode !== 'restored') assert.ok(Number(outcome.counters?.lines) > 1, 'it was recorded');
      });
    });
  }
}
