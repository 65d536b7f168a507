// Opening, following and closing recordings: at most one is open, and only the newest wish counts.

import * as api from '../import/api';
import type { Opened } from '../import/messages';
import { DumpReader } from '../import/reader';
import { follow } from './follow';
import { Recording, type Origin } from './recording';

/** Why nothing is shown. */
export interface Failure {
  title: string;
  reason: string;
  /** The collector asks for a token. */
  locked: boolean;
}

/** Whether a recording goes on: it is followed, or would be, if the collector answered. */
export type Following = 'no' | 'follows' | 'waits';

/** Between attempts to follow. */
const RETRY = 2000;

export type Opening =
  | { state: 'none' }
  | { state: 'loading'; name: string; step: 'fetching' | 'reading'; share: number }
  | { state: 'open'; recording: Recording; following: Following }
  | { state: 'failed'; failure: Failure };

/** The type of a dump that is not stored yet. */
const LINES = 'application/x-ndjson';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export class Opener {
  now = $state.raw<Opening>({ state: 'none' });
  #abort: AbortController | null = null;
  #reader: DumpReader | null = null;
  /** The session that is open, or on its way; empty of a file. */
  id = '';

  close(): void {
    this.#abort?.abort();
    this.#reader?.close();
    this.#abort = null;
    this.#reader = null;
    this.id = '';
    this.now = { state: 'none' };
  }

  async file(file: File): Promise<void> {
    await this.#open(file.name, `${file.name} cannot be shown`, async () => ({
      blob: file,
      origin: { kind: 'file', name: file.name, size: file.size },
    }));
  }

  async session(id: string): Promise<void> {
    const opening = this.#open(id, 'This session cannot be shown', async (signal) => {
      const session = await api.session(id, signal);
      return { blob: await api.dump(id, signal), origin: { kind: 'session', session } };
    });
    this.id = id;
    await opening;
  }

  /** Adds what comes to a session that runs, until it ends. */
  async #follow(id: string, first: Recording, opened: Opened, length: number, signal: AbortSignal): Promise<void> {
    let [recording, latest, at] = [first, opened, length];
    const show = (following: Following) => {
      if (!signal.aborted) this.now = { state: 'open', recording, following };
    };
    const take = async (bytes: Uint8Array) => {
      at += bytes.length;
      latest = await recording.reader.append(bytes);
      recording = recording.grown(latest);
      show('follows');
    };
    while (!signal.aborted) {
      try {
        show('follows');
        await follow(id, at, signal, take);
        const session = await api.session(id, signal);
        // It may go on after its end, and Sora's is put in order at its end: then the text is another.
        const isWhole = session.state === 'ended' && session.source === 'browser' && session.lines === recording.length + recording.overview.skipped.count;
        if (!isWhole) {
          await pause(RETRY);
          if (!signal.aborted) void this.session(id);
          return;
        }
        recording = recording.grown(latest, { kind: 'session', session });
        return show('no');
      } catch (error) {
        if (signal.aborted) return;
        const status = error instanceof api.ApiError ? error.status : 0;
        // It was stored meanwhile.
        if (status === 409 && (await api.session(id, signal).catch(() => null))?.state === 'ended') return void this.session(id);
        // It runs in another collector, nobody else is let in, or it is gone.
        if (status >= 400) return show('no');
        show('waits');
        await pause(RETRY);
      }
    }
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
      reader = DumpReader.take();
      this.#reader = reader;
      const opened = await reader.open(blob, (share) => {
        if (!abort.signal.aborted) this.now = { state: 'loading', name, step: 'reading', share };
      });
      if (abort.signal.aborted) return;
      const recording = new Recording(reader, opened, origin);
      this.now = { state: 'open', recording, following: 'no' };
      const session = origin.kind === 'session' ? origin.session : null;
      // What is stored is compressed, and over.
      if (session?.state === 'live' && blob.type === LINES) void this.#follow(session.id, recording, opened, blob.size, abort.signal);
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
