// Where the rows of a virtual table lie: all of one height, but some with details unfolded beneath them.

export const ROW = 24;

export interface Unfolded {
  row: number;
  height: number;
}

export class Rows {
  /** `unfolded` in order of rows. */
  constructor(
    readonly count: number,
    readonly unfolded: readonly Unfolded[],
  ) {}

  get height(): number {
    return this.count * ROW + this.unfolded.reduce((sum, { height }) => sum + height, 0);
  }

  /** The upper edge of a row. */
  top(row: number): number {
    let top = row * ROW;
    for (const details of this.unfolded) {
      if (details.row >= row) break;
      top += details.height;
    }
    return top;
  }

  /** The row, or the details beneath it, at this offset. */
  at(offset: number): number {
    let above = 0;
    for (const { row, height } of this.unfolded) {
      const end = (row + 1) * ROW + above;
      if (offset < end) break;
      if (offset < end + height) return row;
      above += height;
    }
    return Math.max(0, Math.min(this.count - 1, Math.floor((offset - above) / ROW)));
  }
}

/** The last row at or before `time`, or -1; `timeOf` must not decrease. */
export function rowAt(count: number, timeOf: (row: number) => number, time: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(middle) <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
