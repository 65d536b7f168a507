// What a page downloads of the client.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const dist = new URL('../../npm/dist/', import.meta.url).pathname;
const hex = readFileSync(`${dist}rtctrace_bg.wasm`, 'hex');

/** In bytes, as gzip -9 makes it; without the module where that is inside. @param {string} name */
function size(name) {
  const content = readFileSync(dist + name);
  return gzipSync(name.endsWith('.js') ? content.toString().replace(hex, '') : content, { level: 9 }).length;
}

test('the module and its script are at most 40 KB of gzip', (context) => {
  const parts = ['rtctrace_bg.wasm', 'index.js'].map((name) => [name, size(name)]);
  for (const [name, bytes] of parts) context.diagnostic(`${name}: ${bytes} bytes`);
  const total = parts.reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  context.diagnostic(`in all: ${total} bytes`);
  assert.ok(total <= 40 * 1024, `${total} bytes`);
});

test('a drop-in face adds at most 3 KB to that', (context) => {
  for (const name of ['rtcstats.js', 'jitsi/rtcstats.js', 'jitsi/trace-ws.js']) {
    assert.ok(existsSync(dist + name), `${name} is missing`);
    const more = size(name) - size('index.js');
    context.diagnostic(`${name}: ${more} bytes more than index.js`);
    assert.ok(more <= 3 * 1024, `${name}: ${more} bytes`);
  }
});
