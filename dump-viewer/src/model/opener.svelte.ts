// Opening, following and closing recordings: at most one is open, and only the newest wish counts. Of several files, and of a file with several
// sessions, the shelf has all, and one of them is open.

import * as api from '../import/api';
import { fetchFile, nameOf } from '../import/fetching';
import type { Opened, SoraSession } from '../import/messages';
import { DumpReader } from '../import/reader';
import { follow } from './follow';
import { Recording, type Origin } from './recording';
import { dateText, durationText } from './time';

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

export interface Loading {
  state: 'loading';
  name: string;
  step: 'fetching' | 'reading';
  /** NaN while nobody knows how much there is. */
  share: number;
}

export type Opening =
  | { state: 'none' }
  | Loading
  | { state: 'open'; recording: Recording; following: Following }
  | { state: 'failed'; failure: Failure };

/** The type of a dump that is not stored yet. */
const LINES = 'application/x-ndjson';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What can be opened without being fetched again. */
export interface Shelved {
  name: string;
  blob: Blob;
  /** Of a file with several sessions, one of them. */
  session: SoraSession | null;
}

type Progress = (share: number) => void;

export class Opener {
  /** What is open. While a file is read, that is what of it is there. */
  now = $state.raw<Opening>({ state: 'none' });
  /** What was chosen to be opened: files, and sessions of files. */
  shelf = $state.raw<Shelved[]>([]);
  /** Which of them is. */
  place = $state(0);
  /** The share of what is open that is read; null once that is all. */
  reading = $state<number | null>(null);
  #address: string | null = null;
  #abort: AbortController | null = null;
  #reader: DumpReader | null = null;
  /** The session that is open, or on its way; empty of a file. */
  id = '';

  /** `isShown`: whether a part of a recording is, before the rest is read. */
  constructor(private readonly isShown: (part: Recording) => boolean) {}

  /** What is on its way. */
  get loading(): Loading | null {
    const { now, reading } = this;
    if (now.state === 'loading') return now;
    return now.state === 'open' && reading !== null ? { state: 'loading', name: nameOfOrigin(now.recording.origin), step: 'reading', share: reading } : null;
  }

  /** Closes what is open and forgets what was chosen. */
  close(): void {
    this.shelf = [];
    this.#address = null;
    this.#stop();
  }

  async files(files: File[]): Promise<void> {
    this.close();
    this.shelf = files.map((file) => ({ name: file.name, blob: file, session: null }));
    await this.take(0);
  }

  /** Opens what is at a place of the shelf. */
  async take(place: number): Promise<void> {
    const shelved = this.shelf[place];
    if (!shelved) return;
    this.place = place;
    await this.#open(shelved.name, () => Promise.resolve({ blob: shelved.blob, origin: fileOrigin(shelved) }), shelved);
  }

  async address(address: string): Promise<void> {
    // Which of its sessions is open is no part of the address.
    if (address === this.#address) return;
    this.close();
    this.#address = address;
    const name = nameOf(address);
    await this.#open(name, async (signal, progress) => {
      const blob = await fetchFile(address, signal, progress);
      this.shelf = [{ name, blob, session: null }];
      this.place = 0;
      return { blob, origin: { kind: 'file', name, size: blob.size } };
    });
  }

  async session(id: string): Promise<void> {
    this.close();
    const opening = this.#open(id, async (signal, progress) => {
      const session = await api.session(id, signal);
      return { blob: await api.dump(id, signal, progress), origin: { kind: 'session', session } };
    });
    this.id = id;
    await opening;
  }

  #stop(): void {
    this.#abort?.abort();
    this.#reader?.close();
    this.#abort = null;
    this.#reader = null;
    this.id = '';
    this.now = { state: 'none' };
    this.reading = null;
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
    fetch: (signal: AbortSignal, progress: Progress) => Promise<{ blob: Blob; origin: Origin }>,
    shelved: Shelved | null = null,
  ): Promise<void> {
    this.#stop();
    const abort = new AbortController();
    this.#abort = abort;
    const progress = (step: 'fetching' | 'reading') => (share: number) => {
      if (!abort.signal.aborted) this.now = { state: 'loading', name, step, share };
    };
    progress('fetching')(NaN);
    let reader: DumpReader | null = null;
    let title = 'This session cannot be shown';
    try {
      const { blob, origin } = await fetch(abort.signal, progress('fetching')).catch((error: unknown) => {
        if (this.#address !== null) title = `${name} cannot be fetched`;
        throw error;
      });
      if (abort.signal.aborted) return;
      if (origin.kind === 'file') title = `${name} cannot be shown`;
      reader = DumpReader.take();
      this.#reader = reader;
      let recording: Recording | null = null;
      const own = reader;
      const opened = await own.open(blob, shelved?.session?.id ?? null, {
        progress: (share) => {
          if (!recording) progress('reading')(share);
          else if (!abort.signal.aborted) this.reading = share;
        },
        part: (opened) => {
          if (abort.signal.aborted) return;
          const part = recording?.grown(opened) ?? new Recording(own, opened, origin);
          if (!recording && !this.isShown(part)) return;
          this.reading ??= this.now.state === 'loading' ? this.now.share : 0;
          recording = part;
          this.now = { state: 'open', recording, following: 'no' };
        },
      });
      if (abort.signal.aborted) return;
      this.reading = null;
      if ('sessions' in opened) {
        const several = opened.sessions.map((session) => ({ name, blob, session }));
        this.shelf = this.shelf.toSpliced(this.place, 1, ...several);
        await this.take(this.place);
        return;
      }
      const whole = (recording as Recording | null)?.grown(opened) ?? new Recording(reader, opened, origin);
      this.now = { state: 'open', recording: whole, following: 'no' };
      const session = origin.kind === 'session' ? origin.session : null;
      // What is stored is compressed, and over.
      if (session?.state === 'live' && blob.type === LINES) void this.#follow(session.id, whole, opened, blob.size, abort.signal);
    } catch (error) {
      reader?.close();
      if (abort.signal.aborted) return;
      const reason = sentence(error instanceof Error ? error.message : String(error));
      const locked = error instanceof api.ApiError && error.isLocked;
      this.now = { state: 'failed', failure: { title, reason, locked } };
    }
  }
}

const nameOfOrigin = (origin: Origin) => (origin.kind === 'file' ? origin.name : origin.session.id);

function fileOrigin({ name, blob, session }: Shelved): Origin {
  return { kind: 'file', name: session ? `${name} · ${session.channel ?? session.id}` : name, size: blob.size };
}

/** What is on the shelf, in a line. */
export function shelvedText({ name, session }: Shelved): string {
  if (!session) return name;
  const { id, channel, connections, start, end } = session;
  const what = channel === null ? `node ${id}` : `${channel}, ${connections} connection${connections === 1 ? '' : 's'}`;
  return `${what}, ${dateText(start)}, ${durationText(end - start)} · ${name}`;
}

/** Messages of the reader begin as a part of one. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
