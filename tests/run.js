// Runs the tests in browsers one file after the other: each starts a collector and a browser, and measures time. BROWSER=firefox
// runs what depends on the browser that is recorded.

import { readdirSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { browserName } from './harness/browser.js';

const folders = ['e2e', 'apps', 'grafana', 'packaging', 'transparency'];
/** Tests of dumps, of dashboards, of the viewer and of bundlers are the same for every browser; times are measured in one. */
const once = ['e2e/bench', 'e2e/decoder', 'e2e/size', 'e2e/upstream', 'e2e/viewer', 'grafana/', 'packaging/'];
const wanted = process.argv.slice(2);
const files = folders
  .flatMap((folder) => readdirSync(new URL(`${folder}/`, import.meta.url)).sort().map((name) => `${folder}/${name}`))
  .filter((name) => name.endsWith('.test.js') && (wanted.length === 0 || wanted.some((part) => name.includes(part))))
  .filter((name) => browserName === 'chromium' || !once.some((part) => name.startsWith(part)))
  .map((name) => new URL(name, import.meta.url).pathname);

// A test that fails may leave its browser open, which must not hold up the rest.
run({ files, concurrency: 1, timeout: 600_000 })
  .on('test:fail', ({ todo }) => {
    if (todo === undefined || todo === false) process.exitCode = 1;
  })
  .compose(new spec())
  .pipe(process.stdout);
