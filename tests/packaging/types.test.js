// The types as an app sees them that is checked as strictly as TypeScript can, our declarations included.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Installed, root } from './package.js';
import { bundlerModules, compile, nodeModules } from './typescript.js';

describe('an app in TypeScript', { concurrency: true }, () => {
  /** @type {Installed} */ let installed;
  /** @type {string} */ let every;

  before(async () => {
    installed = await Installed.create();
    const { name, exports } = JSON.parse(await readFile(join(installed.package, 'package.json'), 'utf8'));
    const paths = Object.keys(exports).filter((path) => exports[path].types);
    every = paths.map((path, index) => `export * as n${index} from '${name}${path.slice(1)}';\n`).join('');
  });

  after(() => installed?.dispose());

  for (const [name, modules] of Object.entries({ 'a bundler': bundlerModules, 'Node.js': nodeModules })) {
    it(`type-checks with the modules of ${name}`, async () => {
      const app = await installed.app(`types-${modules.moduleResolution}`, { from: 'types', files: { 'every.ts': every } });
      assert.equal(await compile(app, modules), '');
    });
  }

  it('type-checks with the examples of the README, annotations apart', async () => {
    const readme = await readFile(join(root, 'npm/README.md'), 'utf8');
    const files = Object.fromEntries([...readme.matchAll(/^```[jt]s\n(.*?)^```/gms)].map(([, text = ''], index) => [`example-${index}.ts`, text]));
    assert.ok('example-4.ts' in files);
    const app = await installed.app('readme', { files });
    assert.equal(await compile(app, { ...bundlerModules, noImplicitAny: false }), '');
  });
});
