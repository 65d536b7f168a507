import assert from 'node:assert/strict';
import { it } from 'node:test';
import { findingsText, momentOf } from '../src/model/findings';

it('findings of a session are told in words, where there are any', () => {
  const text = (criticalFindings: number | null, warningFindings: number | null) => findingsText({ criticalFindings, warningFindings });
  assert.equal(text(1, 2), '1 critical finding, 2 warnings');
  assert.equal(text(3, 0), '3 critical findings');
  assert.equal(text(0, 1), '1 warning');
  assert.equal(text(0, 0), '');
  assert.equal(text(null, null), '');
});

it('a finding is about its worst moment, where that is known', () => {
  assert.equal(momentOf({ begin: 5, values: { at: { value: 9, unit: 'Unix ms' }, worst: { value: 0.2 } } }), 9);
  assert.equal(momentOf({ begin: 5, values: { worst: { value: 0.2 } } }), 5);
});
