// A database of its own for a test: on the server that RTCTRACE_TEST_DATABASE_URL names, else on one that goes with the test.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import pg from 'pg';

const root = new URL('../..', import.meta.url).pathname;

/** @param {string} name */
const identifier = (name) => pg.escapeIdentifier(name);

/** Runs one query after the other over a connection. @param {string} url @param {(client: pg.Client) => Promise<any>} use */
async function connected(url, use) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Starts a server. It ends when its standard input does, however this process ends. */
async function startServer() {
  const script = spawn('bash', [`${root}scripts/timescale.sh`], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: script.stdout })[Symbol.asyncIterator]();
  const { value: url } = await lines.next();
  if (!url) throw new Error('scripts/timescale.sh gave no URL; what it said is above');
  const stop = () => /** @type {Promise<void>} */ (new Promise((resolve) => {
    script.once('exit', () => resolve());
    script.stdin.end();
  }));
  return { url: String(url), stop };
}

export class TimescaleDatabase {
  /** @param {{url: string, stop: () => Promise<void>}} server @param {string} name @param {boolean} hasRoles */
  constructor(server, name, hasRoles) {
    this.server = server;
    this.name = name;
    /** Whether the collector's and Grafana's roles are those that deploy/ makes; else all of them are the server's own. */
    this.hasRoles = hasRoles;
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    this.url = url.href;
    this.collectorUrl = this.#urlOf('owner');
    this.grafanaUrl = this.#urlOf('reader');
  }

  /** @param {string} role */
  #urlOf(role) {
    const url = new URL(this.url);
    if (this.hasRoles) {
      url.username = `${this.name}_${role}`;
      url.password = this.name;
    }
    return url.href;
  }

  static async start() {
    const named = process.env.RTCTRACE_TEST_DATABASE_URL;
    const server = named ? { url: named, stop: async () => {} } : await startServer();
    const name = `rtctrace_test_${randomBytes(8).toString('hex')}`;
    const hasRoles = await connected(server.url, async (client) => {
      await client.query(`CREATE DATABASE ${identifier(name)}`);
      return (await client.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).rows[0].rolsuper;
    });
    const database = new TimescaleDatabase(server, name, hasRoles);
    try {
      if (hasRoles) await database.#makeRoles();
    } catch (error) {
      // Nobody else can: a server that is left would keep the test from ending.
      await database.dispose();
      throw error;
    }
    return database;
  }

  /** As deploy/ makes them, under names of this database. */
  async #makeRoles() {
    const text = await readFile(`${root}deploy/timescaledb/roles.sql`, 'utf8');
    const sql = text
      .replace(/^(--|\\).*$/gm, '')
      .replace(/:'\w+'/g, pg.escapeLiteral(this.name))
      .replace(/\bDATABASE rtctrace\b/g, `DATABASE ${identifier(this.name)}`)
      .replace(/\brtctrace\b/g, identifier(`${this.name}_owner`))
      .replace(/\bgrafana\b/g, identifier(`${this.name}_reader`));
    await connected(this.url, (client) => client.query(sql));
  }

  /** The end of the test: nothing stays. */
  async dispose() {
    await connected(this.server.url, async (client) => {
      await client.query(`DROP DATABASE IF EXISTS ${identifier(this.name)} WITH (FORCE)`);
      for (const role of this.hasRoles ? ['owner', 'reader'] : []) await client.query(`DROP ROLE IF EXISTS ${identifier(`${this.name}_${role}`)}`);
    });
    await this.server.stop();
  }
}
