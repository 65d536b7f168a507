// Runs the unit tests of the TypeScript model: bundled, because Node.js 20 reads no TypeScript, then given to its test runner.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'dump-viewer-test-'));
let status = 1;
try {
  const input = readdirSync(here).filter((name) => name.endsWith('.test.ts')).map((name) => join(here, name));
  const bundle = await rolldown({ input, platform: 'node', external: [/^node:/] });
  await bundle.write({ dir: out, entryFileNames: '[name].mjs', chunkFileNames: 'chunk-[hash].mjs' });
  const tests = readdirSync(out).filter((name) => name.endsWith('.test.mjs')).map((name) => join(out, name));
  status = spawnSync(process.execPath, ['--test', '--test-reporter=spec', ...tests], { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(out, { recursive: true });
}
process.exitCode = status;
