// The collector under test: the real binary, on a port and a data folder of its own.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './wait.js';

const root = new URL('../..', import.meta.url).pathname;
export const collectorBinary = process.env.COLLECTOR ?? `${root}target/debug/rtctrace`;

/** @returns {Promise<number>} a port that was free a moment ago */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

export class Collector {
  /** @type {import('node:child_process').ChildProcess | null} */
  #process = null;
  /** All that it wrote to its standard outputs. */
  output = '';

  /** @param {number} port @param {string} dataDir @param {Record<string, string>} settings @param {string[]} flags */
  constructor(port, dataDir, settings, flags) {
    this.port = port;
    this.dataDir = dataDir;
    this.settings = settings;
    this.flags = flags;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts one over an empty data folder. @param {Record<string, string>} [settings] RTCTRACE_* variables @param {string[]} [flags] */
  static async start(settings = {}, flags = []) {
    if (!existsSync(collectorBinary)) throw new Error(`no collector at ${collectorBinary}: run "cargo build" first, or set COLLECTOR`);
    const dataDir = await mkdtemp(join(tmpdir(), 'rtctrace-test-'));
    const collector = new Collector(await freePort(), dataDir, settings, flags);
    await collector.run();
    return collector;
  }

  /** Starts it, or starts it again over the same data. */
  async run() {
    // Settings of the person who runs the tests must not reach the collector under test.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RTCTRACE_')));
    const child = spawn(collectorBinary, ['serve', ...this.flags], {
      cwd: root,
      env: { ...env, RTCTRACE_LISTEN: `127.0.0.1:${this.port}`, RTCTRACE_DATA_DIR: this.dataDir, ...this.settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (this.output += text));
    await until('the collector answers', 20_000, async () => {
      if (child.exitCode !== null) throw new Error(`the collector ended with ${child.exitCode}:\n${this.output}`);
      return (await fetch(`${this.url}/healthz`).catch(() => null))?.ok;
    });
  }

  /** @param {NodeJS.Signals} signal */
  async #end(signal) {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  /** What a power cut looks like from inside. */
  async crash() {
    await this.#end('SIGKILL');
  }

  /** An orderly end; the data stay. */
  async stop() {
    await this.#end('SIGTERM');
  }

  /** The end of the test: nothing stays. */
  async dispose() {
    await this.#end('SIGKILL');
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** @param {string} path @returns {Promise<any>} */
  async json(path) {
    const answer = await fetch(this.url + path);
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  /** Gives it a dump from elsewhere. @param {BodyInit} dump @returns {Promise<string>} its session */
  async upload(dump) {
    const answer = await fetch(`${this.url}/api/v1/dumps`, { method: 'POST', body: dump });
    if (answer.status !== 201) throw new Error(`an upload was answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()).dumps[0].session;
  }

  /** @returns {Promise<any[]>} the newest sessions */
  async sessions() {
    return (await this.json('/api/v1/sessions?limit=50')).sessions;
  }

  /**
   * Waits until a session has ended and its dump is stored, and returns what the API says of it.
   * @param {(session: any) => boolean} which
   * @param {number} [timeout] ms
   */
  async endedSession(which, timeout = 10_000) {
    return until('the session has ended', timeout, async () => {
      const session = (await this.sessions()).find(which);
      return session?.state === 'ended' && session.dumpBytes !== null ? session : null;
    });
  }

  /** Where the stored dump of a session lies. @param {string} id @param {string} startTime RFC 3339 */
  dumpPath(id, startTime) {
    const [year, month, day] = startTime.slice(0, 10).split('-');
    return join(this.dataDir, 'dumps', year, month, day, `${id}.jsonl.gz`);
  }
}
