// A call through the SFU Sora, as Sora tells of it: in the viewer it is a session like any other.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeDump, readDump } from '../decoder/dump.js';
import { openBrowser, openPage, screenshot } from '../harness/browser.js';
import { Collector, freePort } from '../harness/collector.js';
import { Sora } from '../harness/sora.js';
import { drawnCanvases } from '../harness/viewer.js';
import { until } from '../harness/wait.js';

const recording = new URL('../fixtures/recordings/loopback-av-60s.jsonl', import.meta.url).pathname;
const [connection, session] = ['Q5WQ4VW2YN5CV9EVA2XCM6HX34', '7JPZZ7T4P52DX0ZT6DCB1Y2T0R'];
const envelope = {
  label: 'WebRTC SFU Sora', version: '2025.2.1', node_name: 'sora@10.0.0.1', role: 'sendrecv', simulcast: true, spotlight: false,
  channel_id: 'standup', client_id: 'ann', bundle_id: connection, session_id: session, connection_id: connection,
};

/** A minute of a real call: its reports as Sora passes them on, as if it had just been. @returns {{ time: number, stats: Record<string, any>[] }[]} */
function reports() {
  const { events } = decodeDump(readDump(recording));
  const found = events.filter(({ method, connection: id }) => method === 'getStats' && id === 'PC_0');
  const shift = Math.floor(Date.now()) - 5000 - found[found.length - 1].time;
  return found.map(({ time, value }) => ({
    time: time + shift,
    stats: Object.entries(value).map(([id, entry]) => {
      const members = Object.entries(entry).map(([name, member]) => [name, /timestamp$/i.test(name) ? member + shift : member]);
      return { id: `${entry.type}-${id}`, ...Object.fromEntries(members) };
    }),
  }));
}

/** Ids with the type before them, in every place that names another entry. @param {Record<string, any>[]} stats */
function renamed(stats) {
  const ids = new Map(stats.map(({ id }) => [id.slice(id.lastIndexOf('-') + 1), id]));
  return stats.map((entry) => Object.fromEntries(Object.entries(entry).map(([name, member]) => [name, /.Id$/.test(name) ? (ids.get(member) ?? member) : member])));
}

describe('a call through Sora, in the viewer', () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  const pushed = reports().map(({ time, stats }) => ({ time, stats: renamed(stats) }));
  const last = pushed[pushed.length - 1].stats;
  let id = '';

  before(async () => {
    const port = await freePort();
    [collector, browser] = await Promise.all([Collector.start({ RTCTRACE_SORA_LISTEN: `127.0.0.1:${port}` }), openBrowser()]);
    const sora = await Sora.open(port, envelope);
    const [begin, end] = [pushed[0].time - 200, pushed[pushed.length - 1].time + 300];
    const member = { connection_id: connection, client_id: 'ann', role: 'sendrecv', simulcast: true, video_codec_type: 'VP8', audio_codec_type: 'OPUS' };
    assert.ok(pushed.length >= 60, `${pushed.length} pushes`);
    await sora.push(pushed[0].time, pushed[0].stats);
    await sora.session('updated', begin, { connections: [{ ...member, connection_created_timestamp: new Date(begin).toISOString() }] });
    for (const { time, stats } of pushed.slice(1)) await sora.push(time, stats);
    await sora.event('destroyed', end, { data: { total_received: 7 } });
    sora.close();
    const stored = await collector.endedSession(({ dialect }) => dialect === 'sora', 20_000);
    id = stored.id;
  });

  after(async () => {
    await browser?.close();
    await collector?.dispose();
  });

  it('is listed with its channel, its client and its role', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(collector.url);
    const row = page.locator(`[data-testid=session-row][data-session-id="${id}"]`);
    await row.waitFor({ timeout: 10_000 });
    const text = await row.innerText();
    for (const told of ['standup', 'ann', 'Sora 2025.2.1', 'sendrecv', 'ended']) assert.ok(text.includes(told), `${told}: ${text}`);
    assert.ok(!text.includes('unknown'), `what has no browser lacks none: ${text}`);
    await screenshot(page, 'sora-list');
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('opens with graphs of what was pushed', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${collector.url}/#/sessions/${id}`);
    const facts = page.locator('[data-testid=session-facts]');
    await facts.waitFor({ timeout: 10_000 });
    const told = await facts.innerText();
    for (const [name, value] of [['Channel', 'standup'], ['Client', 'ann'], ['Sora session', session], ['Role', 'sendrecv, simulcast'], ['Sora', '2025.2.1'], ['Node', 'sora@10.0.0.1']]) {
      assert.match(told, new RegExp(`${name}\\s+${value.replaceAll('.', '\\.')}`), told);
    }
    assert.doesNotMatch(told, /Browser|Page|webhook/, told);

    await page.locator(`[data-testid=connection-tab][data-connection-id="${connection}"]`).click();
    await until('graphs are drawn', 10_000, () => drawnCanvases(page.locator('[data-testid=graph]')));
    await screenshot(page, 'sora-session');
    for (const button of await page.locator('[data-testid=raw-series]').all()) await button.click();
    for (const [type, kind, member] of [
      ['inbound-rtp', 'audio', 'packetsReceived'],
      ['inbound-rtp', 'video', 'framesDecoded'],
      ['outbound-rtp', 'audio', 'packetsSent'],
      ['outbound-rtp', 'video', 'framesEncoded'],
    ]) {
      const entry = last.find((candidate) => candidate.type === type && candidate.kind === kind);
      assert.ok(entry && entry[member] > 0, `${kind} of ${type} moves`);
      const section = page.locator(`[data-testid=entry][data-entry-type=${type}]`).filter({ has: page.locator('h3 .badge', { hasText: kind }) });
      assert.equal(await section.count(), 1, `${kind} of ${type}`);
      const graph = section.locator(`[data-testid=graph][data-series="${member}"]`);
      await graph.scrollIntoViewIfNeeded();
      await until(`${member} is drawn`, 10_000, () => drawnCanvases(graph));
      await until(`${member} reads as pushed`, 10_000, async () => (await graph.locator('output').innerText()).split(' ')[0] === String(entry[member]));
    }
    const [bits] = await page.locator('[data-testid=highlights] [data-testid=graph]').evaluateAll((graphs) => graphs.map((graph) => graph.getAttribute('data-series')));
    assert.equal(bits, 'Receiving');

    const rows = page.locator('[data-testid=event-row]');
    await page.locator('[data-testid=event-filter]').fill('sora.event');
    await until('both webhooks are there', 5000, async () => (await rows.count()) === 2);
    await screenshot(page, 'sora-webhooks');
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('has the same facts as a file', async () => {
    const { page, faults } = await openPage(browser);
    const { startTime } = await collector.json(`/api/v1/sessions/${id}`);
    await page.goto(collector.url);
    await page.locator('[data-testid=file-input]').setInputFiles(collector.dumpPath(id, startTime));
    const facts = page.locator('[data-testid=session-facts]');
    await facts.waitFor({ timeout: 10_000 });
    const told = await facts.innerText();
    for (const value of ['standup', 'ann', session, '2025.2.1', 'sora@10.0.0.1']) assert.ok(told.includes(value), `${value}: ${told}`);
    assert.deepEqual(faults, []);
    await page.close();
  });
});
