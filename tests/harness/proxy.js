// A network between a page and its collector that does what networks do: it cuts, refuses, goes silent, and answers in
// the collector's place.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { connect } from 'node:net';

/** @typedef {import('node:net').Socket} Socket */
/** @typedef {import('node:stream').Duplex} Duplex */

/**
 * What becomes of a WebSocket that a page asks for: it passes, or it is opened and closed with this code at once, or it
 * passes and is closed with this code later.
 * @typedef {'pass' | { code: number, after?: number }} Verdict
 */

// RFC 6455, section 1.3.
const acceptKey = (/** @type {string} */ key) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** A server's close frame. @param {number} code @param {string} reason */
function closeFrame(code, reason) {
  const body = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
  return Buffer.concat([Buffer.from([0x88, body.length]), body]);
}

/** One WebSocket's way through. */
class Link {
  /** Both directions are swallowed, and neither end hears of it. */
  silent = false;
  /** What the collector says is swallowed. */
  deaf = false;
  /** How many bytes the page may still send before the connection breaks, in the middle of a frame or not. */
  left = Infinity;

  /** @param {Duplex} client @param {Socket} upstream */
  constructor(client, upstream) {
    this.client = client;
    this.upstream = upstream;
    client.on('data', (chunk) => this.#up(chunk));
    upstream.on('data', (chunk) => this.silent || this.deaf || client.destroyed || client.write(chunk));
    for (const [end, other] of /** @type {const} */ ([[client, upstream], [upstream, client]])) {
      end.on('error', () => {});
      end.on('close', () => this.silent || other.destroy());
    }
  }

  /** @param {Buffer} chunk */
  #up(chunk) {
    if (this.silent || this.upstream.destroyed) return;
    this.upstream.write(chunk.length > this.left ? chunk.subarray(0, this.left) : chunk);
    this.left -= chunk.length;
    // What was written before is still delivered; the page learns of the end at once.
    if (this.left < 0) {
      this.upstream.end();
      this.client.destroy();
    }
  }

  /** Closes the page's end as a collector does; the collector sees a connection that broke. @param {number} code */
  close(code) {
    this.deaf = true;
    if (!this.client.destroyed) this.client.write(closeFrame(code, 'said the proxy'));
    this.upstream.destroy();
  }

  destroy() {
    this.silent = false;
    this.client.destroy();
    this.upstream.destroy();
  }
}

export class Proxy {
  /** Asked about each WebSocket. @type {(url: URL) => Verdict} */
  verdict = () => 'pass';
  /** What stands for the application's own server at /token. What it throws is that server's error. @type {() => string} */
  token = () => '';
  /** The URLs of all WebSockets that were asked for. @type {URL[]} */
  asked = [];
  /** The bodies of all beacons. @type {string[]} */
  beacons = [];
  /** @type {Set<Link>} */
  links = new Set();
  /** @type {Set<Socket>} */
  #sockets = new Set();
  #port = 0;
  #server = createServer();

  /** @param {number} target the collector's port */
  constructor(target) {
    this.target = target;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('request', (request, response) => {
      if (request.url === '/token') return this.#issue(response);
      const options = { port: target, host: '127.0.0.1', method: request.method, path: request.url, headers: request.headers };
      const onward = httpRequest(options, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      const chunks = /** @type {Buffer[]} */ ([]);
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        if (request.url?.startsWith('/v1/beacon')) this.beacons.push(body.toString());
        onward.end(body);
      });
    });
    this.#server.on('upgrade', (request, client, head) => this.#upgrade(request, client, head));
  }

  /** @param {number} target the collector's port */
  static async open(target) {
    const proxy = new Proxy(target);
    await proxy.accept();
    return proxy;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** @param {import('node:http').ServerResponse} response */
  #issue(response) {
    response.setHeader('Access-Control-Allow-Origin', '*');
    try {
      response.end(this.token());
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  }

  /** @param {import('node:http').IncomingMessage} request @param {Duplex} client @param {Buffer} head */
  #upgrade(request, client, head) {
    const url = new URL(request.url ?? '/', this.url);
    this.asked.push(url);
    const verdict = this.verdict(url);
    if (verdict !== 'pass' && verdict.after === undefined) {
      const headers = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Protocol: rtctrace.v1', `Sec-WebSocket-Accept: ${acceptKey(String(request.headers['sec-websocket-key']))}`];
      client.on('error', () => {});
      client.on('data', () => {});
      client.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join('\r\n')}\r\n\r\n`);
      client.write(closeFrame(verdict.code, 'said the proxy'));
      setTimeout(() => client.end(), 100);
      return;
    }
    const upstream = connect(this.target, '127.0.0.1');
    const link = new Link(client, upstream);
    this.links.add(link);
    client.on('close', () => this.links.delete(link));
    const raw = request.rawHeaders;
    const lines = raw.flatMap((name, index) => (index % 2 ? [] : [`${name}: ${raw[index + 1]}`]));
    upstream.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    upstream.write(head);
    if (verdict === 'pass') return;
    const timer = setTimeout(() => link.close(verdict.code), verdict.after);
    client.on('close', () => clearTimeout(timer));
  }

  /** Breaks every connection that is there. */
  cut() {
    for (const link of this.links) link.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Breaks every connection and refuses new ones. */
  async refuse() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  /** Takes connections, again at the same port. */
  async accept() {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = /** @type {import('node:net').AddressInfo} */ (this.#server.address()).port;
  }

  /** From here on the present WebSockets carry nothing, and neither end is told. New ones do. */
  silence() {
    for (const link of this.links) link.silent = true;
  }

  async close() {
    if (this.#server.listening) await this.refuse();
    else this.cut();
  }
}
