// The package where there is no browser: on a server that renders pages, and in test runners.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Installed } from './package.js';

const run = promisify(execFile);

describe('Node.js', () => {
  /** @type {Installed} */ let installed;
  /** @type {string} */ let app;

  before(async () => {
    installed = await Installed.create();
    app = await installed.app('node', {});
  });

  after(() => installed?.dispose());

  /** @param {string} script */
  const node = async (script) => run(process.execPath, ['--input-type=module', '--eval', script], { cwd: app });

  it('can import everything, which leaves nothing but the global script\'s own name', async () => {
    const { name, exports } = JSON.parse(await readFile(join(installed.package, 'package.json'), 'utf8'));
    const scripts = Object.entries(exports).filter(([, entry]) => entry.default?.endsWith('.js')).map(([path]) => name + path.slice(1));
    assert.ok(scripts.includes('rtctrace'));
    const { stdout, stderr } = await node(
      `const before = Reflect.ownKeys(globalThis);
      for (const script of ${JSON.stringify(scripts)}) await import(script);
      console.log(Reflect.ownKeys(globalThis).filter((name) => !before.includes(name)).join());`,
    );
    assert.deepEqual([stdout, stderr], ['rtctrace\n', '']);
  });

  for (const [name, script] of [['init', 'rtctrace'], ['start', 'rtctrace/inline']]) it(`gets a recorder from ${name} of ${script} that is closed and says why once`, async () => {
    const { stdout, stderr } = await node(
      `import { ${name} } from '${script}';
      const recorder = await ${name}({ endpoint: 'wss://collector.example.org', log: console.log });
      recorder.event('name', {});
      await recorder.close();
      console.log(recorder.state);`,
    );
    assert.match(stdout, /^rtctrace: not recording: .*RTCPeerConnection\nclosed\n$/);
    assert.equal(stderr, '');
  });
});
