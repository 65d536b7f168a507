// A site whose pages can observe themselves: `src/wrap` bundled, and the code of `test/pages`, which knows nothing of the driver
// of the browser.

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { rolldown } from 'rolldown';

const PAGES = fileURLToPath(new URL('pages/', import.meta.url));

/** `src/wrap` as one script. */
export async function bundleWrap(minify = false, file = 'index') {
  const bundle = await rolldown({ input: fileURLToPath(new URL(`../src/wrap/${file}.ts`, import.meta.url)), platform: 'browser' });
  const { output } = await bundle.generate({ format: 'esm', minify, comments: false });
  await bundle.close();
  return output[0].code;
}

/** A file of `src/wrap` as a module of this process. */
export const loadWrap = async (file) => import(`data:text/javascript,${encodeURIComponent(await bundleWrap(true, file))}`);

/** `/observed` observes itself before anything else runs, and has `window.run(file, name)`. */
export async function openWrapSite() {
  const script = await bundleWrap();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://site');
    const send = (type, body) => response.writeHead(200, { 'content-type': type }).end(body);
    if (pathname === '/wrap.js') return send('text/javascript', script);
    if (pathname.startsWith('/pages/')) {
      const file = join(PAGES, pathname.slice(7));
      if (existsSync(file)) return send('text/javascript', readFileSync(file));
    }
    if (pathname !== '/observed') return response.writeHead(404).end();
    const scripts = ['observe', 'run'].map((name) => `<script type="module" src="/pages/${name}.js"></script>`).join('');
    send('text/html', `<!doctype html><title>page</title><link rel="icon" href="data:,">${scripts}<body></body>`);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** What a function of `test/pages/<file>.js` gives back. @param {import('playwright-core').Page} page */
export async function run(page, file, name) {
  // Devices are told to the page in front only.
  await page.bringToFront();
  await page.waitForFunction(() => window.run && window.seen);
  return JSON.parse(await page.evaluate(([file, name]) => window.run(file, name), [file, name]));
}
