// Parts of a recording's time, Unix ms.

export interface Range {
  min: number;
  max: number;
}

/** A shorter part means nothing, and is a slip of the hand. */
const SHORTEST = 5;

/** What is left of a part within the whole; null if that is too short. */
export function within(full: Range, from: number, to: number): Range | null {
  const min = Math.max(full.min, Math.min(from, to));
  const max = Math.min(full.max, Math.max(from, to));
  return max - min >= SHORTEST ? { min, max } : null;
}

/** A part that is `factor` times as long, in which `around` stays in its place; null for the whole. */
export function scaled(full: Range, part: Range, around: number, factor: number): Range | null {
  const length = Math.max(SHORTEST, (part.max - part.min) * factor);
  if (length >= full.max - full.min) return null;
  const share = Math.min(1, Math.max(0, (around - part.min) / (part.max - part.min)));
  const min = Math.min(full.max - length, Math.max(full.min, around - share * length));
  return { min, max: min + length };
}

/** The part beside this one, by a share of its length. */
export function moved(full: Range, part: Range, share: number): Range {
  const length = part.max - part.min;
  const min = Math.min(full.max - length, Math.max(full.min, part.min + share * length));
  return { min, max: min + length };
}
