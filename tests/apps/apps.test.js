// Apps and libraries that others wrote, each run once alone and once recorded: nothing that the app can notice differs, the browser is
// asked for the same things, and the recording holds all of them.

import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as esbuild from 'esbuild';
import { openBrowser, openPage } from '../harness/browser.js';
import { Collector, freePort } from '../harness/collector.js';
import { assertComplete, assertReports, connectionsOf, storedSession } from '../harness/session.js';
import { openSite } from '../harness/site.js';
import { until } from '../harness/wait.js';
import { openHub, openPeerServer } from './servers.js';

/** @typedef {{ method: string, connection: number | null }} Seen */
/** @typedef {{ session: string, noticed: Record<string, unknown[][]>, witness: Seen[], faults: string[] }} Outcome */

const root = new URL('../..', import.meta.url).pathname;
const pages = new URL('pages/', import.meta.url).pathname;

/** What is unlike in any two runs: how many candidates there are, and when. */
const byChance = ['addIceCandidate'];

/** The calls that reached the browser, by connection. @param {Seen[]} witness @param {boolean} events */
function byConnection(witness, events) {
  /** @type {Record<string, string[]>} */
  const result = {};
  for (const { method, connection } of witness) {
    if (events || !(method.startsWith('on') || byChance.includes(method))) (result[String(connection)] ??= []).push(method);
  }
  return result;
}

// One after the other: Chromium plays video in the tab in front only.
describe('an app', () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  /** @type {{ url: string, close: () => Promise<void> }} */ let site;
  /** @type {string} */ let folder;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtctrace-apps-'));
    await cp(join(pages, 'app.html'), join(folder, 'app.html'));
    await esbuild.build({
      entryPoints: ['adapter', 'peerjs', 'simple-peer', 'sora'].map((name) => join(pages, `${name}.js`)),
      outdir: folder,
      bundle: true,
      splitting: true,
      format: 'esm',
      external: ['/rtctrace/*'],
      logLevel: 'error',
    });
    // What zone.js asks of a bundler, and what such a bundler makes of the package.
    const lowered = { supported: { 'async-await': false }, logLevel: /** @type {const} */ ('error') };
    await esbuild.build({ ...lowered, entryPoints: [join(pages, 'zone.js')], outdir: folder, bundle: true, format: 'esm' });
    await esbuild.build({ ...lowered, entryPoints: ['index', 'inline'].map((name) => join(root, `npm/dist/${name}.js`)), outdir: join(folder, 'lowered') });
    await cp(join(root, 'npm/dist/rtctrace_bg.wasm'), join(folder, 'lowered/rtctrace_bg.wasm'));
    collector = await Collector.start();
    [browser, site] = await Promise.all([openBrowser(), openSite({ folders: { '/rtctrace/': join(root, 'npm/dist'), '/': folder } })]);
  });

  after(async () => {
    await browser?.close();
    await site?.close();
    await collector?.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  /** @param {Record<string, string>} parameters @returns {Promise<Outcome>} */
  async function visit(parameters) {
    const { page, faults } = await openPage(browser);
    try {
      await page.addInitScript({ path: join(pages, 'witness.js') });
      await page.goto(`${site.url}/app.html?${new URLSearchParams(parameters)}`);
      // Asked from here: what waits in a page does so by the page's own promises, which may be of zone.js.
      const ask = () => page.evaluate(() => JSON.stringify(/** @type {any} */ (window).outcome) ?? '');
      const outcome = JSON.parse(await until('the app ends', 20_000, ask).catch(() => 'null'));
      if (!outcome || outcome.error) {
        const noticed = await page.evaluate(() => JSON.stringify(/** @type {any} */ (window).noticed));
        assert.fail(`${parameters.app} ${outcome ? `failed with ${outcome.error}` : 'did not end'}; it noticed ${noticed}; errors: ${faults}`);
      }
      return { ...outcome, faults };
    } finally {
      await page.close();
    }
  }

  /**
   * Runs an app both ways and compares.
   * @param {Record<string, string>} parameters
   * @param {{ connections: number, connected: number[], faults?: RegExp }} expected how many connections it makes, and which of them carry something
   * @param {() => Promise<Record<string, string>>} [more] parameters that are different each time
   */
  async function compare(parameters, { connections, connected, faults = /^$/ }, more = async () => ({})) {
    const alone = await visit({ ...parameters, ...(await more()) });
    const recorded = await visit({ ...parameters, ...(await more()), endpoint: collector.url });
    assert.deepEqual(recorded.noticed, alone.noticed, 'what the app noticed, recorded and alone');
    assert.deepEqual(byConnection(recorded.witness, false), byConnection(alone.witness, false), 'calls that reached the browser, recorded and alone');
    const errors = [alone, recorded].map((outcome) => outcome.faults.map((fault) => fault.replace(/:\d+\b/g, '')).sort());
    assert.deepEqual(errors[1], errors[0], 'errors in the page, recorded and alone');
    assert.deepEqual(recorded.faults.filter((fault) => !faults.test(fault)), []);

    const stored = await storedSession(collector, recorded.session);
    assertComplete(stored);
    const { dump } = stored;
    assert.equal(connectionsOf(dump).length, connections);
    const methods = new Set(recorded.witness.map(({ method }) => method));
    const traced = dump.events
      .filter(({ method, connection }) => methods.has(method) && (connection !== null || method.startsWith('navigator.')))
      .map(({ method, connection }) => ({ method, connection: connection === null ? null : Number(connection.slice('PC_'.length)) }));
    assert.deepEqual(byConnection(traced, true), byConnection(recorded.witness, true), 'calls and events in the recording and in the browser');
    for (const number of connected) assertReports(dump, `PC_${number}`, 2);
    assert.ok(dump.events.some(({ method }) => method === 'navigator.mediaDevices.getUserMediaOnSuccess'));
    return { alone, recorded, dump };
  }

  it('with simple-peer does as it does alone, and its recording is complete', async () => {
    const { recorded } = await compare({ app: 'simple-peer' }, { connections: 2, connected: [0, 1] });
    assert.deepEqual(recorded.noticed['data of bob'], [['hello', null]]);
  });

  it('with PeerJS and its server does as it does alone, and its recording is complete', async () => {
    const server = await openPeerServer();
    try {
      const { recorded } = await compare({ app: 'peerjs', port: String(server.port) }, { connections: 8, connected: [1, 2, 3, 4, 5, 6] });
      assert.deepEqual(recorded.noticed['data json'].map(([what]) => what), ['connection', 'error', 'echo', 'close']);
    } finally {
      await server.close();
    }
  });

  for (const order of ['before', 'after']) {
    it(`with webrtc-adapter loaded ${order} the recorder does as it does alone, and its recording is complete`, async () => {
      const { recorded } = await compare({ app: 'adapter', order }, { connections: 2, connected: [0, 1] });
      assert.deepEqual(recorded.noticed.chat?.[0], ['answer', 'there and back']);
    });
  }

  for (const [parameters, what] of /** @type {const} */ ([
    [{}, 'the package as it is'],
    [{ package: 'lowered' }, 'the package lowered'],
    [{ package: 'lowered', entry: 'inline' }, 'rtctrace/inline lowered'],
  ])) {
    it(`with zone.js and ${what} does as it does alone, is as stable, and its recording is complete`, async () => {
      const { recorded } = await compare({ app: 'zone', ...parameters }, { connections: 2, connected: [0, 1] });
      assert.deepEqual(recorded.noticed.zone?.[0], ['looks at which it was not stable', 0]);
    });
  }

  it('with sora-js-sdk does as it does alone, and its recording is complete', async () => {
    const hub = await openHub();
    try {
      const nobody = async () => ({ nobody: (await Promise.all(Array.from({ length: 12 }, freePort))).join(' ') });
      const { recorded } = await compare({ app: 'sora', entry: 'inline', port: String(hub.port) }, { connections: 3, connected: [0, 2], faults: /ws:\/\/127\.0\.0\.1:\d+\/signaling/ }, nobody);
      assert.deepEqual(recorded.noticed.sendrecv?.[0]?.[0], 'error');
    } finally {
      hub.close();
    }
  });
});
