// The TypeScript compiler, strict towards our declarations too.

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

// How packages are found.
export const bundlerModules = { module: 'ESNext', moduleResolution: 'Bundler' };
export const nodeModules = { module: 'Node16', moduleResolution: 'Node16' };

/**
 * Checks the .ts files of an app.
 * @param {string} app
 * @param {Record<string, string | boolean>} options how packages are found, and what is to be other than strict
 * @returns {Promise<string>} what is wrong
 */
export async function compile(app, options) {
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2022', 'DOM'],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    // The browser's own declarations are not what is tested.
    skipDefaultLibCheck: true,
    noEmit: true,
    ...options,
  };
  await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  return new Promise((resolve) => execFile(process.execPath, [tsc, '--project', app], (_, output) => resolve(output)));
}
