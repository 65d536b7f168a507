// Observes this page and keeps what was seen on `window.seen`.

import { connectionNumber, wrap } from '/wrap.js';

const seen = { moments: [], reports: [], gone: [], faults: [], created: [] };

const sink = {
  event({ method, connection, json, extra, time }) {
    seen.moments.push({ method, connection, value: JSON.parse(json), extra, time });
  },
  report(connection, report, reason, time) {
    seen.reports.push({ connection, report, reason, time });
  },
  gone(connection) {
    seen.gone.push(connection);
  },
};

const begin = (options = {}) =>
  wrap({
    sinks: { peerConnection: sink, userMedia: sink, devices: sink, page: sink },
    interval: 200,
    // The tests pretend much.
    untrusted: true,
    localTracks: true,
    fault: (error) => seen.faults.push(`${error}\n${error?.stack}`),
    now: () => Math.round(performance.timeOrigin + performance.now()),
    created: (_, id) => seen.created.push(id),
    ...options,
  });

Object.assign(window, { seen, sink, begin, connectionNumber, observation: begin(window.options) });
