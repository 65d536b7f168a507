// Session descriptions by section (RFC 8866, RFC 8829): what each is about, and how one description differs from another.

export interface Section {
  /** What it is found by in another description: its media id, or its place. */
  key: string;
  /** `session`, `audio`, `video`, `application`. */
  media: string;
  /** What a reader looks for first: media id, direction, codecs. */
  facts: string[];
  lines: string[];
}

const linesOf = (sdp: string) => sdp.split(/\r\n|\n|\r/).filter((line) => line !== '');

/** Which of the descriptions that were created, the newest first, was set: one that is the same, or else the newest, and that was changed. */
export function origin<Created extends { sdp: string }>(sdp: string, created: Created[]): Created | null {
  const own = linesOf(sdp).join('\n');
  return created.find((other) => linesOf(other.sdp).join('\n') === own) ?? created[0] ?? null;
}

const DIRECTIONS = new Set(['sendrecv', 'sendonly', 'recvonly', 'inactive']);
/** Payloads that carry or repair another one. */
const HELPERS = new Set(['rtx', 'red', 'ulpfec', 'flexfec-03', 'telephone-event', 'CN']);
const CODECS = 4;

/** The parts of a description: its session part, then one for each `m=` line. */
export function sections(sdp: string): Section[] {
  const parts: string[][] = [];
  for (const line of linesOf(sdp)) {
    const part = parts.at(-1);
    if (!part || line.startsWith('m=')) parts.push([line]);
    else part.push(line);
  }
  return parts.map(section);
}

function section(lines: string[], index: number): Section {
  const [first = ''] = lines;
  if (!first.startsWith('m=')) return { key: 'session', media: 'session', facts: sessionFacts(lines), lines };
  const mid = attribute(lines, 'mid');
  const [media = '', port] = first.slice(2).split(' ');
  const facts = [mid !== null ? `mid ${mid}` : null, port === '0' ? 'rejected' : null, direction(lines), codecs(lines), layers(lines), setup(lines)];
  return { key: mid !== null ? `mid ${mid}` : `#${index}`, media, facts: facts.filter((fact) => fact !== null), lines };
}

/** What stands behind `a=name:`. */
function attribute(lines: string[], name: string): string | null {
  const start = `a=${name}:`;
  return lines.find((line) => line.startsWith(start))?.slice(start.length) ?? null;
}

function sessionFacts(lines: string[]): string[] {
  const bundle = attribute(lines, 'group');
  return [bundle, lines.includes('a=ice-lite') ? 'ice-lite' : null].filter((fact) => fact !== null);
}

const direction = (lines: string[]) => lines.map((line) => line.slice(2)).find((text) => DIRECTIONS.has(text)) ?? null;
const setup = (lines: string[]) => ((role) => (role === null ? null : `setup ${role}`))(attribute(lines, 'setup'));

function codecs(lines: string[]): string | null {
  const names = lines.flatMap((line) => /^a=rtpmap:\d+ ([^/]+)/.exec(line)?.[1] ?? []);
  const own = [...new Set(names)].filter((name) => !HELPERS.has(name));
  if (own.length === 0) return null;
  return own.length > CODECS ? `${own.slice(0, CODECS).join(', ')} and ${own.length - CODECS} more` : own.join(', ');
}

function layers(lines: string[]): string | null {
  const value = attribute(lines, 'simulcast');
  return value === null ? null : `simulcast ${value}`;
}

export type Change = 'same' | 'added' | 'removed';

export interface Difference {
  section: Section;
  /** Of the section as a whole. */
  state: 'same' | 'changed' | 'added' | 'removed';
  lines: { change: Change; text: string }[];
}

/** How `next` differs from `base`, section by section, in the order of `next`; what it has no more comes last. */
export function differences(base: string, next: string): Difference[] {
  const before = new Map(sections(base).map((section) => [section.key, section]));
  const found = sections(next).map((section): Difference => {
    const old = before.get(section.key);
    before.delete(section.key);
    if (!old) return { section, state: 'added', lines: section.lines.map((text) => ({ change: 'added', text })) };
    const lines = compare(old.lines, section.lines);
    return { section, state: lines.some(({ change }) => change !== 'same') ? 'changed' : 'same', lines };
  });
  const gone = [...before.values()].map(
    (section): Difference => ({ section, state: 'removed', lines: section.lines.map((text) => ({ change: 'removed', text })) }),
  );
  return [...found, ...gone];
}

/** Lines around a change that say where it is. */
const CONTEXT = 2;

/** A difference as it is read: long runs of lines that are the same give way to how many they are. */
export function folded(lines: Difference['lines']): ({ change: Change; text: string } | { hidden: number })[] {
  const near = new Uint8Array(lines.length);
  lines.forEach(({ change }, at) => {
    if (change !== 'same') near.fill(1, Math.max(0, at - CONTEXT), at + CONTEXT + 1);
  });
  const found: ReturnType<typeof folded> = [];
  for (const [at, line] of lines.entries()) {
    const last = found.at(-1);
    // The first line says what the section is.
    if (at === 0 || near[at]) found.push(line);
    else if (last && 'hidden' in last) last.hidden += 1;
    else found.push({ hidden: 1 });
  }
  return found;
}

/** Steps that a comparison may take; beyond that, lines count as moved where they differ in place. */
const WORK = 4_000_000;

/** The lines of both, by their longest common subsequence. */
function compare(a: string[], b: string[]): Difference['lines'] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const same = (lines: string[]): Difference['lines'] => lines.map((text) => ({ change: 'same', text }));
  return [
    ...same(b.slice(0, start)),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...same(b.slice(b.length - end)),
  ];
}

function middle(a: string[], b: string[]): Difference['lines'] {
  const removed = a.map((text) => ({ change: 'removed' as const, text }));
  const added = b.map((text) => ({ change: 'added' as const, text }));
  if (a.length === 0 || b.length === 0 || a.length * b.length > WORK) return [...removed, ...added];
  // Lengths of the longest common subsequences of what is left from each pair of places on.
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] =
        a[i] === b[j] ? lengths[(i + 1) * width + j + 1]! + 1 : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const lines: Difference['lines'] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ change: 'same', text: b[j]! });
      i += 1;
      j += 1;
    } else if (j === b.length || (i < a.length && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!)) {
      lines.push(removed[i]!);
      i += 1;
    } else {
      lines.push(added[j]!);
      j += 1;
    }
  }
  return lines;
}
