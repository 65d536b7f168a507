import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EntryOverview } from '../src/import/messages';
import { alignments, type Side } from '../src/model/clock';
import type { Recording } from '../src/model/recording';

/** A connection with one stream each way: what it sends has the first number, what it receives the second. */
function side(start: number, sent: number, received: number, times: number[], remote: number[], metadata: Record<string, unknown> = {}): Side {
  const entry = (type: string, ssrc: number) => ({ id: type, type, start, end: start, points: times.length, texts: {}, series: [{ name: 'ssrc', kind: 'gauge', unit: '', constant: true, last: ssrc }] }) satisfies EntryOverview;
  const connection = { start, end: start + 10_000, entries: [entry('outbound-rtp', sent), entry('remote-outbound-rtp', received)] };
  const series = (_: number, index: number) => Promise.resolve({ time: new Float64Array(), values: index === 1 ? [Float64Array.from(times), Float64Array.from(remote)] : [] });
  return { connection: 0, recording: { start, end: start + 10_000, overview: { metadata }, connection: () => connection, reader: { series } } as unknown as Recording };
}

describe('two clocks', () => {
  it('are told by what both ends send, less the way', async () => {
    // The right clock is 5 s ahead of the left one; each way takes 40 ms at best.
    const left = side(1000, 1, 2, [1140, 2040, 3090], [6000, 7000, 8000]);
    const right = side(6000, 2, 1, [6540, 7080], [1500, 2000]);
    const [best, ...others] = await alignments(left, right);
    assert.equal(best?.method, 'rtp');
    assert.equal(best?.ahead, (1140 - 6000 - 100 - (6540 - 1500)) / 2);
    assert.deepEqual(others.map(({ method, ahead }) => [method, ahead]), [['clocks', 0], ['starts', -5000]]);
  });

  it('are told by one direction, if the other is not there', async () => {
    const left = side(1000, 1, 2, [1140, NaN], [6100, NaN]);
    const right = side(6000, 2, 9, [6540], [1500]);
    const [best] = await alignments(left, right);
    assert.deepEqual([best?.method, best?.ahead], ['rtp', -4960]);
    const [again] = await alignments(right, left);
    assert.deepEqual([again?.method, again?.ahead], ['rtp', 4960]);
  });

  it('are not told by streams of a server in between, nor by nonsense', async () => {
    const [best] = await alignments(side(1000, 1, 7, [1], [1]), side(2000, 2, 8, [1], [1]));
    assert.deepEqual([best?.method, best?.ahead], ['clocks', 0]);
    const [far] = await alignments(side(1000, 1, 2, [1.8e12], [5000]), side(2000, 2, 1, [1.8e12], [5000]));
    assert.equal(far?.method, 'rtp', 'both are wrong by the same, which is no difference');
    const [one] = await alignments(side(1000, 1, 2, [1.8e12], [5000]), side(2000, 2, 9, [1.8e12], [5000]));
    assert.equal(one?.method, 'clocks');
  });

  it('are told by the collector, where they are wrong, and else as they were', async () => {
    const by = (start: number, heard: number) => side(start, 1, 7, [], [], { startTime: heard });
    const wrong = await alignments(by(50_000, 1000), by(2500, 1500));
    assert.deepEqual(wrong.map(({ method, ahead }) => [method, ahead]), [['collector', 48_000], ['starts', 47_500], ['clocks', 0]]);
    const right = await alignments(by(1300, 1000), by(2500, 2000));
    assert.deepEqual(right.map(({ method, ahead }) => [method, ahead]), [['clocks', 0], ['collector', -200], ['starts', -1200]]);
  });

  it('of what was at different times are aligned by the beginnings', async () => {
    const [best] = await alignments(side(1000, 1, 7, [], []), side(900_000, 2, 8, [], []));
    assert.deepEqual([best?.method, best?.ahead], ['starts', -899_000]);
  });
});
