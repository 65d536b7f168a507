// Opening and closing recordings: at most one is open, and only the newest wish counts.

import * as api from '../import/api';
import { DumpReader } from '../import/reader';
import { Recording, type Origin } from './recording';

/** Why nothing is shown. */
export interface Failure {
  title: string;
  reason: string;
  /** The collector asks for a token. */
  locked: boolean;
}

export type Opening =
  | { state: 'none' }
  | { state: 'loading'; name: string; step: 'fetching' | 'reading'; share: number }
  | { state: 'open'; recording: Recording }
  | { state: 'failed'; failure: Failure };

export class Opener {
  now = $state.raw<Opening>({ state: 'none' });
  #abort: AbortController | null = null;
  #reader: DumpReader | null = null;

  close(): void {
    this.#abort?.abort();
    this.#reader?.close();
    this.#abort = null;
    this.#reader = null;
    this.now = { state: 'none' };
  }

  async file(file: File): Promise<void> {
    await this.#open(file.name, `${file.name} cannot be shown`, async () => ({
      blob: file,
      origin: { kind: 'file', name: file.name, size: file.size },
    }));
  }

  async session(id: string): Promise<void> {
    await this.#open(id, 'This session cannot be shown', async (signal) => {
      const session = await api.session(id, signal);
      return { blob: await api.dump(id, signal), origin: { kind: 'session', session } };
    });
  }

  async #open(
    name: string,
    title: string,
    fetch: (signal: AbortSignal) => Promise<{ blob: Blob; origin: Origin }>,
  ): Promise<void> {
    this.close();
    const abort = new AbortController();
    this.#abort = abort;
    this.now = { state: 'loading', name, step: 'fetching', share: 0 };
    let reader: DumpReader | null = null;
    try {
      const { blob, origin } = await fetch(abort.signal);
      if (abort.signal.aborted) return;
      if (blob.size === 0) throw new Error('The file is empty.');
      reader = new DumpReader();
      this.#reader = reader;
      const opened = await reader.open(blob, (share) => {
        if (!abort.signal.aborted) this.now = { state: 'loading', name, step: 'reading', share };
      });
      if (abort.signal.aborted) return;
      this.now = { state: 'open', recording: new Recording(reader, opened, origin) };
    } catch (error) {
      reader?.close();
      if (abort.signal.aborted) return;
      const reason = sentence(error instanceof Error ? error.message : String(error));
      const locked = error instanceof api.ApiError && error.isLocked;
      this.now = { state: 'failed', failure: { title, reason, locked } };
    }
  }
}

/** Messages of the reader begin as a part of one. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
