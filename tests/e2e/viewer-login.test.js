// The viewer of a collector that asks for a token: a browser shows it once, and from then on sees what the token allows.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openBrowser, openPage } from '../harness/browser.js';
import { Collector, collectorBinary } from '../harness/collector.js';

describe('the viewer of a collector that asks for a token', () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  const folder = mkdtempSync(join(tmpdir(), 'rtctrace-test-'));
  let token = '';

  before(async () => {
    const made = spawnSync(collectorBinary, ['token', 'api', '--name', 'me', '--scope', 'read', '--data-dir', folder], { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    token = made.stdout.trim();
    [collector, browser] = await Promise.all([Collector.start({ RTCTRACE_ACCESS_API_TOKEN_FILE: join(folder, 'api-tokens') }), openBrowser()]);
  });

  after(async () => {
    await browser?.close();
    await collector?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  it('asks for it, keeps it from scripts, and goes on where it was asked', async () => {
    const { page } = await openPage(browser);
    await page.goto(collector.url);
    const login = page.locator('[data-testid=login]');
    await login.locator('input').fill('rtct_wrong');
    await login.locator('button').click();
    await login.locator('[role=alert]').waitFor();
    assert.match(await login.innerText(), /not known/);
    await login.locator('input').fill(` ${token} `);
    await login.locator('button').click();
    await page.locator('[data-testid=session-list]').waitFor();
    assert.equal(await login.count(), 0);
    assert.equal(await page.evaluate(() => document.cookie), '');

    // A link to a session asks, too: the cookie is of this browser, not of the page.
    await page.goto(`${collector.url}/#/sessions/0190163d-8694-739b-aea5-966c26f8ad90`);
    await page.locator('[data-testid=import-error]').waitFor();
    const { page: fresh } = await openPage(browser);
    await fresh.context().clearCookies();
    await fresh.goto(`${collector.url}/#/sessions/0190163d-8694-739b-aea5-966c26f8ad90`);
    await fresh.locator('[data-testid=login] input').fill(token);
    await fresh.locator('[data-testid=login] button').click();
    await fresh.locator('[data-testid=import-error]').waitFor();
    assert.match(await fresh.locator('[data-testid=import-error]').innerText(), /No session has the id/);
  });
});
