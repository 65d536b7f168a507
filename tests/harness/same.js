// Deep equality whose message names the first difference: a report has hundreds of members, and a full diff hides the one.

import assert from 'node:assert/strict';

/** @param {any} actual @param {any} expected @param {string} path @returns {string | null} */
function difference(actual, expected, path) {
  if (Object.is(actual, expected) || (actual === 0 && expected === 0)) return null;
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null || Array.isArray(actual) !== Array.isArray(expected)) {
    return `${path}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`;
  }
  for (const name of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    if (!(name in actual)) return `${path}.${name} is missing; expected ${JSON.stringify(expected[name])}`;
    if (!(name in expected)) return `${path}.${name} is not expected: ${JSON.stringify(actual[name])}`;
    const found = difference(actual[name], expected[name], `${path}.${name}`);
    if (found) return found;
  }
  return null;
}

/** @param {any} actual @param {any} expected @param {string} where */
export function assertSame(actual, expected, where) {
  const found = difference(actual, expected, where);
  if (found) assert.fail(found);
}
