// A page with the built package, and a collector of a few lines that keeps what it is sent.

import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';
import { WebSocketServer } from 'ws';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
const ARGUMENTS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--js-flags=--expose-gc',
];

export async function openBrowser() {
  const profile = await mkdtemp(join(tmpdir(), 'rtctrace-npm-'));
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const context = await chromium.launchPersistentContext(profile, { executablePath, args: ARGUMENTS });
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** @param {() => unknown} condition */
export async function until(condition, milliseconds = 10_000) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`this did not come true in ${milliseconds} ms: ${condition}`);
    await sleep(20);
  }
}

/** Serves the page under `policy` (CSP) and takes recordings. */
export async function openCollector(policy) {
  /** @type {Map<string, string[]>} */
  const sessions = new Map();
  const sockets = new Set();
  let connections = 0;
  const linesOf = (id) => sessions.get(id) ?? (sessions.set(id, []), sessions.get(id));

  /** Takes numbered lines, each once. */
  function take(id, from, text) {
    const lines = linesOf(id);
    for (const line of text.split('\n')) {
      if (from === lines.length) lines.push(line);
      from += 1;
    }
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://collector');
    if (url.pathname === '/v1/beacon') {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        take(url.searchParams.get('session'), Number(url.searchParams.get('from')), body);
        response.writeHead(204).end();
      });
      return;
    }
    const file = join(DIST, url.pathname);
    const isPage = url.pathname === '/';
    if (!isPage && !existsSync(file)) return void response.writeHead(404).end();
    const headers = { 'content-type': isPage ? 'text/html' : TYPES[extname(file)] };
    if (policy) headers['content-security-policy'] = policy;
    response.writeHead(200, headers).end(isPage ? '<!doctype html><title>page</title><link rel="icon" href="data:,">' : readFileSync(file));
  });
  const webSockets = new WebSocketServer({ server, handleProtocols: () => 'rtctrace.v1' });
  webSockets.on('connection', (socket, request) => {
    connections += 1;
    sockets.add(socket);
    const parameters = new URL(request.url, 'http://collector').searchParams;
    const id = parameters.get('session');
    let from = Math.max(linesOf(id).length, Number(parameters.get('from')));
    let timer;
    socket.send(JSON.stringify({ type: 'welcome', received: linesOf(id).length }));
    socket.on('message', (data) => {
      const text = String(data);
      take(id, from, text);
      from += text.split('\n').length;
      timer ??= setTimeout(() => {
        timer = undefined;
        socket.send(JSON.stringify({ type: 'ack', received: linesOf(id).length }));
      }, 100);
    });
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    linesOf: (id) => linesOf(id).map((line) => JSON.parse(line)),
    textOf: (id) => linesOf(id).join('\n'),
    get connections() {
      return connections;
    },
    /** Cuts every socket as a crash does. */
    cut() {
      for (const socket of sockets) socket.terminate();
    },
    /** Closes every socket with a code. */
    closeAll(code) {
      for (const socket of sockets) socket.close(code);
    },
    close() {
      for (const socket of sockets) socket.terminate();
      server.close();
    },
  };
}
