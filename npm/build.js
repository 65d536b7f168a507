// Builds dist/: index.js (face and glue in one minified file), index.d.ts, and the module beside them. The module's own
// build is `cargo xtask wasm client`, which leaves build/.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { rolldown } from 'rolldown';

/** What a page downloads: module and glue, as gzip -9 makes them. */
const LIMIT = 60 * 1024;

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, 'dist');
const wasm = join(here, 'build', 'rtctrace_bg.wasm');
if (!existsSync(wasm)) {
  console.error('npm/build is missing: run `cargo xtask wasm client` first');
  process.exit(1);
}

rmSync(dist, { recursive: true, force: true });
const bundle = await rolldown({ input: join(here, 'src/index.ts'), platform: 'browser', cwd: here });
await bundle.write({ file: join(dist, 'index.js'), format: 'esm', minify: true, comments: false });
await bundle.close();

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
execFileSync(
  process.execPath,
  [tsc, '--project', here, '--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', dist, '--rootDir', join(here, 'src')],
  { stdio: 'inherit' },
);
copyFileSync(wasm, join(dist, 'rtctrace_bg.wasm'));

const sizes = ['rtctrace_bg.wasm', 'index.js'].map((name) => {
  const file = join(dist, name);
  return { name, raw: statSync(file).size, gzip: gzipSync(readFileSync(file), { level: 9 }).length };
});
const total = sizes.reduce((sum, { gzip }) => sum + gzip, 0);
for (const { name, raw, gzip } of sizes) console.log(`npm/dist/${name}: ${raw} bytes, ${gzip} gzip`);
console.log(`together ${total} bytes gzip, limit ${LIMIT}`);
if (total > LIMIT) {
  console.error('the client has outgrown its limit');
  process.exit(1);
}
