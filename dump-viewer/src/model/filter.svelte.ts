// Which events the table shows: by category, method, failure and text.

import { SvelteSet } from 'svelte/reactivity';
import { CATEGORIES, type Category } from './events';
import type { Recording } from './recording';

export class EventFilter {
  text = $state('');
  failures = $state(false);
  /** One method, or all of the chosen categories. */
  method = $state('');
  // Reports outnumber everything else, and the graphs show them better.
  readonly categories = new SvelteSet<Category>(CATEGORIES.map(({ id }) => id).filter((id) => id !== 'reports'));
  /** By event number, 1 where the text occurs; null while there is none to look for. */
  #found = $state.raw<Uint8Array | null>(null);
  #asked = 0;

  recording = $state.raw() as Recording;

  constructor(recording: Recording) {
    this.recording = recording;
  }

  /** The recording has grown. */
  grow(recording: Recording): void {
    this.recording = recording;
    void this.search(this.text);
  }

  /** Asks the worker for the events that contain the text; the last question counts. */
  async search(text: string): Promise<void> {
    const asked = ++this.#asked;
    if (text.trim() === '') {
      this.#found = null;
      return;
    }
    const events = await this.recording.reader.search(text);
    if (asked !== this.#asked) return;
    const found = new Uint8Array(this.recording.length);
    for (const event of events) found[event] = 1;
    this.#found = found;
  }

  clear(): void {
    this.text = '';
    // At once: the next key is about what is there then.
    this.#asked += 1;
    this.#found = null;
    this.method = '';
    this.failures = false;
  }

  /** Lets everything through. */
  showAll(): void {
    this.clear();
    for (const { id } of CATEGORIES) this.categories.add(id);
  }

  get narrowed(): boolean {
    return this.text !== '' || this.method !== '' || this.failures;
  }

  apply(events: Uint32Array): Uint32Array {
    const { recording } = this;
    const found = this.#found;
    const method = this.method;
    const wanted = new Set(this.categories);
    return events.filter((event) => {
      if (method ? recording.method(event) !== method : !wanted.has(recording.category(event))) return false;
      if (this.failures && !recording.failed(event)) return false;
      return found === null || found[event] === 1;
    });
  }
}
