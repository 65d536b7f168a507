// The examples of the README, as they stand there, but for the address of the collector.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';

import { openBrowser, until, withPage } from './harness.js';

const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...text.matchAll(/```(js|html)\n(.*?)```/gs)].map(([, language, code]) => ({ language, code }));
const imports = { rtctrace: '/index.js', 'rtctrace/inline': '/inline.js', 'rtctrace/rtcstats': '/rtcstats.js' };

describe('an example of the README', () => {
  let browser;
  before(async () => void (browser = await openBrowser()));
  after(() => browser?.close());

  for (const [index, { language, code }] of examples.entries()) {
    it(`runs: number ${index + 1}, ${language}`, () =>
      withPage(browser, async (page, collector) => {
        const errors = [];
        page.on('pageerror', (error) => errors.push(String(error)));
        page.on('console', (message) => message.type() === 'warning' && errors.push(message.text()));
        collector.pages.set('/recording-token', 'a token');
        const local = code.replaceAll('wss://collector.example.org', collector.url.replace('http', 'ws'));
        const body =
          language === 'html'
            ? local
            : `<script type="importmap">${JSON.stringify({ imports })}</script>
               <script type="module">${local}
                 window.done = true;
                 globalThis.connected?.({ connectionId: 'C0FFEE', channelId: 'blue' });
               </script>`.replace('function connected(', 'globalThis.connected = function (');
        // A session that is left out opens no socket, as it should; this one is in.
        collector.pages.set('/example', `<!doctype html><title>page</title><link rel="icon" href="data:,">${body.replace('sampleRate: 0.1', 'sampleRate: 1')}`);
        await page.goto(`${collector.url}/example`);
        if (language === 'js') await until(() => page.evaluate(() => window.done));
        await until(() => collector.connections > 0);
        assert.deepEqual(errors, []);
      }));
  }

  it('says how large the package is', () => {
    const [, own, module, inline, global] = /\*\*Size\*\*[^:]*: ([\d.]+) KB .*? ([\d.]+) KB; ([\d.]+) KB .*? and ([\d.]+) KB/.exec(text).map(Number);
    const size = (...names) => names.reduce((sum, name) => sum + gzipSync(readFileSync(new URL(`../dist/${name}`, import.meta.url)), { level: 9 }).length / 1000, 0);
    const sizes = [[own, size('index.js', 'rtctrace_bg.wasm')], [module, size('rtctrace_bg.wasm')], [inline, size('inline.js')], [global, size('rtctrace.global.js')]];
    for (const [said, is] of sizes) assert.ok(Math.abs(said - is) < 0.3, `${said} KB: ${is}`);
  });

  it('names every option and every member of the recorder', () => {
    const source = (name) => readFileSync(new URL(`../src/${name}.ts`, import.meta.url), 'utf8');
    const [, options] = /interface RtctraceOptions \{(.*?)\n\}/s.exec(source('options'));
    const [, members] = /interface Recorder extends EventTarget \{(.*?)\n\}/s.exec(source('recorder'));
    const names = [options, members].flatMap((body) => [...body.matchAll(/^ {2}(?:readonly )?(\w+)[?(:]/gm)].map(([, name]) => name));
    assert.ok(names.length > 18, names.join());
    assert.deepEqual(names.filter((name) => !new RegExp(`\\| \`${name}[\`(]`).test(text)), []);
  });
});
