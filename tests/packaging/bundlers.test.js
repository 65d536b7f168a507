// The package in apps of its users: built by their bundlers or used without one, opened in a browser, and recording a call.

import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openBrowser, openPage } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { assertComplete, assertReports, connectionsOf, methodsOf, storedSession } from '../harness/session.js';
import { openSite } from '../harness/site.js';
import { buildWithEsbuild, buildWithVite, buildWithWebpack, serveWithVite } from './bundlers.js';
import { Installed } from './package.js';

/** @typedef {{ url: string, close: () => Promise<void> }} Site */

/** @param {string} folder */
const serve = (folder) => openSite({ folders: { '/': folder } });

/** Each builds an app and serves it. @type {Record<string, { from: string, page?: string, open: (app: string) => Promise<Site> }>} */
const apps = {
  'Vite': { from: 'vite', open: async (app) => serve(await buildWithVite(app)) },
  'the development server of Vite': { from: 'vite', open: serveWithVite },
  'webpack': { from: 'webpack', open: async (app) => serve(await buildWithWebpack(app)) },
  'esbuild, with the module inside': { from: 'esbuild', page: 'inline.html', open: async (app) => serve(await buildWithEsbuild(app, 'inline.js')) },
  'esbuild, with the URL of the module': {
    from: 'esbuild',
    page: 'url.html',
    open: async (app) => serve(await buildWithEsbuild(app, 'url.js', { format: 'esm', loader: { '.wasm': 'file' }, publicPath: '/dist' })),
  },
  'a plain page with a module script': { from: 'plain', open: serve },
  'a plain page with the global script': { from: 'global', open: serve },
};

describe('an app with the package from its tarball', { concurrency: 3 }, () => {
  /** @type {Collector} */ let collector;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  /** @type {Installed} */ let installed;

  before(async () => {
    collector = await Collector.start();
    [browser, installed] = await Promise.all([openBrowser(), Installed.create()]);
  });

  after(async () => {
    await browser?.close();
    await installed?.dispose();
    await collector?.dispose();
  });

  for (const [index, [name, { from, page: path = 'index.html', open }]] of Object.entries(apps).entries()) {
    it(`records with ${name}`, async () => {
      const app = await installed.app(`app-${index}`, { from, collector: collector.url });
      const script = new URL('apps/call.js', import.meta.url).pathname;
      await copyFile(script, join(app, ['plain', 'global'].includes(from) ? 'call.js' : 'src/call.js'));
      const site = await open(app);
      const { page, faults } = await openPage(browser);
      try {
        await page.goto(`${site.url}/${path}`);
        await page.waitForFunction(() => 'finished' in window, null, { timeout: 10_000 }).catch((error) => assert.deepEqual(faults, [], String(error)));
        const id = await page.evaluate(() => /** @type {any} */ (window).finished);
        assert.deepEqual(faults, []);

        const stored = await storedSession(collector, id);
        assert.equal(stored.session.origin, site.url);
        assertComplete(stored);
        const { dump } = stored;
        assert.deepEqual(connectionsOf(dump), ['PC_0', 'PC_1']);
        const media = dump.events.find(({ method }) => method === 'navigator.mediaDevices.getUserMediaOnSuccess');
        assert.deepEqual(media?.value.map((/** @type {string[]} */ [kind]) => kind).sort(), ['audio', 'video']);
        for (const connection of connectionsOf(dump)) {
          const methods = methodsOf(dump, connection);
          assert.equal(methods[0], 'create');
          assert.ok(methods.includes('close'));
          for (const method of ['setLocalDescription', 'setRemoteDescription', 'onicecandidate', 'onconnectionstatechange', 'addIceCandidate']) {
            assert.ok(methods.includes(method), `${method} of ${connection}`);
          }
          assertReports(dump, connection, 3);
        }
      } finally {
        await page.close();
        await site.close();
      }
    });
  }
});
