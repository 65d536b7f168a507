// The bundlers, by their programming interfaces and without settings beyond what an app needs. They come from this repository; what they
// bundle is resolved from the app's own folder.

import { join } from 'node:path';
import * as esbuild from 'esbuild';
import * as vite from 'vite';
import webpack from 'webpack';

/** @param {string} app @returns {Promise<string>} the folder to serve */
export async function buildWithVite(app) {
  await vite.build({ root: app, configFile: false, logLevel: 'error' });
  return join(app, 'dist');
}

/** Vite's development server, which prepares dependencies in a way of its own. @param {string} app */
export async function serveWithVite(app) {
  const server = await vite.createServer({ root: app, configFile: false, logLevel: 'error', server: { host: '127.0.0.1', port: 0, hmr: false, watch: null } });
  await server.listen();
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.httpServer?.address());
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/** @param {string} app @returns {Promise<string>} */
export async function buildWithWebpack(app) {
  const compiler = webpack({ context: app, mode: 'production', entry: './src/index.js', output: { path: join(app, 'dist') } });
  if (!compiler) throw new Error('webpack made no compiler');
  const stats = await new Promise((resolve, reject) => compiler.run((error, result) => (error ? reject(error) : resolve(result))));
  await new Promise((resolve) => compiler.close(resolve));
  if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString({ colors: false }));
  return app;
}

/**
 * @param {string} app
 * @param {string} entry
 * @param {import('esbuild').BuildOptions} [options]
 * @returns {Promise<string>}
 */
export async function buildWithEsbuild(app, entry, options = {}) {
  const { warnings } = await esbuild.build({
    absWorkingDir: app,
    entryPoints: [`src/${entry}`],
    bundle: true,
    minify: true,
    outdir: 'dist',
    logLevel: 'silent',
    ...options,
  });
  if (warnings.length > 0) throw new Error((await esbuild.formatMessages(warnings, { kind: 'warning' })).join('\n'));
  return app;
}
