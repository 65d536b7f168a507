// A real browser with fake camera and microphone, and a fresh profile: Chromium, or Firefox where BROWSER says so. Both are the
// machine's own and are driven through one interface, Playwright's: Chromium over its devtools protocol, Firefox over the WebDriver
// BiDi that it serves itself, so neither a driver program nor a patched browser is needed.

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, firefox } from 'playwright-core';

/** @typedef {'chromium' | 'firefox'} BrowserName */

/** @type {Record<BrowserName, { variable: string, programs: string[] }>} */
const known = {
  chromium: { variable: 'CHROMIUM', programs: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'] },
  firefox: { variable: 'FIREFOX', programs: ['firefox-esr', 'firefox'] },
};
export const resultsDir = new URL('../results/', import.meta.url).pathname;

/** The browser under test. @type {BrowserName} */
export const browserName = /** @type {any} */ (process.env.BROWSER || 'chromium');
if (!(browserName in known)) throw new Error(`BROWSER is ${browserName}, which is none of ${Object.keys(known).join(', ')}`);

/** How its name in lists and user agents begins. */
export const browserLabel = { chromium: 'Chrom', firefox: 'Firefox' }[browserName];

/** @param {BrowserName} name @returns {string} the program, from CHROMIUM or FIREFOX or the PATH */
export function browserPath(name) {
  const { variable, programs } = known[name];
  const given = process.env[variable];
  if (given) return given;
  for (const program of programs) {
    try {
      return execFileSync('sh', ['-c', 'command -v "$0"', program], { encoding: 'utf8' }).trim();
    } catch {
      // not this one
    }
  }
  throw new Error(`none of ${programs.join(', ')} is on the PATH, and ${variable} is not set`);
}

/**
 * @typedef {object} Browser
 * @property {BrowserName} name
 * @property {import('playwright-core').BrowserContext} context
 * @property {() => Promise<void>} close
 */

/**
 * @param {BrowserName} [name]
 * @param {{ pageCache?: boolean, args?: string[] }} [options] pageCache: with the back-forward cache; args: further ones of Chromium's
 * @returns {Promise<Browser>}
 */
export function openBrowser(name = browserName, { pageCache = false, args = [] } = {}) {
  return name === 'firefox' ? openFirefox() : openChromium(pageCache, args);
}

const viewport = { width: 1280, height: 900 };

/** @param {boolean} pageCache @param {string[]} args @returns {Promise<Browser>} */
async function openChromium(pageCache, args) {
  const profile = await mkdtemp(join(tmpdir(), 'rtctrace-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: browserPath('chromium'),
    headless: true,
    viewport,
    ignoreDefaultArgs: pageCache ? ['--disable-back-forward-cache'] : [],
    permissions: ['camera', 'microphone'],
    args: [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--autoplay-policy=no-user-gesture-required',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--js-flags=--expose-gc',
      ...args,
    ],
  });
  return {
    name: 'chromium',
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** @returns {Promise<Browser>} */
async function openFirefox() {
  const browser = await firefox.launch({
    channel: 'moz-firefox',
    executablePath: browserPath('firefox'),
    headless: true,
    firefoxUserPrefs: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.autoplay.default': 0,
      // A test's one click is good for all that wants one.
      'dom.user_activation.transient.timeout': 60_000,
      // Both ends of a call are in one page, without a network beyond this machine.
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
    },
  });
  const context = await browser.newContext({ viewport });
  return { name: 'firefox', context, close: () => browser.close() };
}

/** A page whose uncaught errors are collected. @param {Browser} browser */
export async function openPage(browser) {
  const page = await browser.context.newPage();
  /** @type {string[]} */
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`${message.text()} (${message.location().url})`);
  });
  return { page, faults };
}

/** @param {import('playwright-core').Page} page @param {string} name */
export async function screenshot(page, name) {
  mkdirSync(resultsDir, { recursive: true });
  await page.screenshot({ path: `${resultsDir}${name}.png`, fullPage: true });
}
