// The static tables of the dump format, turned round for reading: token to name.

import { readFileSync } from 'node:fs';

/** @typedef {Record<string, string | number>} Tokens */

const tables = JSON.parse(readFileSync(new URL('../fixtures/rtcstats-tables.json', import.meta.url), 'utf8'));

/** @param {{ encode: Tokens, decode_only?: Tokens }} table @returns {Map<string, string>} */
function reading(table) {
  const names = new Map();
  for (const [name, token] of Object.entries({ ...table.encode })) names.set(String(token), name);
  for (const [name, token] of Object.entries(table.decode_only ?? {})) names.set(String(token), name);
  return names;
}

const methods = reading(tables.methods);
const types = reading(tables.stats_types);
const properties = reading(tables.stats_properties);

/** The full name of a method. @param {string | number} token */
export const methodName = (token) => methods.get(String(token)) ?? String(token);

/** The full value of a report entry's `type`. @param {string | number} token */
export const typeName = (token) => types.get(String(token)) ?? String(token);

/** The full name of a report entry's member. @param {string} token */
export const propertyName = (token) => properties.get(token) ?? token;

/** What a client writes for a method; tracking ids begin with it. @param {string} name @returns {string | number} */
export const methodToken = (name) => tables.methods.encode[name] ?? name;
