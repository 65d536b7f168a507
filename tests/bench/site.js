// The site of the measured page, isolated from other origins so that its clock ticks in steps of 5 µs, and a collector that
// only counts lines.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer } from 'ws';

const root = new URL('../..', import.meta.url).pathname;
/** @type {Record<string, string>} */
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.wasm': 'application/wasm' };
const isolated = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
};

/** Modules that stand around the client's, so that its evaluation can be timed. @param {string} build */
const begin = (build) => `
import { at as from } from '/mark.js?before';
import * as client from '/rtctrace/${build}.js';
import { at as to } from '/mark.js?after';
export const evaluated = to - from;
export { client };`;
const mark = 'export const at = probe.now();';

/** @param {string} path @param {string} search @param {string} dist */
async function body(path, search, dist) {
  if (path === '/begin.js') return begin(search.slice(1));
  if (path === '/mark.js') return mark;
  if (path.startsWith('/rtctrace/')) return readFile(join(dist, path.slice('/rtctrace/'.length)));
  return readFile(join(root, 'tests/bench/page', path));
}

/** @param {string} [dist] the client's build */
export async function openBenchSite(dist = join(root, 'npm/dist')) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://site');
    const path = normalize(url.pathname);
    if (request.method === 'POST') return void request.resume().on('end', () => response.end('{"received":0}'));
    try {
      const content = await body(path, url.search, dist);
      response.writeHead(200, { ...isolated, 'content-type': types[extname(path)] ?? 'application/octet-stream' }).end(content);
    } catch {
      response.writeHead(path === '/favicon.ico' ? 204 : 404).end();
    }
  });

  const received = { frames: 0, lines: 0, bytes: 0 };
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'rtctrace.v1' });
  sockets.on('connection', (socket, request) => {
    let count = Number(new URL(request.url ?? '/', 'http://site').searchParams.get('from') ?? 0);
    let told = count;
    socket.send(JSON.stringify({ type: 'welcome', received: count }));
    const timer = setInterval(() => {
      if (count !== told) socket.send(JSON.stringify({ type: 'ack', received: (told = count) }));
    }, 500);
    socket.on('message', (/** @type {Buffer} */ data) => {
      const lines = data.toString().split('\n').filter(Boolean).length;
      count += lines;
      received.frames += 1;
      received.lines += lines;
      received.bytes += data.length;
    });
    socket.on('close', () => clearInterval(timer));
  });

  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets.clients) socket.terminate();
        server.closeAllConnections();
        server.close(() => resolve(undefined));
      }),
  };
}
