import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { durationText, relative, tickDigits, ticks, timeText } from '../src/model/time';

describe('times', () => {
  it('are relative to the beginning, rounded before they are split', () => {
    assert.equal(relative(0), '0:00.000');
    assert.equal(relative(62_345), '1:02.345');
    assert.equal(relative(59_999.6), '1:00.000');
    assert.equal(relative(59_960, 1), '1:00.0');
    assert.equal(relative(3_723_004), '1:02:03.004');
    assert.equal(relative(-1500, 1), '−0:01.5');
  });

  it('are of the clock in UTC', () => {
    assert.equal(timeText(Date.UTC(2026, 0, 2, 3, 4, 5, 67), 0, 'utc'), '03:04:05.067');
    assert.equal(timeText(Number.NaN, 0, 'utc'), '');
  });

  it('have lengths that fit them', () => {
    assert.equal(durationText(850), '850 ms');
    assert.equal(durationText(15_240), '15.2 s');
    assert.equal(durationText(59_960), '1 min 0 s');
    assert.equal(durationText(7_500_000), '2 h 5 min');
    assert.equal(durationText(null), '');
  });
});

describe('ticks', () => {
  it('are round counts from the beginning', () => {
    assert.deepEqual(ticks(1003, 31_003, 7, 1003, 'relative'), [1003, 6003, 11_003, 16_003, 21_003, 26_003, 31_003]);
  });

  it('are round times of the clock', () => {
    assert.deepEqual(ticks(1003, 4500, 4, 1003, 'utc'), [2000, 3000, 4000]);
  });

  it('are never too many, however long the recording', () => {
    for (const span of [3, 999, 61_000, 86_400_000, 4e9]) {
      const found = ticks(0, span, 8, 0, 'relative');
      assert.ok(found.length <= 9, `${span}: ${found.length}`);
    }
    assert.deepEqual(ticks(5, 5, 8, 0, 'relative'), []);
  });

  it('say as many digits as tell them apart', () => {
    assert.equal(tickDigits([0, 1000]), 0);
    assert.equal(tickDigits([0, 200]), 1);
    assert.equal(tickDigits([0, 5]), 3);
  });
});
