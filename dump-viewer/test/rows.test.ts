import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ROW, rowAt, Rows } from '../src/model/rows';

describe('rows of a virtual table', () => {
  const rows = new Rows(10, [
    { row: 2, height: 100 },
    { row: 5, height: 50 },
  ]);

  it('lie below what is unfolded above them', () => {
    assert.equal(rows.height, 10 * ROW + 150);
    assert.equal(rows.top(2), 2 * ROW);
    assert.equal(rows.top(3), 3 * ROW + 100);
    assert.equal(rows.top(9), 9 * ROW + 150);
  });

  it('are found by where they lie', () => {
    for (let row = 0; row < 10; row += 1) {
      assert.equal(rows.at(rows.top(row)), row);
      assert.equal(rows.at(rows.top(row) + ROW - 1), row);
    }
    assert.equal(rows.at(rows.top(3) - 1), 2, 'details belong to their row');
    assert.equal(rows.at(1e6), 9);
    assert.equal(new Rows(0, []).at(50), 0);
  });
});

describe('the row of a time', () => {
  const times = [10, 20, 20, 30];
  const at = (time: number) => rowAt(times.length, (row) => times[row] ?? 0, time);

  it('is the last one at or before it', () => {
    assert.deepEqual([9, 10, 19, 20, 25, 30, 99].map(at), [-1, 0, 0, 2, 2, 3, 3]);
  });
});
