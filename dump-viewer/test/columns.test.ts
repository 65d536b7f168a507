import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { align, lonely, nearest, valuesBetween } from '../src/model/columns';
import { Envelope } from '../src/model/envelope';

const none = new Uint32Array();
const numbers = (...values: (number | null)[]) => Float64Array.from(values, (value) => value ?? NaN);

/** The same numbers in every run. */
function* random(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    yield state / 2 ** 31;
  }
}

function plainRange(values: Float64Array, from: number, to: number): [number, number] | null {
  const there = [...values.subarray(Math.max(0, from), Math.max(0, to))].filter((value) => !Number.isNaN(value));
  return there.length ? [Math.min(...there), Math.max(...there)] : null;
}

describe('an envelope', () => {
  const source = random(7);
  const next = () => source.next().value as number;
  for (const length of [0, 1, 7, 8, 9, 33, 1000, 4099]) {
    const values = Float64Array.from({ length }, () => (next() < 0.2 ? NaN : Math.round(next() * 1000) - 500));
    values.fill(NaN, length >> 1, (length >> 1) + 40);
    const envelope = new Envelope(values);

    it(`knows the range of any part of ${length} points`, () => {
      for (let time = 0; time < 300; time += 1) {
        const [from, to] = [Math.floor(next() * (length + 3)) - 1, Math.floor(next() * (length + 3))];
        assert.deepEqual(envelope.range(from, to), plainRange(values, from, to), `${from} to ${to}`);
      }
    });

    it(`has ${length} points in parts that hold all of them`, () => {
      for (const atMost of [8, 9, 32, 100, 5000]) {
        const [from, to] = [length >> 2, length - (length >> 3)];
        let end: number | null = null;
        for (const part of envelope.parts(from, to, atMost)) {
          assert.ok(part.to - part.from <= atMost);
          assert.ok(end === null ? part.from <= from : part.from === end, 'one follows the other');
          end = part.to;
          const [min, max] = plainRange(values, part.from, part.to) ?? [NaN, NaN];
          assert.deepEqual([part.min, part.max], [min, max]);
        }
        if (end !== null) assert.ok(end >= to);
        else assert.ok(length <= 8);
      }
    });
  }
});

describe('graphs', () => {
  it('show points that no line leads to', () => {
    assert.deepEqual(lonely(numbers(null, 5), [], false), [1]);
    assert.deepEqual(lonely(numbers(1, null, 2, 3, null, 4), [], false), [0, 5]);
    assert.deepEqual(lonely(numbers(1, null, 2), [], true), []);
    assert.deepEqual(lonely(numbers(null, 7, null), [], true), [1]);
    assert.deepEqual(lonely(numbers(), [], false), []);
    assert.deepEqual(lonely(numbers(1, 2, 3, 4), [1, 3], false), [0, 3]);
    assert.deepEqual(lonely(numbers(1, null, 3, 4), [2], true), [0]);
  });

  it('have series of several entries on one list of times', () => {
    const { times, series, spanned } = align([
      { time: numbers(1, 3, 4), breaks: none, values: [numbers(10, 30, null)] },
      { time: numbers(2, 3), breaks: none, values: [numbers(200, 300)] },
      { time: numbers(), breaks: none, values: [numbers()] },
    ]);
    assert.deepEqual(times, numbers(1, 2, 3, 4));
    assert.deepEqual(series.map(({ values }) => values), [numbers(10, null, 30, null), numbers(null, 200, 300, null), numbers(null, null, null, null)]);
    assert.ok(spanned);
  });

  it('end their lines where an entry was away, or had no value', () => {
    const own = { time: numbers(1, 2, 4, 5), breaks: Uint32Array.of(2), values: [numbers(1, 2, 4, 5)] };
    assert.deepEqual(align([own]).series[0]?.breaks, Uint32Array.of(2));
    const { series } = align([own, { time: numbers(1, 2, 3, 5, 6), breaks: none, values: [numbers(1, null, 3, null, null)] }]);
    assert.deepEqual(series.map(({ breaks }) => [...Array.from(breaks)]), [[3], [2]]);
    assert.deepEqual(series.map((column) => column.lonely), [[], [0, 2]]);
    const away = align([{ time: numbers(1, 2, 3), breaks: Uint32Array.of(1), values: [numbers(1, null, 3)] }, own]);
    assert.deepEqual([...Array.from(away.series[0]?.breaks ?? [])], [2], 'a value that is missing after a gap does not close it');
  });

  it('leave series of one list of times as they are', () => {
    const values = [numbers(1, 2), numbers(3, null)];
    const { times, series } = align(values.map((own) => ({ time: numbers(5, 6), breaks: none, values: [own] })));
    assert.deepEqual(times, numbers(5, 6));
    assert.deepEqual(series.map((column) => column.values), values);
  });

  it('are as high as what is in view, and the lines that lead there', () => {
    const columns = align([{ time: numbers(10, 20, 30, 40, 50), breaks: none, values: [numbers(9, 1, 2, 3, 99)] }]);
    assert.deepEqual(valuesBetween(columns, 25, 35), [1, 3]);
    assert.deepEqual(valuesBetween(columns, 21, 29), [1, 2]);
    assert.deepEqual(valuesBetween(columns, 0, 60), [1, 99]);
    assert.equal(valuesBetween(align([]), 0, 60), null);
  });

  it('point at what is nearest', () => {
    assert.deepEqual([0, 14, 16, 99].map((time) => nearest(numbers(10, 20), time)), [0, 0, 1, 1]);
    assert.equal(nearest(numbers(), 5), null);
  });
});
