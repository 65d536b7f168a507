// Runs the tests in browsers: each file starts a collector and a browser, and most of them wait most of the time, so two files run at
// a time; what measures time runs alone. BROWSER=firefox runs what depends on the browser that is recorded.

import { readdirSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { browserName } from './harness/browser.js';

const folders = ['e2e', 'apps', 'grafana', 'packaging', 'transparency'];
/** Tests of dumps, of dashboards, of the viewer and of bundlers are the same for every browser; times are measured in one. */
const once = ['e2e/bench', 'e2e/decoder', 'e2e/size', 'e2e/upstream', 'e2e/viewer', 'grafana/', 'packaging/'];
/** These measure time. @param {string} name */
const alone = (name) => name.includes('/e2e/bench');
const wanted = process.argv.slice(2);
const files = folders
  .flatMap((folder) => readdirSync(new URL(`${folder}/`, import.meta.url)).sort().map((name) => `${folder}/${name}`))
  .filter((name) => name.endsWith('.test.js') && (wanted.length === 0 || wanted.some((part) => name.includes(part))))
  .filter((name) => browserName === 'chromium' || !once.some((part) => name.startsWith(part)))
  .map((name) => new URL(name, import.meta.url).pathname);

/** Runs files, so many at a time. @param {string[]} files @param {number} concurrency */
async function runFiles(files, concurrency) {
  if (files.length === 0) return;
  // A test that fails may leave its browser open, which must not hold up the rest.
  const results = run({ files, concurrency, timeout: 600_000 }).on('test:fail', ({ todo }) => {
    if (todo === undefined || todo === false) process.exitCode = 1;
  });
  for await (const text of results.compose(new spec())) process.stdout.write(text);
}

await runFiles(files.filter(alone), 1);
await runFiles(
  files.filter((name) => !alone(name)),
  2,
);
