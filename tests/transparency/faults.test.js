// Whatever keeps the recorder from recording, the page works, hears of it at most once, and finds the browser as it was.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { openBrowser, openPage } from '../harness/browser.js';
import { freePort } from '../harness/collector.js';
import { openSite } from '../harness/site.js';

/**
 * @typedef {object} Outcome
 * @property {any} early a call while the recorder starts
 * @property {any} late a call afterwards
 * @property {string[]} heard by `log`
 * @property {string[]} errors that reached the window
 * @property {string} state
 * @property {number} faults
 * @property {number} lines
 * @property {string[]} changed functions that are not the browser's own, where nothing is recorded any more
 * @property {string[]} warnings on the console
 */

const works = { received: 2, text: 'hello', state: 'closed', reports: true, failure: 'string' };

const browser = await openBrowser();
after(() => browser.close());

/**
 * @param {Record<string, string>} parameters of the page
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Outcome>}
 */
async function visit(parameters, headers = {}) {
  const site = await openSite({ collector: true, headers });
  const { page } = await openPage(browser);
  /** @type {string[]} */
  const warnings = [];
  page.on('console', (message) => void (message.text().startsWith('rtctrace') && warnings.push(message.text())));
  try {
    await page.goto(`${site.url}/transparency/works.html?${new URLSearchParams(parameters)}`);
    await page.locator('#done').waitFor({ state: 'attached', timeout: 30_000 });
    return { ...JSON.parse(await page.evaluate(() => /** @type {any} */ (window).outcome)), warnings };
  } finally {
    await page.close();
    await site.close();
  }
}

/** The page worked before and after, and no error reached it. @param {Outcome} outcome @param {any} call */
function assertWorks(outcome, call = works) {
  const { early, late, errors } = outcome;
  assert.deepEqual({ early, late, errors }, { early: call, late: call, errors: [] }, JSON.stringify(outcome));
}

/** It said so, once, and everything is back in place. @param {Outcome} outcome @param {RegExp} reason */
function assertNotRecording(outcome, reason) {
  assert.equal(outcome.heard.length, 1, outcome.heard.join('\n'));
  assert.match(outcome.heard[0] ?? '', reason);
  assert.equal(outcome.state, 'closed');
  assert.deepEqual(outcome.changed, []);
}

const withoutWasm = "default-src 'self'; script-src 'self'; connect-src *; img-src data:";
const faces = ['index', 'inline'];

for (const face of faces) {
  describe(`a page with rtctrace/${face}`, () => {
    it('works and is recorded when nothing is wrong', async () => {
      const outcome = await visit({ face, restore: '' });
      assertWorks(outcome);
      assert.equal(outcome.state, 'open');
      assert.deepEqual([outcome.heard, outcome.warnings, outcome.faults], [[], [], 0]);
      assert.ok(outcome.lines > 20, `${outcome.lines} lines`);
      assert.deepEqual(outcome.changed, [], 'restore puts everything back');
    });

    it('works under a policy without wasm-unsafe-eval', async () => {
      const outcome = await visit({ face }, { 'content-security-policy': withoutWasm });
      assertWorks(outcome);
      assertNotRecording(outcome, /not recording/);
    });

    it('warns on the console, once, where it gave no log', async () => {
      const outcome = await visit({ face, 'default-log': '' }, { 'content-security-policy': withoutWasm });
      assertWorks(outcome);
      assert.equal(outcome.warnings.length, 1, outcome.warnings.join('\n'));
    });

    it('works under a policy that forbids the socket', async () => {
      const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src data:";
      const outcome = await visit({ face, endpoint: 'ws://127.0.0.2:9' }, { 'content-security-policy': policy });
      assertWorks(outcome);
      assertNotRecording(outcome, /forbids/);
    });

    it('works while the endpoint is down', async () => {
      const outcome = await visit({ face, endpoint: `http://127.0.0.1:${await freePort()}` });
      assertWorks(outcome);
      assert.deepEqual([outcome.heard, outcome.faults], [[], 0]);
      assert.match(outcome.state, /connecting/);
    });

    it('works with a log that throws', async () => {
      const outcome = await visit({ face, log: 'throwing' }, { 'content-security-policy': withoutWasm });
      assertWorks(outcome);
      assertNotRecording(outcome, /not recording/);
    });

    it('works with an endpoint that is none', async () => {
      const outcome = await visit({ face, endpoint: 'ftp://x' });
      assertWorks(outcome);
      assertNotRecording(outcome, /endpoint/);
    });

    // What the faces do from here on is the same code.
    if (face === 'inline') return;

    for (const [condition, call] of /** @type {[string, any][]} */ ([
      ['noWebAssembly', works],
      ['noConnections', 'no connections'],
    ])) {
      it(`works with ${condition}`, async () => {
        const outcome = await visit({ face, condition });
        assertWorks(outcome, call);
        assertNotRecording(outcome, /not recording/);
      });
    }

    for (const condition of ['noFinalizationRegistry', 'noWeakRef', 'noStorage', 'noCrypto', 'noConsole', 'noWebSocket', 'frozenPrototypes', 'frozenGlobal']) {
      it(`works with ${condition}`, async () => {
        const outcome = await visit({ face, condition });
        assertWorks(outcome);
        assert.ok(outcome.heard.length <= 1, outcome.heard.join('\n'));
        if (outcome.state === 'closed') assert.deepEqual(outcome.changed, []);
      });
    }

    it('works without devices', async () => {
      const outcome = await visit({ face, condition: 'noMediaDevices' });
      assertWorks(outcome, { ...works, received: 0 });
      assert.deepEqual([outcome.heard, outcome.faults], [[], 0]);
    });
  });
}

describe('a page whose module cannot be had', () => {
  for (const [what, wasm] of Object.entries({ 'is not there': '/missing.wasm', 'is something else': '/transparency/works.html', 'is elsewhere': 'http://127.0.0.1:9/x.wasm', 'has no address': 'http://:::' })) {
    it(`works when the file ${what}`, async () => {
      const outcome = await visit({ wasm });
      assertWorks(outcome);
      assertNotRecording(outcome, /not recording/);
    });
  }
});
