// The package as its users get it: packed by npm, installed from the tarball into an app of its own.

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const root = new URL('../..', import.meta.url).pathname;
const source = join(root, 'npm');

/**
 * npm, with a registry that has no package at all and with no one's settings: the result is the same on every machine.
 * @param {string[]} words
 * @param {string} cwd
 * @returns {Promise<{ stdout: string, stderr: string }>}
 */
export async function npm(words, cwd) {
  const folder = await mkdtemp(join(tmpdir(), 'rtctrace-npm-'));
  const registry = createServer((_, response) => response.writeHead(404, { 'content-type': 'application/json' }).end('{}'));
  await new Promise((resolve) => registry.listen(0, '127.0.0.1', () => resolve(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (registry.address());
  // Whoever runs the tests through npm hands us its settings as variables.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  try {
    await writeFile(join(folder, 'npmrc'), `registry=http://127.0.0.1:${port}/\n//127.0.0.1:${port}/:_authToken=none\nupdate-notifier=false\nfund=false\naudit=false\n`);
    return await run('npm', [...words, '--userconfig', join(folder, 'npmrc'), '--globalconfig', join(folder, 'none'), '--cache', join(folder, 'cache')], { cwd, env });
  } finally {
    registry.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {string[]} words @returns {Promise<{ filename: string, files: { path: string }[] }>} what npm says of the tarball */
export const pack = async (...words) => JSON.parse((await npm(['pack', '--json', ...words], source)).stdout)[0];

export class Installed {
  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
  }

  /** Packs the package and installs the tarball into an empty folder. */
  static async create() {
    const folder = await mkdtemp(join(tmpdir(), 'rtctrace-apps-'));
    const { filename } = await pack('--pack-destination', folder);
    await mkdir(join(folder, 'first'));
    await writeFile(join(folder, 'first/package.json'), '{ "name": "first", "private": true }');
    await npm(['install', join(folder, filename)], join(folder, 'first'));
    return new Installed(folder);
  }

  /** The package's own folder in the first app. */
  get package() {
    return join(this.folder, 'first/node_modules/rtctrace');
  }

  /**
   * A fresh app beside the others, with the package in its node_modules.
   * @param {string} name
   * @param {{ from?: string, files?: Record<string, string>, collector?: string }} contents a folder of apps/ to begin with, files by name, and
   *   what stands for wss://collector.example.org
   * @returns {Promise<string>} its folder
   */
  async app(name, { from, files = {}, collector }) {
    const app = join(this.folder, name);
    if (from) await cp(new URL(`apps/${from}`, import.meta.url).pathname, app, { recursive: true });
    await cp(join(this.folder, 'first/node_modules'), join(app, 'node_modules'), { recursive: true });
    const all = { 'package.json': JSON.stringify({ name, private: true, type: 'module' }), ...files };
    for (const [file, text] of Object.entries(all)) {
      await mkdir(dirname(join(app, file)), { recursive: true });
      await writeFile(join(app, file), text);
    }
    if (collector) {
      for (const entry of await readdir(app, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath ?? entry.path, entry.name);
        if (!entry.isFile() || path.includes('node_modules')) continue;
        await writeFile(path, (await readFile(path, 'utf8')).replaceAll('wss://collector.example.org', collector));
      }
    }
    return app;
  }

  async dispose() {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
