// Dump files that come from elsewhere, opened in the viewer: good ones, odd ones, and what is none.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { decodeDump } from '../decoder/dump.js';
import { screenshot } from '../harness/browser.js';
import { assertRecordingShown } from '../harness/viewer.js';
import { file, viewerPages } from '../harness/viewer-pages.js';
import { until } from '../harness/wait.js';

const recordings = new URL('../fixtures/recordings/', import.meta.url).pathname;
const recording = (/** @type {string} */ name) => readFileSync(`${recordings}${name}.jsonl`);

describe('the viewer given a file', () => {
  const viewer = viewerPages({ collector: true });
  /** @type {import('../harness/viewer-pages.js').ViewerPage} */ let opened;
  /** @type {import('playwright-core').Page} */ let page;
  /** @type {string[]} */ let faults;

  beforeEach(async () => {
    opened = await viewer.open();
    ({ page, faults } = opened);
  });

  /** @param {string} name @param {Buffer} buffer */
  const choose = (name, buffer) => opened.choose(file(name, buffer));
  const problem = async () => {
    const message = page.locator('[data-testid=import-error]');
    await message.waitFor({ timeout: 10_000 });
    return message.innerText();
  };

  it('shows a recording', async () => {
    const file = recording('rich-session');
    await choose('rich-session.jsonl', file);
    await assertRecordingShown(page, decodeDump(file.toString()).events, 'file');
    assert.equal(await page.locator('[data-testid=skipped-lines]').count(), 0);
    assert.deepEqual(faults, []);
  });

  it('shows a gzip recording that is dropped on it, whatever its name', async () => {
    const file = recording('loopback-av-60s');
    await drop(page, 'recording', gzipSync(file));
    await assertRecordingShown(page, decodeDump(file.toString()).events, 'dropped');
    assert.deepEqual(faults, []);
  });

  it('keeps its time cursor at its time, whatever part of the recording it shows', async () => {
    await choose('loopback-av-60s.jsonl', recording('loopback-av-60s'));
    const areas = page.locator('[data-testid=plot]');
    await areas.nth(1).waitFor({ timeout: 10_000 });
    const box = await areas.first().boundingBox();
    assert.ok(box);
    const at = (/** @type {number} */ part) => page.mouse.move(box.x + box.width * part, box.y + box.height / 2);
    const cursors = () => areas.evaluateAll((elements) =>
      elements.slice(0, 2).map((element) => {
        const line = element.querySelector('[data-testid=cursor]')?.getBoundingClientRect().left ?? NaN;
        const area = element.getBoundingClientRect();
        return Math.round(((line - area.left) / area.width) * 20) / 20;
      }),
    );
    const stand = (/** @type {number} */ part) =>
      until(`both cursors stand at ${part}`, 2000, async () => (await cursors()).every((place) => place === part));
    await at(0.5);
    await page.mouse.down();
    await page.mouse.up();
    await stand(0.5);
    await at(0.4);
    await page.mouse.down();
    await at(0.8);
    await page.mouse.up();
    await page.mouse.move(5, 5);
    await stand(0.25);
    await page.keyboard.press('0');
    await stand(0.5);
    assert.deepEqual(faults, []);
  });

  it('shows a part of the time by wheel and keys, in all graphs', async () => {
    await choose('loopback-av-60s.jsonl', recording('loopback-av-60s'));
    const area = page.locator('[data-testid=plot]').first();
    await area.waitFor({ timeout: 10_000 });
    const timeline = page.locator('[data-testid=timeline]');
    const shown = () => timeline.evaluate((element) => [Number(element.dataset.from), Number(element.dataset.to)]);
    const [begin, end] = await shown();
    const length = async () => ((part) => part[1] - part[0])(await shown());
    const labels = () => page.locator('[data-testid=graph]').first().evaluate((graph) => graph.querySelector('canvas')?.toDataURL());
    const before = await labels();

    const box = await timeline.locator('.area').boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + box.width * 0.75, box.y + 10);
    await page.mouse.wheel(0, -300);
    await until('the wheel shows less', 2000, async () => (await length()) < (end - begin) * 0.8);
    const [from, to] = await shown();
    assert.ok(Math.abs((begin + (end - begin) * 0.75 - from) / (to - from) - 0.75) < 0.01, 'what is under the pointer stays there');
    await until('the graphs follow', 2000, async () => (await labels()) !== before);

    await page.mouse.wheel(-200, 0);
    await until('sideways it goes back in time', 2000, async () => (await shown())[0] < from);
    const part = await length();
    await page.keyboard.press('d');
    await until('a key goes on', 2000, async () => (await shown())[0] > from - part);
    await page.keyboard.press('w');
    await until('a key shows less', 2000, async () => (await length()) < part);
    await page.keyboard.press('0');
    await until('a key shows everything', 2000, async () => (await length()) === end - begin);

    const graph = await area.boundingBox();
    assert.ok(graph);
    await page.mouse.move(graph.x + graph.width / 2, graph.y + graph.height / 2);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -300);
    await page.keyboard.up('Control');
    await until('with Ctrl, over a graph', 2000, async () => (await length()) < (end - begin) * 0.8);
    assert.deepEqual(faults, []);
  });

  it('shows what became of paths, of the quality and of tracks', async () => {
    await choose('rich-session.jsonl', recording('rich-session'));
    const states = (/** @type {string} */ lane) =>
      page.locator(`[data-testid=lane][data-lane="${lane}"]`).first().locator('li').evaluateAll((all) => all.map((state) => state.dataset.state ?? ''));
    await page.locator('[data-testid=connection-tab][data-connection-id=PC_0]').click();
    await page.locator('[data-testid=lane]').nth(5).waitFor({ timeout: 10_000 });
    assert.equal((await states('DTLS')).at(-1), 'connected');
    const [first, second, ...further] = await states('Path');
    assert.match(first, /^host .* ⇄ host .* udp$/);
    assert.match(second, /^host .* ⇄ host .* udp$/);
    assert.notEqual(first, second);
    assert.deepEqual(further, []);
    assert.deepEqual(await states('Limited'), ['none', 'bandwidth', 'none']);
    assert.deepEqual(await states('Microphone'), ['live', 'disabled', 'live', 'stopped']);
    assert.deepEqual(await states('Camera'), ['live', 'replaced', 'live', 'stopped']);
    await page.locator('[data-testid=more-lanes]').click();
    assert.ok((await states('Remote video')).includes('live'));
    await screenshot(page, 'viewer-lanes');
    await page.locator('text=Page').first().click();
    await until('the page has what it captured', 2000, async () => (await states('Microphone')).includes('disabled'));
    assert.deepEqual(faults, []);
  });

  it('tells what was wrong, what it means, and leads to where it was', async () => {
    await choose('rich-session.jsonl', recording('rich-session'));
    const findings = page.locator('[data-testid=finding]');
    await findings.first().waitFor({ timeout: 10_000 });
    assert.deepEqual(await findings.evaluateAll((all) => all.map((finding) => finding.className.split(' ')[0])), ['warning', 'warning']);
    const failed = findings.filter({ hasText: 'setRemoteDescription failed once' });
    await failed.locator('.fold').click();
    assert.match(await failed.locator('p').innerText(), /\w+\. .{40}/);
    const timeline = page.locator('[data-testid=timeline]');
    const whole = await timeline.getAttribute('data-to');
    await page.locator('[data-testid=connection-tab][data-connection-id=PC_1]').click();
    await failed.locator('.sentence').click();
    await until('the timeline shows it', 2000, async () => (await timeline.getAttribute('data-to')) !== whole);
    assert.equal(await page.locator('[data-testid=connection-tab][aria-selected=true]').getAttribute('data-connection-id'), 'PC_0');
    await page.locator('[data-testid=more-findings]').click();
    assert.equal(await findings.count(), 5);
    await screenshot(page, 'viewer-findings');
    assert.deepEqual(faults, []);
  });

  it('has nothing to tell of a call that was good', async () => {
    await choose('loopback-av-60s.jsonl', recording('loopback-av-60s'));
    await page.locator('[data-testid=graph]').first().waitFor({ timeout: 10_000 });
    assert.equal(await page.locator('[data-testid=finding]').count(), 0);
    assert.deepEqual(faults, []);
  });

  it('shows how a connection was set up, and what it came to', async () => {
    await choose('rich-session.jsonl', recording('rich-session'));
    await page.locator('[data-testid=connection-tab][data-connection-id=PC_0]').click();
    await page.locator('[data-testid=show-overview]').click();
    const steps = page.locator('[data-testid=waterfall] li');
    await steps.first().waitFor({ timeout: 10_000 });
    const goldens = new URL('../../features/tests/goldens/rich-session.json', import.meta.url);
    const [features] = JSON.parse(readFileSync(goldens, 'utf8')).connections;
    const shown = Object.fromEntries(await steps.evaluateAll((all) => all.map((step) => [step.dataset.step, Math.round(Number(step.dataset.to) - Number(step.dataset.from))])));
    assert.deepEqual(Object.keys(shown), ['Capture', 'Signaling', 'ICE', 'DTLS', 'First packet', 'First frame']);
    assert.deepEqual([shown.Signaling, shown.ICE, shown.DTLS, shown['First packet']], [features.setupSignalingTime, features.setupIceTime, features.setupDtlsTime, features.setupMediaTime]);
    assert.equal(shown['First frame'], features.timeToFirstVideoFrame - features.timeToFirstVideoPacket);
    const overview = await page.locator('[data-testid=overview]').innerText();
    assert.match(overview, /Connected after\s+127 ms/);
    assert.match(overview, /Path\s+host ⇄ host over udp/);
    assert.equal(await page.locator('[data-testid=track-facts]').count(), features.tracks.length);
    await screenshot(page, 'viewer-overview');
    const timeline = page.locator('[data-testid=timeline]');
    const before = await timeline.getAttribute('data-to');
    await steps.nth(1).locator('button').click();
    await until('the step fills the timeline', 2000, async () => (await timeline.getAttribute('data-to')) !== before);
    assert.deepEqual(faults, []);
  });

  it('shows candidates of both sides, their pairs, and which was used when', async () => {
    await choose('rich-session.jsonl', recording('rich-session'));
    await page.locator('[data-testid=connection-tab][data-connection-id=PC_0]').click();
    await page.locator('[data-testid=show-ice]').click();
    const pairs = page.locator('[data-testid=ice-pair]');
    await pairs.first().waitFor({ timeout: 10_000 });
    assert.deepEqual(await pairs.evaluateAll((all) => all.slice(0, 3).map((pair) => pair.dataset.selected)), ['now', 'before', 'never']);
    const history = await page.locator('[data-testid=ice-history] li').allInnerTexts();
    assert.equal(history.length, 2);
    const ends = async (/** @type {number} */ pair) => (await pairs.nth(pair).locator('[data-end] .mono').allInnerTexts()).map((end) => end.trim());
    // What is selected at the end came last.
    assert.ok((await ends(0)).every((end) => history[1].includes(end)), `${await ends(0)} in ${history[1]}`);
    assert.ok((await ends(1)).every((end) => history[0].includes(end)));
    assert.equal(await page.locator('[data-testid=ice-local] li').count(), 4);
    const remote = page.locator('[data-testid=ice-remote] li');
    assert.equal(await remote.filter({ hasText: 'refused' }).count(), 1);
    await screenshot(page, 'viewer-ice');
    await remote.first().locator('button').click();
    await until('the event is selected', 2000, () => page.locator('[data-testid=event-row][aria-selected=true][data-method=addIceCandidate]').count());
    assert.deepEqual(faults, []);
  });

  it('has a tab and a lane for each of many connections, and keys that lead along them', async () => {
    const ids = Array.from({ length: 30 }, (_, at) => `PC_${at}`);
    const lines = ids.flatMap((id, at) => [JSON.stringify(['create', id, null, at === 0 ? 1795159383880 : 0]), JSON.stringify(['onconnectionstatechange', id, 'connecting', 10])]);
    await choose('many.jsonl', Buffer.from(`RTCStatsDump\n{"fileFormat":3}\n${lines.join('\n')}\n`));
    await page.locator('[data-testid=connection-tab]').first().waitFor({ timeout: 10_000 });
    const chosen = page.locator('[role=tab][aria-selected=true]');
    const shows = (/** @type {string} */ name) =>
      until(`${name} is chosen, and in view`, 5000, () =>
        chosen.evaluate((tab, name) => {
          const [own, room] = [tab.getBoundingClientRect(), tab.parentElement?.getBoundingClientRect()];
          return tab.textContent?.trim().startsWith(name) && room && own.left > room.left - 1 && own.right < room.right + 1;
        }, name),
      );
    await page.locator('[data-testid=all-tab]').click();
    await page.keyboard.press('ArrowLeft');
    await shows('PC_29');
    await page.keyboard.press('Home');
    await shows('All');
    await page.locator('[data-testid=more-lanes]').click();
    await until('all have lanes', 5000, async () => (await page.locator('[data-testid=lane]').count()) === ids.length);
    assert.ok(await page.locator('[data-testid=event-row]').first().isVisible());
    const rows = await page.locator('[data-testid=event-row]').first().boundingBox();
    assert.ok(rows && rows.y < 800, 'and the events stay on the page');
    assert.deepEqual(faults, []);
  });

  it('pairs calls with their outcomes', async () => {
    await choose('rich-session.jsonl', recording('rich-session'));
    const row = (/** @type {string} */ method) => page.locator(`[data-testid=event-row][data-method=${method}]`).first();
    await page.locator('[data-testid=connection-tab][data-connection-id=PC_0]').click();
    await row('createOffer').waitFor({ timeout: 10_000 });
    assert.match(await row('createOffer').locator('[data-testid=took]').innerText(), /^\d+ ms$/);
    assert.equal(await row('createOfferOnSuccess').locator('[data-testid=took]').count(), 0);
    await row('createOffer').click();
    const partner = page.locator('[data-testid=partner]');
    assert.match(await partner.innerText(), /^Outcome: createOfferOnSuccess, \d+ ms later$/);
    await partner.click();
    await until('its outcome is selected', 2000, () => row('createOfferOnSuccess').evaluate((element) => element.ariaSelected === 'true'));
    await page.locator('[data-testid=event-filter]').fill('OperationError');
    await until('what failed is found', 5000, () => page.locator('[data-testid=event-row][data-method=addIceCandidateOnFailure]').count());
    await page.locator('[data-testid=event-row][data-method=addIceCandidateOnFailure]').click();
    await partner.click();
    const took = page.locator('[data-testid=event-row][data-method=addIceCandidate][aria-selected=true] [data-testid=took]');
    await until('a call that failed says so itself', 5000, async () => /^✕\s*\d+ ms$/.test(await took.innerText()));
    assert.deepEqual(faults, []);
  });

  it('shows descriptions by section, where they were changed, and how they differ', async () => {
    const lines = recording('rich-session').toString().split('\n');
    const { events } = decodeDump(lines.join('\n'));
    const munged = ['createOfferOnSuccess', 'setLocalDescription'].map((method) => events.find((event) => event.method === method));
    assert.ok(munged.every(Boolean));
    // A description that somebody changed between the two calls, in full.
    const [created, set] = munged.map((event) => /** @type {any} */ (event));
    const sdp = created.value.sdp.replace('a=sendrecv', 'a=sendonly');
    const line = ['setLocalDescription', set.connection, { type: 'offer', sdp }, ...set.extra, 1];
    const at = events.indexOf(set) + 2;
    await choose('munged.jsonl', Buffer.from([...lines.slice(0, at), JSON.stringify(line), ...lines.slice(at)].join('\n')));
    await page.locator(`[data-testid=connection-tab][data-connection-id=${set.connection}]`).click();
    const rows = page.locator('[data-testid=event-row][data-method=setLocalDescription]');
    await rows.first().waitFor({ timeout: 10_000 });
    await rows.first().click();
    const view = page.locator('[data-testid=sdp]');
    await view.waitFor();
    const mark = view.locator('[data-testid=munged]');
    assert.match(await mark.innerText(), /^Munged: audio mid \d+$/);
    const sections = view.locator('[data-testid=sdp-section]');
    const shown = (await sections.locator('pre').allInnerTexts()).join('\n').split('\n').filter(Boolean);
    assert.deepEqual(shown, sdp.trim().split(/\r?\n/));
    await mark.click();
    await until('its differences are shown', 2000, () => view.locator('[data-state=changed]').count());
    const changes = await view.locator('[data-state=changed] .added, [data-state=changed] .removed').allInnerTexts();
    assert.deepEqual(changes.map((text) => text.trim()), ['− a=sendrecv', '+ a=sendonly']);
    await screenshot(page, 'viewer-munged');
    await rows.first().click();
    await rows.nth(1).click();
    await page.locator('[data-testid=not-munged]').waitFor();
    const base = page.locator('[data-testid=sdp-base]');
    await base.selectOption({ index: 1 });
    await until('it is compared with another', 2000, () => view.locator('[data-state]').count());
    assert.deepEqual(faults, []);
  });

  it('shows a recording with a candidate that cannot be parsed', async () => {
    const file = recording('rich-session-bogus-candidate');
    await choose('bogus.jsonl', file);
    await assertRecordingShown(page, decodeDump(file.toString()).events, 'bogus');
    assert.deepEqual(faults, []);
  });

  it('says what is wrong with a file that is no dump', async () => {
    await choose('photo.png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 1, 2, 3]));
    assert.match(await problem(), /RTCStatsDump/);
    await screenshot(page, 'file-no-dump');
    assert.deepEqual(faults, []);
  });

  it('says so of an empty file, of a header alone and of JSON of another kind', async () => {
    for (const [name, text] of [['empty', ''], ['half', 'RTCStatsDump\n'], ['other.json', '{"log":{}}']]) {
      await choose(name, Buffer.from(text));
      assert.ok((await problem()).length > 20, name);
    }
    assert.deepEqual(faults, []);
  });

  it('shows what a truncated file still holds, and says that it is truncated', async () => {
    const whole = gzipSync(recording('loopback-av-60s'));
    await choose('half.jsonl.gz', whole.subarray(0, Math.floor(whole.length / 2)));
    await page.locator('[data-testid=event-row]').first().waitFor({ timeout: 10_000 });
    const notice = page.locator('[data-testid=import-error], [data-testid=skipped-lines]').first();
    await notice.waitFor();
    assert.match(await notice.innerText(), /truncated|damaged|ends|incomplete|cut/i);
    await screenshot(page, 'file-truncated');
    assert.deepEqual(faults, []);
  });

  it('says what is wrong with a damaged file and at which line, and shows the rest', async () => {
    const text = recording('rich-session');
    const lines = text.toString('latin1').split('\n');
    const damaged = (/** @type {string} */ line) => Buffer.from([...lines.slice(0, 19), line, ...lines.slice(19)].join('\n'), 'latin1');
    const internals = readFileSync(new URL('../fixtures/internals/webrtc_internals_dump.gz', import.meta.url));
    /** What is told, and whether there is something to see. @type {[string, Buffer, RegExp, boolean][]} */
    const table = [
      ['empty', Buffer.alloc(0), /the file is empty/i, false],
      ['binary', Buffer.from([0, 0, 1, 0xba, 0x44, 0, 4]), /it is binary/, false],
      ['utf-16', Buffer.from(`\ufeff${text.toString()}`, 'utf16le'), /UTF-16.*UTF-8/, false],
      ['packed by zip', Buffer.from('PK\x03\x04etc'), /ZIP archive/, false],
      ['no session', Buffer.from('RTCStatsDump\n{"url"'), /second line/, false],
      ['cut', text.subarray(0, Math.floor(text.length / 2)), /line\s+\d+ \(the file ends within line\s+\d+/, true],
      ['huge line', damaged('x'.repeat(2 ** 24 + 1)), /line\s+20, longer than 16777216 bytes/, true],
      ['latin-1', damaged('["create",null,"caf\xe9",1]'), /line\s+20, not UTF-8/, true],
      ['no JSON', damaged('[1,'), /line\s+20, .*not JSON/, true],
      ['cut document', gunzipSync(internals).subarray(0, -3000), /truncated/, true],
      ['cut gzip', internals.subarray(0, -300), /truncated/, true],
    ];
    for (const [name, bytes, message, isShown] of table) {
      await choose(name, bytes);
      await page.locator('[data-testid=import-error], [data-testid=skipped-lines]').first().waitFor({ timeout: 10_000 });
      const told = page.locator('[data-testid=import-error], [data-testid=skipped-lines]').filter({ hasText: message });
      await told.first().waitFor({ timeout: 10_000 }).catch(async () => assert.fail(`${name}: ${await page.locator('body').innerText()}`));
      assert.equal((await page.locator('[data-testid=connection-tab]').count()) > 0, isShown, name);
      await page.evaluate(() => (location.hash = '#/'));
      await page.locator('[data-testid=session-list]').waitFor({ timeout: 10_000 });
    }
    assert.deepEqual(faults, []);
  });

  it('skips lines that are none, and counts them', async () => {
    const lines = recording('rich-session').toString().split('\n');
    lines.splice(10, 0, 'nonsense', '{"not":"a line"}', '[1,');
    await choose('damaged.jsonl', Buffer.from(lines.join('\n')));
    const notice = page.locator('[data-testid=skipped-lines]');
    await notice.waitFor({ timeout: 10_000 });
    assert.match(await notice.innerText(), /\b3\b/);
    await page.locator('[data-testid=connection-tab]').nth(1).waitFor();
    assert.deepEqual(faults, []);
  });

  it('says that a session does not exist', async () => {
    await page.goto(`${viewer.url()}/#/sessions/00000000-0000-7000-8000-000000000000`);
    assert.match(await problem(), /not|no /i);
    await screenshot(page, 'no-session');
  });
});

/** Drops a file on the page as a file manager does. @param {import('playwright-core').Page} page @param {string} name @param {Buffer} bytes */
async function drop(page, name, bytes) {
  const transfer = await page.evaluateHandle(
    ([fileName, base64]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], fileName));
      return data;
    },
    [name, bytes.toString('base64')],
  );
  for (const type of ['dragenter', 'dragover', 'drop']) await page.dispatchEvent('body', type, { dataTransfer: transfer });
}
