// What the viewer's reader makes of a file, asked of its worker in the browser.

import { readdirSync } from 'node:fs';

const assets = new URL('../../dump-viewer/dist/assets/', import.meta.url);
const built = (/** @type {RegExp} */ name) => readdirSync(assets).find((file) => name.test(file));

/**
 * @typedef {object} Model
 * @property {any} [overview]
 * @property {number[]} [times] of events
 * @property {any[]} [sessions] of a file with several
 * @property {Record<string, [number[], number[]]>} series the times and values of those that were asked for, by connection, entry and name
 */

/**
 * @param {import('playwright-core').Page} page that shows the viewer
 * @param {Buffer} bytes
 * @param {{ session?: string, names?: string[] }} [options] session: which one of a file with several; names: of series
 * @returns {Promise<Model>}
 */
export function modelOf(page, bytes, { session, names = [] } = {}) {
  return page.evaluate(
    async ([url, wasm, base64, wanted, members]) => {
      const asset = (/** @type {string | undefined} */ name) => new URL(`assets/${name}`, document.baseURI);
      const module = await WebAssembly.compile(await (await fetch(asset(wasm))).arrayBuffer());
      const reader = new Worker(asset(url), { type: 'module' });
      reader.postMessage(module);
      let next = 0;
      const ask = (/** @type {any} */ request) =>
        new Promise((resolve, reject) => {
          const id = next++;
          const hear = (/** @type {MessageEvent} */ { data }) => {
            if (data.id !== id || 'progress' in data || 'part' in data) return;
            reader.removeEventListener('message', hear);
            if (data.ok) resolve(data.result);
            else reject(new Error(data.error));
          };
          reader.addEventListener('message', hear);
          reader.postMessage({ ...request, id });
        });
      try {
        const file = new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))]);
        const opened = await ask({ do: 'open', blob: file, session: wanted });
        if (opened.sessions) return { sessions: opened.sessions, series: {} };
        /** @type {Record<string, any>} */
        const series = {};
        for (const [connection, { id, entries }] of opened.overview.connections.entries()) {
          for (const [entry, { id: own, series: all }] of entries.entries()) {
            const asked = all.map((/** @type {any} */ one) => one.name).filter((/** @type {string} */ name) => members.includes(name));
            const { time, values } = await ask({ do: 'series', connection, entry, names: asked });
            for (const [at, name] of asked.entries()) series[`${id} ${own} ${name}`] = [[...time], [...values[at]]];
          }
        }
        return { overview: opened.overview, times: [...opened.columns.time], series };
      } finally {
        reader.terminate();
      }
    },
    /** @type {const} */ ([built(/^worker-.*\.js$/), built(/\.wasm$/), bytes.toString('base64'), session ?? null, names]),
  );
}
