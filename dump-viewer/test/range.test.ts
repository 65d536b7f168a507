import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { moved, scaled, within } from '../src/model/range';

const full = { min: 1000, max: 2000 };

describe('a part of the time', () => {
  it('lies within the whole, whichever end comes first', () => {
    assert.deepEqual(within(full, 1500, 900), { min: 1000, max: 1500 });
    assert.equal(within(full, 1500, 1504), null);
    assert.equal(within(full, 0, 1001), null);
  });

  it('is scaled around a time that stays in its place', () => {
    assert.deepEqual(scaled(full, full, 1250, 0.5), { min: 1125, max: 1625 });
    assert.deepEqual(scaled(full, { min: 1400, max: 1600 }, 1500, 2), { min: 1300, max: 1700 });
    // At the edge of the whole there is nothing more on that side.
    assert.deepEqual(scaled(full, { min: 1000, max: 1100 }, 1090, 2), { min: 1000, max: 1200 });
    assert.deepEqual(scaled(full, { min: 1900, max: 2000 }, 1910, 2), { min: 1800, max: 2000 });
  });

  it('is the whole again when it would be as long', () => {
    assert.equal(scaled(full, { min: 1200, max: 1800 }, 1500, 2), null);
  });

  it('does not become too short', () => {
    assert.deepEqual(scaled(full, { min: 1500, max: 1506 }, 1500, 0.1), { min: 1500, max: 1505 });
  });

  it('moves as far as there is something', () => {
    assert.deepEqual(moved(full, { min: 1200, max: 1400 }, 0.5), { min: 1300, max: 1500 });
    assert.deepEqual(moved(full, { min: 1200, max: 1400 }, -9), { min: 1000, max: 1200 });
    assert.deepEqual(moved(full, { min: 1200, max: 1400 }, 9), { min: 1800, max: 2000 });
  });
});
