// Reads the collector's SQLite database, through SQLite compiled to wasm: nothing to install.

import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sqlite from 'node-sqlite3-wasm';

/**
 * Runs queries on a copy, so that the collector's locks are left alone. The write-ahead log is copied too.
 * @template T
 * @param {string} path
 * @param {(query: (sql: string, ...values: any[]) => Record<string, any>[]) => T} use
 */
export async function readDatabase(path, use) {
  const folder = await mkdtemp(join(tmpdir(), 'rtctrace-database-'));
  const copy = join(folder, 'copy.db');
  await copyFile(path, copy);
  await copyFile(`${path}-wal`, `${copy}-wal`).catch(() => null);
  const database = new sqlite.Database(copy);
  try {
    // Without shared memory, a write-ahead log can be read by a connection that has the file to itself.
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    return use((sql, ...values) => /** @type {Record<string, any>[]} */ (database.all(sql, values)));
  } finally {
    database.close();
    await rm(folder, { recursive: true, force: true });
  }
}
