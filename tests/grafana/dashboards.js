// The dashboards as they lie in grafana/, and what tests ask of them.

import { readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/**
 * @typedef {object} Target
 * @property {string} refId
 * @property {{type: string, uid: string}} datasource
 * @property {string} [format]
 * @property {string} [rawSql]
 * @property {string} [expr]
 */
/**
 * @typedef {object} Panel
 * @property {number} id
 * @property {string} type
 * @property {string} title
 * @property {{h: number, w: number, x: number, y: number}} gridPos
 * @property {{type: string, uid: string}} [datasource]
 * @property {string} [interval]
 * @property {number} [maxDataPoints]
 * @property {Target[]} [targets]
 * @property {{defaults: Record<string, any>, overrides: {matcher: {id: string, options: string}, properties: {id: string, value: any}[]}[]}} [fieldConfig]
 */
/**
 * @typedef {object} Variable
 * @property {string} name
 * @property {string} type
 * @property {any} query
 * @property {{type: string, uid: string}} [datasource]
 * @property {boolean} [multi]
 * @property {boolean} [includeAll]
 * @property {{text: any, value: any}} current
 */
/**
 * @typedef {object} Dashboard
 * @property {string} uid
 * @property {string} title
 * @property {{from: string, to: string}} time
 * @property {{title: string, type: string, url: string}[]} links
 * @property {{list: Variable[]}} templating
 * @property {Panel[]} panels
 */

/** @param {string} path in the repository */
export const text = (path) => readFileSync(new URL(path, root), 'utf8');

/** @returns {[string, Dashboard][]} each with the name of its file */
export function dashboards() {
  const folder = 'grafana/dashboards/';
  const files = readdirSync(new URL(folder, root)).filter((name) => name.endsWith('.json')).sort();
  return files.map((file) => [file, JSON.parse(text(folder + file))]);
}

/** @param {string} uid */
export function dashboard(uid) {
  const found = dashboards().find(([, board]) => board.uid === uid);
  if (!found) throw new Error(`there is no dashboard ${uid}`);
  return found[1];
}

/** All texts in a piece of JSON. @param {any} value @returns {string[]} */
export function textsIn(value) {
  if (typeof value === 'string') return [value];
  return value && typeof value === 'object' ? Object.values(value).flatMap(textsIn) : [];
}

/** The data links and links of a dashboard. @param {any} value @returns {string[]} their URLs */
export function linksIn(value) {
  if (!value || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, member]) => (name === 'url' && typeof member === 'string' && member ? [member] : linksIn(member)));
}

/** What a link within Grafana names. @param {string} url such as `/d/<uid>?var-<name>=<value>&from=<time>` */
export function linkTarget(url) {
  const [, uid, query] = /^\/d\/([\w-]+)\??(.*)$/.exec(url) ?? [];
  /** @type {[string, string][]} */
  const variables = [];
  /** @type {Record<string, string>} */
  const times = {};
  for (const [name, value] of (query ?? '').split('&').map((part) => part.split('='))) {
    if (name.startsWith('var-')) variables.push([name.slice(4), value]);
    else if (value) times[name] = value;
  }
  return { uid, variables, times };
}
