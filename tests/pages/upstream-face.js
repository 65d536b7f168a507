// What call.js takes for rtctrace: the face of upstream's client, behind rtctrace's own names.

import { wrapRTCStatsWithDefaultOptions } from '/rtctrace/rtcstats.js';

/** @param {{ endpoint: string, getStatsInterval?: number }} options */
export async function init({ endpoint, getStatsInterval = 1000 }) {
  const trace = wrapRTCStatsWithDefaultOptions({ getStatsInterval, countReloads: true });
  trace.connect(`${endpoint.replace(/^http/, 'ws')}/upstream-face`);
  return {
    session: '',
    state: 'open',
    counters: {},
    /** @param {string} name @param {unknown} data @param {RTCPeerConnection} [connection] */
    event: (name, data, connection) => trace(`:${name}`, connection ?? null, data),
    flush() {},
    /** The server acknowledges nothing: what it has, its close says. */
    async close() {
      trace.close();
    },
  };
}
