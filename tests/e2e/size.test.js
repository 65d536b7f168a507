// What a page downloads of the client.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const limit = 60 * 1024;
const dist = new URL('../../npm/dist/', import.meta.url).pathname;

test('the client is at most 60 KB of gzip', (context) => {
  const files = readdirSync(dist, { recursive: true })
    .map(String)
    .filter((name) => /\.(wasm|js)$/.test(name));
  assert.ok(files.some((name) => name.endsWith('.wasm')));
  let total = 0;
  for (const name of files) {
    const { length } = gzipSync(readFileSync(dist + name), { level: 9 });
    context.diagnostic(`${name}: ${length} bytes`);
    total += length;
  }
  context.diagnostic(`in all: ${total} bytes of ${limit}`);
  assert.ok(total <= limit, `${total} bytes`);
});
