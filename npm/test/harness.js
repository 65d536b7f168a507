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
];

/** @param {Parameters<typeof chromium.launchPersistentContext>[1]} [options] */
export async function openBrowser(options) {
  const profile = await mkdtemp(join(tmpdir(), 'rtctrace-npm-'));
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const context = await chromium.launchPersistentContext(profile, { executablePath, args: ARGUMENTS, ...options });
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

const EMPTY = '<!doctype html><title>page</title><link rel="icon" href="data:,">';

/** Serves the page under `policy` (CSP) and takes recordings. @param {string | null} [policy] */
export async function openCollector(policy) {
  /** @type {Map<string, string[]>} */
  const sessions = new Map();
  const sockets = new Set();
  /** Parameters of every socket and every beacon. @type {URLSearchParams[]} */
  const upgrades = [];
  /** @type {URLSearchParams[]} */
  const beacons = [];
  /** Pages beside the empty one, by path. @type {Map<string, string>} */
  const pages = new Map();
  /** What a file waits for. @type {Map<string, Promise<unknown>>} */
  const delays = new Map();
  /** Says whom to turn away, by close code. @type {{ judge: (parameters: URLSearchParams) => number | void }} */
  const gate = { judge() {} };
  const linesOf = (id) => sessions.get(id) ?? (sessions.set(id, []), sessions.get(id));

  /** Takes numbered lines, each once. */
  function take(id, from, text) {
    const lines = linesOf(id);
    for (const line of text.split('\n')) {
      if (from === lines.length) lines.push(line);
      from += 1;
    }
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://collector');
    if (url.pathname === '/v1/beacon') {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        beacons.push(url.searchParams);
        take(url.searchParams.get('session'), Number(url.searchParams.get('from')), body);
        response.writeHead(204).end();
      });
      return;
    }
    const file = join(DIST, url.pathname);
    const html = pages.get(url.pathname) ?? (url.pathname === '/' ? EMPTY : undefined);
    await delays.get(url.pathname);
    if (!html && !existsSync(file)) return void response.writeHead(404).end();
    const headers = { 'content-type': html ? 'text/html' : TYPES[extname(file)] };
    if (policy) headers['content-security-policy'] = policy;
    response.writeHead(200, headers).end(html ?? readFileSync(file));
  });
  const webSockets = new WebSocketServer({ server, handleProtocols: () => 'rtctrace.v1' });
  webSockets.on('connection', (socket, request) => {
    sockets.add(socket);
    const parameters = new URL(request.url, 'http://collector').searchParams;
    upgrades.push(parameters);
    const refused = gate.judge(parameters);
    if (refused) return void socket.close(refused);
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
    upgrades,
    beacons,
    pages,
    delays,
    gate,
    get connections() {
      return upgrades.length;
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

/**
 * A page of its own collector, and both gone afterwards.
 * @param {Awaited<ReturnType<typeof openBrowser>>} browser
 * @param {(page: import('playwright-core').Page, collector: Awaited<ReturnType<typeof openCollector>>) => Promise<void>} work
 * @param {string | null} [policy]
 */
export async function withPage(browser, work, policy) {
  const collector = await openCollector(policy);
  const page = await browser.context.newPage();
  try {
    await page.goto(collector.url);
    await work(page, collector);
  } finally {
    await page.close();
    collector.close();
  }
}

/** Begins to record a page. What it logs is in `window.heard`. @param {import('playwright-core').Page} page */
export async function record(page, options = {}) {
  return page.evaluate(async (options) => {
    const { init } = await import('/index.js');
    window.heard = [];
    window.recorder = await init({ endpoint: location.origin, log: (message) => window.heard.push(message), ...options });
    return { session: window.recorder.session, state: window.recorder.state, heard: window.heard };
  }, options);
}

/** A call between two connections of the page, up to `connected`. @param {import('playwright-core').Page} page */
export const call = (page) =>
  page.evaluate(async () => {
    const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
    window.connections = [a, b];
    a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate);
    b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate);
    const connected = new Promise((resolve) => {
      a.onconnectionstatechange = () => a.connectionState === 'connected' && resolve();
    });
    a.createDataChannel('x');
    await a.setLocalDescription();
    await b.setRemoteDescription(a.localDescription);
    await b.setLocalDescription();
    await a.setRemoteDescription(b.localDescription);
    await connected;
  });

/** Whether the page can do WebRTC. @param {import('playwright-core').Page} page @returns {Promise<string>} `offer` */
export const stillWorks = (page) =>
  page.evaluate(async () => {
    const pc = new RTCPeerConnection();
    pc.createDataChannel('x');
    await pc.setLocalDescription();
    const { type } = pc.localDescription;
    pc.close();
    return type;
  });
