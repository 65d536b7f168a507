// Which events the table shows: by category, method, failure and text.

import { SvelteSet } from 'svelte/reactivity';
import { CATEGORIES, type Category } from './events';
import type { Recording } from './recording';

/** What was found so far. */
interface Search {
  text: string;
  /** By event number, 1 where the text occurs. */
  is: Uint8Array;
  /** Of reports, a number of `places`. */
  at: Map<number, number>;
  places: string[];
  /** How much was searched, from 0 to 1. */
  share: number;
  stopped: boolean;
}

function fitting(column: Uint8Array, length: number): Uint8Array {
  if (column.length >= length) return column;
  const longer = new Uint8Array(length);
  longer.set(column);
  return longer;
}

export class EventFilter {
  text = $state('');
  failures = $state(false);
  /** One method, or all of the chosen categories. */
  method = $state('');
  // Reports outnumber everything else, and the graphs show them better.
  readonly categories = new SvelteSet<Category>(CATEGORIES.map(({ id }) => id).filter((id) => id !== 'reports'));
  #search = $state.raw<Search | null>(null);
  /** Counts what was looked for: what an older search finds is nothing to this one. */
  #asked = 0;
  #looks = 0;

  recording = $state.raw() as Recording;

  constructor(recording: Recording) {
    this.recording = recording;
  }

  /** The recording has grown. */
  grow(recording: Recording): void {
    this.recording = recording;
    if (this.#search && !this.#search.stopped) void this.#look(this.#search).catch(() => undefined);
  }

  /** Asks the worker for the events that contain the text; the last question counts. */
  async search(text: string): Promise<void> {
    this.#asked += 1;
    if (text.trim() !== '') return this.#look({ text, is: new Uint8Array(this.recording.length), at: new Map(), places: [], share: 0, stopped: false }, true);
    if (this.searching !== null) this.recording.reader.rest();
    this.#search = null;
  }

  /** Looks for what is not found yet: from the beginning, or behind what was looked at. */
  async #look(search: Search, isNew = false): Promise<void> {
    const [asked, look] = [this.#asked, ++this.#looks];
    const { text, at, places } = search;
    await this.recording.reader.search(text, !isNew, (found) => {
      if (asked !== this.#asked) return;
      const before = this.#search?.at === at ? this.#search : search;
      const is = fitting(before.is, Math.max(this.recording.length, (found.events.at(-1) ?? 0) + 1));
      places.push(...found.places);
      found.events.forEach((event, index) => {
        is[event] = 1;
        if (found.at) at.set(event, found.at[index] ?? -1);
      });
      // One that another goes on with does not tell how far it is, nor does what comes before any report.
      const share = look === this.#looks && (found.at || isNew) ? found.share : before.share;
      this.#search = { ...before, is, share };
    });
  }

  /** Looks no further. */
  stop(): void {
    this.#asked += 1;
    this.recording.reader.rest();
    if (this.#search) this.#search = { ...this.#search, share: 1, stopped: true };
  }

  /** How much of the reports was searched, from 0 to 1; null while nothing is. */
  get searching(): number | null {
    const share = this.#search?.share ?? 1;
    return share < 1 ? share : null;
  }

  /** What is looked for, as far as something is found; else empty. */
  get wanted(): string {
    return this.#search?.text.trim() ?? '';
  }

  /** Whether what is looked for is in an event. */
  found(event: number): boolean {
    return this.#search?.is[event] === 1;
  }

  /** Where in a report it is: an entry and a member; empty of other events. */
  place(event: number): string {
    return this.#search?.places[this.#search.at.get(event) ?? -1] ?? '';
  }

  clear(): void {
    this.text = '';
    // At once: the next key is about what is there then.
    void this.search('');
    this.method = '';
    this.failures = false;
  }

  /** Lets an event through, whatever it takes. */
  reveal(event: number): void {
    this.categories.add(this.recording.category(event));
    if (this.apply(Uint32Array.of(event)).length === 0) this.clear();
  }

  /** Lets everything through. */
  showAll(): void {
    this.clear();
    this.showKinds();
  }

  /** Lets events of all categories through. */
  showKinds(): void {
    for (const { id } of CATEGORIES) this.categories.add(id);
  }

  get narrowed(): boolean {
    return this.text !== '' || this.method !== '' || this.failures;
  }

  apply(events: Uint32Array): Uint32Array {
    const { recording } = this;
    const found = this.#search;
    const method = this.method;
    const wanted = new Set(this.categories);
    return events.filter((event) => {
      if (method ? recording.method(event) !== method : !wanted.has(recording.category(event))) return false;
      if (this.failures && !recording.failed(event)) return false;
      return found === null || found.is[event] === 1;
    });
  }
}
