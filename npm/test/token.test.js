// By what a collector admits a page: a token that stays, or a function that is asked again and may fail.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { openBrowser, record, until, withPage } from './harness.js';

/** Records with a function `token`, whose source runs in the page and may use `window`. */
async function recordWith(page, token) {
  await page.evaluate(async (source) => {
    const { init } = await import('/index.js');
    window.heard = [];
    window.asked = 0;
    const log = (message) => window.heard.push(message);
    window.recorder = await init({ endpoint: location.origin, log, token: (0, eval)(`(${source})`) });
  }, String(token));
}

const stateIs = (page, state) => until(() => page.evaluate((state) => window.recorder.state === state, state), 20_000);

describe('a token', () => {
  let browser;
  before(async () => void (browser = await openBrowser()));
  after(() => browser?.close());
  const onPage = (work) => withPage(browser, work);

  it('that is a string goes along with every socket and beacon, encoded, and is never logged', () =>
    onPage(async (page, collector) => {
      const token = 'a+b/c=&from=7';
      await record(page, { token });
      await stateIs(page, 'open');
      collector.cut();
      await stateIs(page, 'reconnecting');
      await stateIs(page, 'open');
      await page.evaluate(() => window.recorder.event('last'));
      await page.goto('about:blank');
      await until(() => collector.beacons.length > 0);
      const given = [...collector.upgrades, ...collector.beacons].map((parameters) => [parameters.get('token'), parameters.getAll('from').length]);
      assert.ok(given.length >= 3);
      assert.deepEqual(given, given.map(() => [token, 1]));
    }));

  it('that is a string and is refused is the end', () =>
    onPage(async (page, collector) => {
      collector.gate.judge = () => 1008;
      await record(page, { token: 'top-secret' });
      await stateIs(page, 'closed');
      assert.equal(collector.connections, 1);
      const heard = await page.evaluate(() => window.heard.join());
      assert.match(heard, /not allowed to record/);
      assert.ok(!heard.includes('top-secret'));
    }));

  it('that is none leaves no trace in the address', () =>
    onPage(async (page, collector) => {
      await record(page);
      await stateIs(page, 'open');
      assert.equal(collector.upgrades[0].has('token'), false);
    }));

  it('that a function gives is asked for again before each connection', () =>
    onPage(async (page, collector) => {
      await recordWith(page, async () => `token ${(window.asked += 1)}`);
      for (let round = 1; round <= 3; round += 1) {
        await stateIs(page, 'open');
        collector.cut();
        await stateIs(page, 'reconnecting');
      }
      await stateIs(page, 'open');
      assert.deepEqual(collector.upgrades.map((parameters) => parameters.get('token')), ['token 1', 'token 2', 'token 3', 'token 4']);
      await page.evaluate(() => window.recorder.event('last'));
      await page.goto('about:blank');
      await until(() => collector.beacons.length > 0);
      assert.equal(collector.beacons[0].get('token'), 'token 4');
    }));

  it('that has expired is renewed, and nothing is lost', () =>
    onPage(async (page, collector) => {
      let valid = 'token 1';
      collector.gate.judge = (parameters) => (parameters.get('token') === valid ? undefined : 1008);
      await recordWith(page, () => `token ${(window.asked += 1)}`);
      await stateIs(page, 'open');
      // From now on another one is needed, and the page's next one is not it yet.
      valid = 'token 3';
      await page.evaluate(() => window.recorder.event('n', 1));
      collector.closeAll(1008);
      await page.evaluate(() => window.recorder.event('n', 2));
      await until(() => collector.connections === 3);
      await stateIs(page, 'open');
      const session = await page.evaluate(async () => {
        window.recorder.event('n', 3);
        await window.recorder.close();
        return window.recorder.session;
      });
      const numbers = collector.linesOf(session).filter(([method]) => method === ':n').map(([, , value]) => value);
      assert.deepEqual(numbers, [1, 2, 3]);
      assert.deepEqual(await page.evaluate(() => window.heard), []);
    }));

  it('whose function fails in any way is a failed attempt, told once', () =>
    onPage(async (page, collector) => {
      await recordWith(page, () => {
        window.asked += 1;
        if (window.asked === 1) throw new Error('no network');
        if (window.asked === 2) return Promise.reject(new Error('no network'));
        if (window.asked === 3) return undefined;
        return 'at last';
      });
      assert.equal(await page.evaluate(() => window.recorder.state), 'connecting');
      await stateIs(page, 'open');
      assert.deepEqual(collector.upgrades.map((parameters) => parameters.get('token')), ['at last']);
      assert.deepEqual(await page.evaluate(() => window.heard), [
        'rtctrace: the token function failed, and will be asked again: no network',
      ]);
    }));

  it('whose function never answers is given up after 15 seconds and asked for again; an answer that comes then is not used', () =>
    onPage(async (page, collector) => {
      await page.clock.install();
      await recordWith(page, () => {
        window.asked += 1;
        return window.asked === 1 ? new Promise((resolve) => (window.answerLate = resolve)) : 'second';
      });
      await page.clock.runFor(14_000);
      assert.equal(await page.evaluate(() => window.asked), 1);
      await page.clock.runFor(4_000);
      await page.evaluate(() => window.answerLate('first'));
      await until(async () => {
        await page.clock.runFor(1000);
        return page.evaluate(() => window.recorder.state === 'open');
      });
      assert.deepEqual(collector.upgrades.map((parameters) => parameters.get('token')), ['second']);
    }));
});
