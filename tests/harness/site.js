// A small web site for the test pages: an application's own origin, which is not the collector's.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer } from 'ws';

const root = new URL('../..', import.meta.url).pathname;
/** @type {Record<string, string>} */
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.wasm': 'application/wasm', '.css': 'text/css', '.svg': 'image/svg+xml' };
/** What is served, by the beginning of the path. @type {Record<string, string>} */
const ownFolders = { '/rtctrace/': join(root, 'npm/dist'), '/': join(root, 'tests/pages') };

/**
 * @typedef {object} Site
 * @property {string} url
 * @property {Map<string, string[]>} recorded what a collector behind the site was sent: lines by session
 * @property {() => Promise<void>} close
 */

/**
 * @param {{ folders?: Record<string, string>, collector?: boolean, headers?: Record<string, string> }} [options] `collector`: takes recordings
 *   as the real one does, in memory; `headers`: of every answer
 * @returns {Promise<Site>}
 */
export async function openSite({ folders = ownFolders, collector = false, headers = {} } = {}) {
  const server = createServer(async (request, response) => {
    if (collector && request.method === 'POST') return void response.writeHead(204).end();
    const path = normalize(new URL(request.url ?? '/', 'http://site').pathname);
    const [prefix, folder] = Object.entries(folders).find(([start]) => path.startsWith(start)) ?? ['/', ''];
    try {
      const name = path.endsWith('/') ? `${path}index.html` : path;
      const body = await readFile(join(folder, name.slice(prefix.length)));
      response.writeHead(200, { ...headers, 'content-type': types[extname(name)] ?? 'application/octet-stream' }).end(body);
    } catch {
      // A browser asks for an icon by itself; anything else that is missing shows as an error in the page.
      response.writeHead(path === '/favicon.ico' ? 204 : 404, headers).end();
    }
  });
  /** @type {Map<string, string[]>} */
  const recorded = new Map();
  if (collector) takeRecordings(server, recorded);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    recorded,
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
  };
}

/** The collector's side of rtctrace.v1, without its storage. @param {import('node:http').Server} server @param {Map<string, string[]>} recorded */
function takeRecordings(server, recorded) {
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'rtctrace.v1' });
  sockets.on('connection', (socket, request) => {
    const session = new URL(request.url ?? '/', 'http://collector').searchParams.get('session') ?? '';
    const lines = recorded.get(session) ?? [];
    recorded.set(session, lines);
    /** @param {string} type */
    const tell = (type) => socket.send(JSON.stringify({ type, received: lines.length }));
    tell('welcome');
    socket.on('message', (text) => {
      lines.push(...String(text).split('\n'));
      tell('ack');
    });
  });
}
