// Wrapping twice is once: however often and from however many copies the recorder is started, there is one recording, and it holds
// each call once. Frames are not part of it.

import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { methodName } from '../decoder/tables.js';
import { openBrowser, openPage } from '../harness/browser.js';
import { openSite } from '../harness/site.js';

const [browser, site] = await Promise.all([openBrowser(), openSite({ collector: true })]);
after(async () => {
  await browser.close();
  await site.close();
});

it('a page that starts the recorder in many ways', async () => {
  const { page, faults } = await openPage(browser);
  await page.goto(`${site.url}/transparency/twice.html`);
  await page.locator('#done').waitFor({ state: 'attached', timeout: 30_000 });
  const { sessions, another, unchanged, heard, failed } = JSON.parse(await page.evaluate(() => /** @type {any} */ (window).outcome));
  await page.close();
  assert.deepEqual([failed, heard, faults], [undefined, [], []]);
  assert.ok(unchanged, 'what is wrapped was left as it is');
  assert.equal(new Set(sessions).size, 1, 'all of them have the same recording');
  assert.deepEqual([...site.recorded.keys()].sort(), [sessions[0], another].sort(), 'there were no others');

  const lines = (site.recorded.get(sessions[0]) ?? []).map((line) => JSON.parse(line));
  /** @type {Record<string, number>} */
  const counts = {};
  for (const [method, connection] of lines) {
    const name = `${methodName(method)} ${connection ?? ''}`.trim();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  const once = ['create PC_0', 'createDataChannel PC_0', 'setLocalDescription PC_0', 'setLocalDescriptionOnSuccess PC_0', 'createAnswer PC_0', 'createAnswerOnFailure PC_0'];
  const devices = ['navigator.mediaDevices.enumerateDevices', 'navigator.mediaDevices.getUserMedia', 'navigator.mediaDevices.getUserMediaOnSuccess', 'MediaStreamTrack.stop'];
  for (const name of [...once, ...devices, 'onsignalingstatechange PC_0', 'close PC_0']) assert.equal(counts[name], 1, `${name}: ${counts[name]} times`);
  assert.deepEqual(Object.keys(counts).filter((name) => name.includes('PC_1')), []);
});
