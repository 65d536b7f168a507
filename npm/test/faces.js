// A page for the drop-in faces, bundled from what an application would import, and servers that keep what they are sent.

import { createServer } from 'node:http';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { rolldown } from 'rolldown';
import { WebSocketServer } from 'ws';

const HERE = dirname(fileURLToPath(import.meta.url));
const ENTRY = '\0entry.js';

/** Bundles a script for the page. @param {string} code @returns {Promise<string>} */
export async function bundle(code) {
  const bundled = await rolldown({
    input: ENTRY,
    platform: 'browser',
    cwd: HERE,
    logLevel: 'silent',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === ENTRY ? ENTRY : null),
        load: (id) => (id === ENTRY ? code : null),
      },
    ],
  });
  const { output } = await bundled.generate({ format: 'iife' });
  await bundled.close();
  return output[0].code;
}

/**
 * Serves pages, `{ '/path': script }`, and takes WebSockets.
 * @param {Record<string, string>} scripts
 * @param {(socket: import('ws').WebSocket, kept: Kept) => void} greet called with each socket, before its messages are kept
 * @param {Record<string, string>} policies content security policies of pages
 * @typedef {{ url: URL, protocol: string, messages: string[], closed: number | null, socket: import('ws').WebSocket }} Kept
 */
export async function openServer(scripts, greet, policies = {}) {
  /** @type {Kept[]} */
  const sockets = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://page').pathname;
    const script = scripts[path.replace(/\.js$/, '')];
    if (script === undefined) return void response.writeHead(404).end();
    if (path.endsWith('.js')) return void response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    response.writeHead(200, { 'content-type': 'text/html', ...(policies[path] && { 'content-security-policy': policies[path] }) });
    response.end(`<!doctype html><title>page</title><link rel="icon" href="data:,"><script src="${path}.js"></script>`);
  });
  const webSockets = new WebSocketServer({ server });
  webSockets.on('connection', (socket, request) => {
    /** @type {Kept} */
    const kept = { url: new URL(request.url, 'ws://server'), protocol: socket.protocol, messages: [], closed: null, socket };
    sockets.push(kept);
    greet(socket, kept);
    socket.on('message', (data) => kept.messages.push(String(data)));
    socket.on('close', (code) => (kept.closed = code));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}`,
    endpoint: `ws://127.0.0.1:${port}`,
    sockets,
    /** Those of the page at a path. @param {string} path */
    at: (path) => sockets.filter(({ url }) => url.pathname === path),
    close() {
      for (const { socket } of sockets) socket.terminate();
      server.close();
      server.closeAllConnections();
    },
  };
}
