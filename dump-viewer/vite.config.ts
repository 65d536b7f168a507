import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

// The collector that `npm run dev` and `npm run preview` ask for sessions.
const collector = process.env['RTCTRACE_URL'] ?? 'http://127.0.0.1:8080';
const proxy = { '/api': collector, '/demo': collector };

/** Writes the service worker, which has to know what the build consists of. */
function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const files = [...Object.keys(bundle).filter((name) => name.startsWith('assets/')), 'favicon.svg'].sort();
      const text = readFileSync(new URL('./src/offline/service-worker.js', import.meta.url), 'utf8');
      // Their names say what is in them.
      const version = createHash('sha256').update(files.join()).update(text).digest('hex').slice(0, 16);
      const source = `const FILES = ${JSON.stringify(files)};\nconst VERSION = ${JSON.stringify(version)};\n${text}`;
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
    },
  };
}

export default defineConfig({
  // Relative, so that the viewer also works behind a path prefix.
  base: './',
  plugins: [svelte(), serviceWorker()],
  build: {
    target: 'es2022',
    // `data:` URLs would need an exception in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
  server: { proxy },
  preview: { proxy },
});
