// What the apps of these tests talk to.

import { spawn } from 'node:child_process';
import { WebSocketServer } from 'ws';
import { freePort } from '../harness/collector.js';
import { until } from '../harness/wait.js';

/**
 * PeerJS's own server, as a process of its own: it has no way to be stopped.
 * @returns {Promise<{ port: number, close: () => Promise<void> }>}
 */
export async function openPeerServer() {
  const port = await freePort();
  const program = new URL('bin/peerjs.js', import.meta.resolve('peer')).pathname;
  const child = spawn(process.execPath, [program, '--host', '127.0.0.1', '--port', String(port), '--expire_timeout', '300'], { stdio: 'ignore' });
  await until('PeerJS\'s server answers', 10_000, async () => (await fetch(`http://127.0.0.1:${port}/`).catch(() => null))?.ok);
  return {
    port,
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Hands messages from one WebSocket, at /client, to another, at /server, and back. @returns {Promise<{ port: number, close: () => void }>} */
export async function openHub() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  /** @type {Record<string, import('ws').WebSocket>} */
  const sockets = {};
  server.on('connection', (socket, { url = '' }) => {
    sockets[url] = socket;
    const other = url === '/client' ? '/server' : '/client';
    socket.on('message', (data) => sockets[other]?.send(String(data)));
    socket.on('close', () => sockets[other]?.close(1000));
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    port,
    close() {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}
