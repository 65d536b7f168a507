// What would be published.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { npm, pack, root } from './package.js';

const manifest = JSON.parse(readFileSync(join(root, 'npm/package.json'), 'utf8'));

/** The files that an entry of `exports` names. @param {any} entry @returns {string[]} */
const targets = (entry) => (typeof entry === 'string' ? [entry.replace('./', '')] : Object.values(entry).flatMap(targets));

describe('the tarball', () => {
  /** @type {string[]} */ let files;

  before(async () => {
    files = (await pack('--dry-run')).files.map(({ path }) => path);
  });

  it('holds what was built, the README and the licences, and nothing else', () => {
    assert.deepEqual(files.filter((path) => !/^dist\/[\w./-]+\.(js|d\.ts|wasm)$/.test(path)).sort(), ['LICENSE', 'README.md', 'THIRD-PARTY-NOTICES', 'package.json']);
    assert.equal(readFileSync(join(root, 'npm/LICENSE'), 'utf8'), readFileSync(join(root, 'LICENSE'), 'utf8'));
  });

  it('names those whose code is in the module, with their licences', () => {
    const notices = readFileSync(join(root, 'npm/THIRD-PARTY-NOTICES'), 'utf8');
    for (const name of ['Rust standard library', 'rlsf', 'const-default', 'wasm-bindgen']) assert.match(notices, new RegExp(`^${name} .*\\((MIT|.*Apache-2\\.0)\\) https://`, 'm'));
    assert.match(notices, /Permission is hereby granted/);
    assert.doesNotMatch(notices, /rtctrace/);
  });

  it('holds every file that the package exports', () => {
    const named = [...Object.values(manifest.exports), manifest.main, manifest.types].flatMap(targets);
    assert.deepEqual(named.filter((path) => !files.includes(path)), []);
  });

  it('holds types of every script that the package exports', () => {
    for (const [name, entry] of Object.entries(manifest.exports)) {
      if (!targets(entry).some((path) => path.endsWith('.js'))) continue;
      // TypeScript takes the first condition that it knows.
      assert.equal(Object.keys(entry)[0], 'types', name);
      assert.match(entry.types, /\.d\.ts$/, name);
    }
  });

  it('holds no map and no path of the machine that built it', () => {
    for (const path of files.filter((name) => name.endsWith('.js') || name.endsWith('.wasm') || name.startsWith('THIRD'))) {
      const text = readFileSync(join(root, 'npm', path), 'latin1');
      assert.ok(!text.includes('sourceMappingURL'), path);
      for (const part of [root, process.env.HOME]) assert.ok(!part || part === '/' || !text.includes(part), `${part} in ${path}`);
    }
  });
});

it('npm publish has nothing to complain about', async () => {
  const { stderr } = await npm(['publish', '--dry-run'], join(root, 'npm'));
  const complaints = stderr.split('\n').filter((line) => /warn|error/i.test(line));
  // Said of every dry run by those who have no account at the registry, which here is one of the test's own.
  assert.deepEqual(complaints.filter((line) => !line.includes('logged in to')), []);
  assert.match(stderr, new RegExp(`name: ${manifest.name}\\n`));
});
