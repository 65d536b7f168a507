// Pages of the viewer for the tests of a suite: a new one for each, with a collector behind them, or as the folder of files that it is.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { openBrowser, openPage } from './browser.js';
import { Collector } from './collector.js';
import { openSite } from './site.js';

const dist = new URL('../../dump-viewer/dist/', import.meta.url).pathname;

/** @typedef {{ name: string, mimeType: string, buffer: Buffer }} Chosen */

/** A file to be chosen. @param {string} name @param {string | Buffer} content @returns {Chosen} */
export const file = (name, content) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) });

/** What a page of the viewer is to a test. */
export class ViewerPage {
  /** @param {import('playwright-core').Page} page @param {string[]} faults @param {string} url */
  constructor(page, faults, url) {
    this.page = page;
    this.faults = faults;
    /** Of what it asked for, that is not of its own origin. @type {string[]} */
    this.foreign = [];
    page.on('request', (request) => /^https?:/.test(request.url()) && !request.url().startsWith(url) && this.foreign.push(request.url()));
  }

  /** @param {Chosen[]} files */
  choose = (...files) => this.page.locator('[data-testid=file-input]').setInputFiles(files);

  /** Nothing went wrong, but that there is no collector where there are only files. */
  assertClean = () => assert.deepEqual([this.faults.filter((fault) => !fault.includes('/api/v1/')), this.foreign], [[], []]);
}

/**
 * To be called by a suite, which it starts and stops a browser for, and a collector, or a server of the files alone.
 * @param {{ collector: boolean }} wanted
 */
export function viewerPages(wanted) {
  /** @type {import('./browser.js').Browser} */ let browser;
  /** @type {Collector | undefined} */ let collector;
  /** @type {import('./site.js').Site | undefined} */ let site;
  /** @type {ViewerPage | undefined} */ let opened;

  before(async () => {
    const collecting = wanted.collector ? Collector.start().then((started) => (collector = started)) : openSite({ folders: { '/': dist } }).then((served) => (site = served));
    [browser] = await Promise.all([openBrowser(), collecting]);
  });

  after(async () => {
    await browser?.close();
    await collector?.dispose();
    await site?.close();
  });

  /** Where the viewer is. */
  const url = () => collector?.url ?? `${site?.url}/index.html`;

  return {
    url,
    /** Closes the page before, and opens another one at the beginning. */
    async open() {
      await opened?.page.close();
      const { page, faults } = await openPage(browser);
      opened = new ViewerPage(page, faults, collector?.url ?? site?.url ?? '');
      await page.goto(url());
      return opened;
    },
  };
}
