// The demo page, used as a visitor uses it: start, watch, end, open the recording.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeDump, readDump } from '../decoder/dump.js';
import { browserLabel, openBrowser, openPage, screenshot } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { assertRecordingShown } from '../harness/viewer.js';
import { sleep } from '../harness/wait.js';

describe('the demo page', () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;

  before(async () => {
    [collector, browser] = await Promise.all([Collector.start(), openBrowser()]);
  });

  after(async () => {
    await browser?.close();
    await collector?.dispose();
  });

  for (const media of ['devices', 'generated']) {
    it(`records a call with ${media === 'devices' ? 'camera and microphone' : 'generated media'} and leads to the recording`, async () => {
      const { page, faults } = await openPage(browser);
      await page.goto(`${collector.url}/demo?media=${media}`);
      await page.click('[data-testid=demo-start]');
      await page.locator('[data-testid=demo-state]', { hasText: 'connected' }).waitFor({ timeout: 10_000 });
      await sleep(5000);
      await screenshot(page, `demo-${media}`);
      const id = await page.locator('[data-testid=demo-session]').innerText();
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
      assert.equal(await page.locator('[data-testid=demo-notice]').isVisible(), false);
      const list = await openPage(browser);
      await list.page.goto(collector.url);
      await list.page.locator(`[data-testid=session-row][data-session-id="${id}"]`, { hasText: 'live' }).waitFor({ timeout: 5000 });
      await page.click('[data-testid=demo-end]');
      const link = page.locator('[data-testid=demo-recording]');
      await link.waitFor();
      const ended = Date.now();

      await list.page.reload();
      const row = list.page.locator(`[data-testid=session-row][data-session-id="${id}"]`, { hasText: 'ended' });
      await row.waitFor({ timeout: 5000 });
      const took = Date.now() - ended;
      assert.ok(took < 1000, `it was listed ${took} ms after its end`);
      assert.ok((await row.innerText()).includes(browserLabel));
      await list.page.close();

      const session = await collector.endedSession((candidate) => candidate.id === id, 1000);
      assert.equal(session.connections, 2);
      assert.equal(session.origin, collector.url);
      const { events } = decodeDump(readDump(collector.dumpPath(id, session.startTime)));
      await link.click();
      await page.waitForURL(`${collector.url}/#/sessions/${id}`);
      await assertRecordingShown(page, events, `demo-${media}-recording`);
      const reports = events.filter(({ method }) => method === 'getStats').map(({ value }) => Object.values(value));
      for (const type of ['inbound-rtp', 'outbound-rtp']) {
        for (const kind of ['audio', 'video']) {
          const moved = reports.flat().filter((entry) => entry.type === type && entry.kind === kind);
          const bytes = moved.map((entry) => entry.bytesSent ?? entry.bytesReceived);
          assert.ok(Math.max(...bytes) > Math.min(...bytes), `${type} of ${kind} moves`);
        }
      }
      assert.deepEqual([...faults, ...list.faults], []);
      await page.close();
    });
  }
});
