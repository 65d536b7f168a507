// Builds dist/: one minified file for each way into the package, their types, and the module. The module's own build is
// `cargo xtask wasm client`, which leaves build/.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { rolldown } from 'rolldown';

/** What a page downloads, module and script, as gzip -9 makes them; and what all drop-in faces may add to it. */
const LIMIT = 40 * 1024;
const FACES_LIMIT = 3 * 1024;

/** From source to file. A file stands alone: no chunk that a plain page would have to find. */
const ENTRIES = [
  { source: 'index.ts', file: 'index.js' },
  { source: 'inline.ts', file: 'inline.js' },
  { source: 'global.ts', file: 'rtctrace.global.js', format: 'iife' },
  { source: 'rtcstats.ts', file: 'rtcstats.js' },
  { source: 'jitsi/rtcstats.ts', file: 'jitsi/rtcstats.js' },
  { source: 'jitsi/trace-ws.ts', file: 'jitsi/trace-ws.js' },
  { source: 'jitsi/events.ts', file: 'jitsi/events.js' },
];
/**
 * For V8 (Chrome 136): compile all functions while the script loads, in the background. Most run at the start, and compiled one by one
 * when first called they would take half of the time for which the start holds up the page.
 */
const COMPILE_HINT = '//# allFunctionsCalledOnLoad';
const FACES = ['rtcstats.ts', 'jitsi/rtcstats.ts', 'jitsi/trace-ws.ts', 'jitsi/events.ts'];

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, 'dist');
const wasm = join(here, 'build', 'rtctrace_bg.wasm');
if (!existsSync(wasm)) {
  console.error('npm/build is missing: run `cargo xtask wasm client` first');
  process.exit(1);
}

/** The module's bytes as a module of JavaScript. */
const hex = readFileSync(wasm, 'hex');
const inlined = {
  name: 'rtctrace:module',
  resolveId: (id) => (id === 'rtctrace:module' ? id : null),
  load: (id) => (id === 'rtctrace:module' ? `export const hex = '${hex}';` : null),
};

rmSync(dist, { recursive: true, force: true });
for (const { source, file, format = 'esm' } of ENTRIES) {
  const input = join(here, 'src', source);
  if (!existsSync(input)) continue;
  const bundle = await rolldown({
    input,
    platform: 'browser',
    cwd: here,
    plugins: [inlined],
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  });
  await bundle.write({ file: join(dist, file), format, minify: true, comments: false, codeSplitting: false, postBanner: COMPILE_HINT });
  await bundle.close();
}

copyFileSync(wasm, join(dist, 'rtctrace_bg.wasm'));
// A package carries the licence in its own root, and those of what is in the module. They lie among the sources of this build, so
// they are no newer than what they are copies of: a build that finds nothing changed has nothing to do.
for (const [from, name] of [['../LICENSE', 'LICENSE'], ['build/THIRD-PARTY-NOTICES', 'THIRD-PARTY-NOTICES']]) {
  const source = join(here, from);
  const { atime, mtime } = statSync(source);
  copyFileSync(source, join(here, name));
  utimesSync(join(here, name), atime, mtime);
}

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
execFileSync(
  process.execPath,
  [tsc, '--project', here, '--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', dist, '--rootDir', join(here, 'src')],
  { stdio: 'inherit' },
);

// Types of what no way in leads to are nobody's business.
const wanted = new Set();
const want = (file) => {
  if (wanted.has(file) || !existsSync(file)) return;
  wanted.add(file);
  for (const [, path] of readFileSync(file, 'utf8').matchAll(/from '(\.[^']*)\.js'/g)) want(resolve(dirname(file), `${path}.d.ts`));
};
for (const { source } of ENTRIES) want(join(dist, source.replace(/ts$/, 'd.ts')));
for (const name of readdirSync(dist, { recursive: true })) {
  const file = join(dist, name);
  if (name.endsWith('.d.ts') && !wanted.has(file)) rmSync(file);
}

/** The size of one script that exports what all of these do, and has the module elsewhere. */
async function joint(sources) {
  const entry = 'joint.js';
  const hasDefault = (source) => readFileSync(join(here, 'src', source), 'utf8').includes('export default');
  const code = sources.map((source, index) => `export ${hasDefault(source) ? `{ default as face${index} }` : '*'} from './src/${source}';`).join('');
  const bundle = await rolldown({
    input: entry,
    platform: 'browser',
    cwd: here,
    external: ['rtctrace:module'],
    plugins: [{ name: entry, resolveId: (id) => (id === entry ? join(here, entry) : null), load: (id) => (id === join(here, entry) ? code : null) }],
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true, comments: false });
  await bundle.close();
  return gzip(output[0].code);
}

const gzip = (content) => gzipSync(content, { level: 9 }).length;
const files = ['rtctrace_bg.wasm', ...ENTRIES.map(({ file }) => file)].filter((name) => existsSync(join(dist, name)));
const scripts = new Map();
for (const name of files) {
  const content = readFileSync(join(dist, name));
  console.log(`npm/dist/${name}: ${content.length} bytes, ${gzip(content)} gzip`);
  // Without the module where that is inside.
  scripts.set(name, gzip(name.endsWith('.js') ? String(content).replace(hex, '') : content));
}
const total = scripts.get('rtctrace_bg.wasm') + scripts.get('index.js');
console.log(`module and index.js together: ${total} bytes gzip, limit ${LIMIT}`);
let isTooLarge = total > LIMIT;
const own = await joint(['inline.ts']);
const more = (await joint(['inline.ts', ...FACES])) - own;
console.log(`the drop-in faces together: ${more} bytes gzip more than inline.js without the module, limit ${FACES_LIMIT}`);
isTooLarge ||= more > FACES_LIMIT;
if (isTooLarge) {
  console.error('the client has outgrown its limit');
  process.exit(1);
}
