// How the clocks of two recordings lie to each other: what has to be added to times of the right one so that they are the left one's.

import { number } from './entries';
import type { Recording } from './recording';

/** A connection of a recording. */
export interface Side {
  recording: Recording;
  connection: number;
}

export type Method = 'rtp' | 'collector' | 'clocks' | 'starts';

export interface Alignment {
  method: Method;
  /** Milliseconds to be added to times of the right one. */
  ahead: number;
  /** How it is known. */
  text: string;
}

/** A clock that is so far off is wrong: between its first event and the collector's first word of it lies less, as a rule. */
const WRONG = 5000;
/** Nobody's clock is so far off. */
const ABSURD = 24 * 3600 * 1000;

/** All that can be told, the best first. */
export async function alignments(left: Side, right: Side): Promise<Alignment[]> {
  const found: Alignment[] = [];
  const same = left.recording === right.recording;
  const [there, back] = same ? [null, null] : await Promise.all([passage(left, right), passage(right, left)]);
  const ahead = there !== null && back !== null ? (there - back) / 2 : (there ?? (back === null ? null : -back));
  if (ahead !== null && Math.abs(ahead) < ABSURD) {
    const exact = there !== null && back !== null ? 'what both send' : 'what one of them sends, without the time that it takes';
    found.push({ method: 'rtp', ahead, text: `RTCP sender reports of ${exact}` });
  }
  const [a, b] = [span(left), span(right)];
  const clocks: Alignment = { method: 'clocks', ahead: 0, text: same ? 'one clock made both' : 'the clocks of both computers, as they were' };
  const told = same ? null : toldAhead(left.recording, right.recording);
  const collector: Alignment[] = told === null ? [] : [{ method: 'collector', ahead: told, text: 'when the collector first heard of each, to a second or so' }];
  found.push(...(told !== null && Math.abs(told) > WRONG ? [...collector, clocks] : [clocks, ...collector]));
  // What was at different times is compared from its beginning.
  const overlaps = ({ ahead }: Alignment) => a.start < b.end + ahead && b.start + ahead < a.end;
  const starts: Alignment = { method: 'starts', ahead: a.start - b.start, text: 'both begin at one time' };
  return [...found.filter(overlaps), starts, ...found.filter((one) => !overlaps(one))];
}

/** How far the left clock is ahead of the right one, as the collector's clock, which both headers have, tells; null where one has none. */
function toldAhead(left: Recording, right: Recording): number | null {
  const [a, b] = [left, right].map(({ start, overview }) => start - Number(overview.metadata['startTime'] ?? NaN));
  const ahead = (a ?? NaN) - (b ?? NaN);
  return Math.abs(ahead) < ABSURD ? ahead : null;
}

function span({ recording, connection }: Side): { start: number; end: number } {
  return recording.connection(connection) ?? { start: recording.start, end: recording.end };
}

/**
 * By how much the clock of who receives shows more when a sender report arrives than the sender's did when it left, ms: the difference of the
 * clocks and the shortest time that the way took. Null where none of a stream of the sender's own arrived: a server in between sends its own.
 */
async function passage(to: Side, from: Side): Promise<number | null> {
  const entries = (side: Side, type: string) => (side.recording.connection(side.connection)?.entries ?? []).map((entry, index) => ({ entry, index })).filter(({ entry }) => entry.type === type);
  const sent = new Set(entries(from, 'outbound-rtp').map(({ entry }) => number(entry, 'ssrc')));
  const arrived = entries(to, 'remote-outbound-rtp').filter(({ entry }) => number(entry, 'ssrc') !== null && sent.has(number(entry, 'ssrc')));
  const times = await Promise.all(arrived.map(({ index }) => to.recording.reader.series(to.connection, index, ['timestamp', 'remoteTimestamp'])));
  let least = Infinity;
  for (const { values: [here, there] } of times) {
    here?.forEach((time, at) => {
      const took = time - (there?.[at] ?? NaN);
      if (took < least) least = took;
    });
  }
  return Number.isFinite(least) ? least : null;
}
