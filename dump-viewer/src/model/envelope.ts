// The smallest and the largest value of any part of a series, without looking at each of its points: what a graph of hours is drawn
// from, since a column of its pixels stands for many points.

/** Points of a block of the first level. */
const FIRST = 8;
/** Blocks of a level in one of the next. */
const NEXT = 4;

interface Level {
  /** Points of a block. */
  size: number;
  min: Float64Array;
  max: Float64Array;
}

export class Envelope {
  readonly #levels: Level[] = [];

  /** NaN is no value. */
  constructor(readonly values: Float64Array) {
    for (let size = FIRST; size < values.length; size *= NEXT) this.#levels.push(this.#level(size));
  }

  #level(size: number): Level {
    const blocks = Math.ceil(this.values.length / size);
    const level = { size, min: new Float64Array(blocks), max: new Float64Array(blocks) };
    const below = this.#levels.at(-1) ?? { size: 1, min: this.values, max: this.values };
    const step = size / below.size;
    for (let block = 0; block < blocks; block += 1) {
      let [min, max] = [Infinity, -Infinity];
      const end = Math.min((block + 1) * step, below.min.length);
      for (let at = block * step; at < end; at += 1) {
        // Neither is true of NaN.
        if (below.min[at]! < min) min = below.min[at]!;
        if (below.max[at]! > max) max = below.max[at]!;
      }
      level.min[block] = min <= max ? min : NaN;
      level.max[block] = min <= max ? max : NaN;
    }
    return level;
  }

  /** The smallest and the largest value from `from` to before `to`, null where there is none. */
  range(from: number, to: number): [number, number] | null {
    let [min, max] = [Infinity, -Infinity];
    let at = Math.max(0, from);
    const end = Math.min(to, this.values.length);
    while (at < end) {
      const level = this.#levels.findLast(({ size }) => at % size === 0 && at + size <= end);
      const low = level ? level.min[at / level.size]! : this.values[at]!;
      const high = level ? level.max[at / level.size]! : low;
      if (low < min) min = low;
      if (high > max) max = high;
      at += level?.size ?? 1;
    }
    return min <= max ? [min, max] : null;
  }

  /** What lies from `from` to before `to`, in parts that follow one another, of at most `atMost` points each; their values are NaN where there are none. */
  *parts(from: number, to: number, atMost: number): Generator<{ from: number; to: number; min: number; max: number }> {
    const level = this.#levels.findLast(({ size }) => size <= atMost);
    if (!level) return;
    const end = Math.min(to, this.values.length);
    for (let block = Math.floor(Math.max(0, from) / level.size); block * level.size < end; block += 1) {
      const start = block * level.size;
      yield { from: start, to: Math.min(start + level.size, this.values.length), min: level.min[block]!, max: level.max[block]! };
    }
  }
}
