// What the SFU Sora sends of a connection, over one HTTP/2 connection by prior knowledge, as it keeps them open.

import assert from 'node:assert/strict';
import { connect } from 'node:http2';

export class Sora {
  /** @param {import('node:http2').ClientHttp2Session} session @param {Record<string, unknown>} envelope */
  constructor(session, envelope) {
    this.connection = session;
    this.envelope = envelope;
    this.count = 0;
  }

  /** @param {number} port of the collector's listener for Sora @param {Record<string, unknown>} envelope what all bodies say @returns {Promise<Sora>} */
  static open(port, envelope) {
    return new Promise((resolve, reject) => {
      const session = connect(`http://127.0.0.1:${port}`);
      session.once('error', reject).once('connect', () => resolve(new Sora(session, envelope)));
    });
  }

  close() {
    this.connection.close();
  }

  /** @param {string} path @param {string} type @param {number} time Unix ms @param {Record<string, unknown>} members */
  async #post(path, type, time, members) {
    this.count += 1;
    const id = `B0DY${String(this.count).padStart(22, '0')}`;
    const body = JSON.stringify({ ...this.envelope, type, id, timestamp: new Date(time).toISOString().replace('Z', '000Z'), ...members });
    const { status, text } = await this.#answer({ ':method': 'POST', ':path': path, 'content-type': 'application/json' }, body);
    assert.equal(status, 204, `${path}: ${text}`);
  }

  /** @param {Record<string, string>} headers @param {string} body @returns {Promise<{ status: number, text: string }>} */
  #answer(headers, body) {
    return new Promise((resolve, reject) => {
      const stream = this.connection.request(headers);
      let [status, text] = [0, ''];
      stream.setEncoding('utf8');
      stream.on('response', (heard) => (status = Number(heard[':status'])));
      stream.on('data', (/** @type {string} */ part) => (text += part));
      stream.on('end', () => resolve({ status, text })).on('error', reject);
      stream.end(body);
    });
  }

  /** A client's statistics. @param {number} time Unix ms @param {Record<string, unknown>[]} stats */
  push(time, stats) {
    return this.#post('/sora/webhook/stats', 'connection.rtc', time, { stats });
  }

  /** What its session webhook tells. @param {string} type @param {number} time Unix ms @param {Record<string, unknown>} [members] */
  session(type, time, members = {}) {
    return this.#post('/sora/webhook/session', `session.${type}`, time, members);
  }

  /** What its event webhook tells. @param {string} type @param {number} time Unix ms @param {Record<string, unknown>} [members] */
  event(type, time, members = {}) {
    return this.#post('/sora/webhook/event', `connection.${type}`, time, members);
  }
}
