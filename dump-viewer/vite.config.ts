import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// The collector that `npm run dev` and `npm run preview` ask for sessions.
const collector = process.env['RTCTRACE_URL'] ?? 'http://127.0.0.1:8080';
const proxy = { '/api': collector, '/demo': collector };

export default defineConfig({
  // Relative, so that the viewer also works behind a path prefix.
  base: './',
  plugins: [svelte()],
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
