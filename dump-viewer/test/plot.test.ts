import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { draw, EDGE, HEIGHT, valueRange, valueTicks } from '../src/model/plot';
import { align } from '../src/model/columns';

/** The paths that a graph's lines are drawn by, each a list of places, `M` where the pen is set down. */
function drawn(times: number[], values: number[], breaks: number[], width: number, range = { min: 0, max: 1000 }): string[] {
  const paths: string[] = [];
  let path: string[] = [];
  const place = (x: number, y: number) => `${Math.round(x - EDGE.left)},${Math.round(HEIGHT - EDGE.bottom - y)}`;
  const points: string[] = [];
  const canvas = { width: 0, height: 0, getContext: () => context };
  const context = new Proxy<Record<string, unknown>>({
    beginPath: () => (path = []),
    moveTo: (x: number, y: number) => path.push(`M${place(x, y)}`),
    lineTo: (x: number, y: number) => path.push(place(x, y)),
    stroke: () => paths.push(path.join(' ')),
    fillRect: (x: number, y: number) => points.push(place(x + 1.5, y + 1.5)),
  }, { get: (own, name: string) => own[name] ?? (() => undefined) });
  Object.assign(globalThis, { devicePixelRatio: 1 });
  const columns = align([{ time: Float64Array.from(times), breaks: Uint32Array.from(breaks), values: [Float64Array.from(values)] }]);
  draw(canvas as unknown as HTMLCanvasElement, width + EDGE.left + EDGE.right, columns, '%', { range, start: 0, mode: 'relative' }, { text: '', grid: '', colors: [''], font: '' });
  // The first path is the grid.
  return [paths[1] ?? '', ...points];
}

const high = (value: number, most: number) => Math.round((value / (most * 1.08)) * (HEIGHT - EDGE.top - EDGE.bottom));

describe('a graph', () => {
  it('ends its line where there is no value, and where an entry was away', () => {
    const y = (value: number) => high(value, 10);
    assert.deepEqual(drawn([0, 250, 500, 750, 1000], [10, 5, NaN, 5, 10], [], 100), [`M0,${y(10)} 25,${y(5)} M75,${y(5)} 100,${y(10)}`]);
    assert.deepEqual(drawn([0, 250, 500, 750], [10, 5, 5, 10], [2], 100), [`M0,${y(10)} 25,${y(5)} M50,${y(5)} 75,${y(10)}`]);
    assert.deepEqual(drawn([0, 250, 500], [10, NaN, 5], [], 100), [`M0,${y(10)} M50,${y(5)}`, `0,${y(10)}`, `50,${y(5)}`]);
  });

  it('shows every spike of many points, and no line over a break among them', () => {
    const count = 20_000;
    const times = Array.from({ length: count }, (_, at) => (at * 1000) / count);
    const values = times.map((_, at) => (at === 7321 ? 50 : 1));
    const [line = ''] = drawn(times, values, [10_000], 100);
    assert.ok(line.split(' ').length < 450, 'it costs what its pixels do');
    assert.ok(line.includes(`,${high(50, 50)}`));
    const [before = '', after = '', ...further] = line.split('M').filter(Boolean);
    assert.deepEqual(further, []);
    assert.ok(before.trim().endsWith(`50,${high(1, 50)}`) && after.startsWith('5'), `${before.slice(-20)} | ${after.slice(0, 20)}`);
    // Half of the time is missing.
    const sleep = drawn(times.map((time) => (time < 500 ? time / 2.5 : time)), values, [10_000], 100)[0] ?? '';
    const xs = sleep.match(/M?\d+(?=,)/g)?.map((x) => Number(x.replace('M', ''))) ?? [];
    assert.ok(xs.every((x) => x <= 21 || x >= 50), 'nothing is drawn where nothing was');
    assert.equal(sleep.split('M').length, 3);
  });

  it('has a scale that begins at zero where that does not press it flat', () => {
    assert.deepEqual(valueRange(null, ''), [0, 1]);
    assert.deepEqual(valueRange([0, 0], 's'), [0, 1]);
    assert.deepEqual(valueRange([90, 100], 'px'), [0, 108]);
    assert.deepEqual(valueRange([90, 100], ''), [89, 101]);
    assert.deepEqual(valueRange([0.5, 1], ''), [0, 1.08]);
    assert.deepEqual(valueRange([-5, -5], ''), [-5.5, 0]);
    assert.deepEqual(valueRange([-4, 6], ''), [-5, 7]);
  });

  it('has round ticks', () => {
    assert.deepEqual(valueTicks(0, 10.8, 3), [0, 5, 10]);
    assert.deepEqual(valueTicks(89, 101, 3), [90, 95, 100]);
    assert.deepEqual(valueTicks(0, 0, 3), []);
    assert.deepEqual(valueTicks(-1, 1, 4), [-1, -0.5, 0, 0.5, 1]);
  });
});
