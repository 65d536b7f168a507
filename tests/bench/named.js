// A build of the client to be profiled: names kept, nothing minified. The module is npm/build's, or the one that is given.

import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { rolldown } from 'rolldown';

const root = new URL('../..', import.meta.url).pathname;

/** @param {string} folder where to put it @param {string} [wasm] a module with names */
export async function buildNamed(folder, wasm = `${root}npm/build/rtctrace_bg.wasm`) {
  mkdirSync(folder, { recursive: true });
  const inlined = {
    name: 'rtctrace:module',
    resolveId: (/** @type {string} */ id) => (id === 'rtctrace:module' ? id : null),
    load: (/** @type {string} */ id) => (id === 'rtctrace:module' ? `export const hex = '${readFileSync(wasm, 'hex')}';` : null),
  };
  for (const name of ['index', 'inline']) {
    const bundle = await rolldown({ input: `${root}npm/src/${name}.ts`, platform: 'browser', plugins: [inlined], resolve: { extensionAlias: { '.js': ['.ts', '.js'] } } });
    await bundle.write({ file: `${folder}/${name}.js`, format: 'esm', codeSplitting: false });
    await bundle.close();
  }
  cpSync(wasm, `${folder}/rtctrace_bg.wasm`);
}
