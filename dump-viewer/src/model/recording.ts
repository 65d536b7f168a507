// One open recording, as the views know it, wherever it came from.

import type { SessionWithFeatures, Sora } from '../import/api';
import { FLAG_FAILURE, FLAG_WARNING } from '../import/messages';
import type { ConnectionOverview, EventColumns, EventValue, Features, Opened, Overview } from '../import/messages';
import type { DumpReader } from '../import/reader';
import { categoryOf, markOf, type Category, type MarkKind } from './events';

/** Where a recording came from. */
export type Origin = { kind: 'session'; session: SessionWithFeatures } | { kind: 'file'; name: string; size: number };

export interface Mark {
  time: number;
  kind: MarkKind;
  event: number;
  method: string;
}

const VALUES = 50;

export class Recording {
  readonly overview: Overview;
  readonly columns: EventColumns;
  /** Number of events. */
  readonly length: number;
  readonly #categories: Category[];
  /** Methods of calls that have outcomes. */
  readonly #answered: Set<number>;
  readonly #values: Map<number, Promise<EventValue>>;

  constructor(
    readonly reader: DumpReader,
    { overview, columns }: Opened,
    readonly origin: Origin,
    before?: Recording,
  ) {
    this.#values = before ? before.#values : new Map();
    this.overview = overview;
    this.columns = columns;
    this.length = columns.time.length;
    this.#categories = overview.methods.map(categoryOf);
    this.#answered = new Set(columns.method.filter((_, event) => (columns.partner[event] ?? -1) > event));
  }

  /** The same with further events; what was known of the others stays. */
  grown(opened: Opened, origin = this.origin): Recording {
    return new Recording(this.reader, opened, origin, this);
  }

  get start(): number {
    return this.overview.start;
  }

  /** Always after the start, so that there is an axis. */
  get end(): number {
    return Math.max(this.overview.end, this.overview.start + 1);
  }

  get features(): Features | null {
    // Of one that runs, the collector told what it was when it was opened.
    const stored = this.origin.kind === 'session' && this.origin.session.state === 'ended' ? this.origin.session.features : null;
    return stored ?? this.overview.features;
  }

  /** What the SFU Sora told of it, if it is Sora's. */
  get sora(): Partial<Sora> | null {
    if (this.origin.kind === 'session') return this.origin.session.sora;
    const told = this.overview.metadata['sora'];
    return typeof told === 'object' && told !== null && !Array.isArray(told) ? told : null;
  }

  /** The features of a connection; none if they are not known. */
  connectionFeatures(index: number): Record<string, unknown> {
    const id = this.connection(index)?.id;
    return this.features?.connections.find((features) => features.id === id) ?? {};
  }

  connection(index: number): ConnectionOverview | undefined {
    return this.overview.connections[index];
  }

  time(event: number): number {
    return this.columns.time[event] ?? NaN;
  }

  method(event: number): string {
    return this.overview.methods[this.columns.method[event] ?? -1] ?? '';
  }

  category(event: number): Category {
    return this.#categories[this.columns.method[event] ?? -1] ?? 'other';
  }

  failed(event: number): boolean {
    return ((this.columns.flags[event] ?? 0) & FLAG_FAILURE) !== 0;
  }

  warned(event: number): boolean {
    return ((this.columns.flags[event] ?? 0) & FLAG_WARNING) !== 0;
  }

  /** Of a call its outcome, of an outcome its call; null if it has none. */
  partner(event: number): number | null {
    const partner = this.columns.partner[event] ?? -1;
    return partner < 0 ? null : partner;
  }

  /** How long a call took, in ms; null of any other event, and of a call whose outcome is not there. */
  took(event: number): number | null {
    const partner = this.partner(event);
    return partner === null || partner < event ? null : this.time(partner) - this.time(event);
  }

  /** Whether it is a call of which no outcome is there, while others of its method have one. */
  unanswered(event: number): boolean {
    return this.partner(event) === null && this.#answered.has(this.columns.method[event] ?? -1);
  }

  /** The session descriptions of an event's connection, in order. */
  descriptions(event: number): number[] {
    return this.overview.connections[this.columns.connection[event] ?? -1]?.descriptions ?? [];
  }

  /** Of a `setLocalDescription`, the outcomes of `createOffer` or `createAnswer` before it, the newest first. */
  created(event: number, type: 'offer' | 'answer'): number[] {
    if (this.method(event) !== 'setLocalDescription') return [];
    const method = type === 'offer' ? 'createOfferOnSuccess' : 'createAnswerOnSuccess';
    return this.descriptions(event).filter((other) => other < event && this.method(other) === method).reverse();
  }

  /** Id of the event's connection, null for the page. */
  connectionId(event: number): string | null {
    return this.overview.connections[this.columns.connection[event] ?? -1]?.id ?? null;
  }

  /** The events of a connection (-1: the page; null: all), in order. */
  events(connection: number | null): Uint32Array {
    const found: number[] = [];
    for (let event = 0; event < this.length; event += 1) {
      if (connection === null || this.columns.connection[event] === connection) found.push(event);
    }
    return Uint32Array.from(found);
  }

  /** What the timeline marks, of a connection or of the page (-1). */
  marks(connection: number): Mark[] {
    const marks: Mark[] = [];
    for (let event = 0; event < this.length; event += 1) {
      if (this.columns.connection[event] !== connection) continue;
      const method = this.method(event);
      const kind = markOf(method, this.failed(event), this.warned(event));
      if (kind) marks.push({ time: this.time(event), kind, event, method });
    }
    return marks;
  }

  /** The complete value of an event; the last few are remembered. */
  value(event: number): Promise<EventValue> {
    const known = this.#values.get(event);
    if (known) return known;
    const value = this.reader.value(event);
    this.#values.set(event, value);
    const oldest = this.#values.keys().next().value;
    if (this.#values.size > VALUES && oldest !== undefined) this.#values.delete(oldest);
    return value;
  }
}
