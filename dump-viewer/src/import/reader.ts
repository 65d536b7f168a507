// The page's side of the worker: one reader for one open dump.

import wasmUrl from '../wasm/viewer_bg.wasm?url';
import type { EventValue, Found, Opened, Request, Response, SeriesData, Several } from './messages';

type Unsent<T> = T extends Request ? Omit<T, 'id'> : never;

interface Waiting {
  resolve(result: never): void;
  reject(error: Error): void;
  reading?: Reading | undefined;
  found?: ((found: Found) => void) | undefined;
}

/** Who opens a file hears meanwhile which share of it is read, from 0 to 1, and now and then what it comes to so far. */
export interface Reading {
  progress(share: number): void;
  part(opened: Opened): void;
}

/** The module of all readers: it comes and is compiled while the page is still being made. */
const module = compile();
// Whoever opens a dump learns of it.
module.catch(() => undefined);

async function compile(): Promise<WebAssembly.Module> {
  const response = await fetch(wasmUrl);
  if (!response.ok) throw new Error(`The reader of dumps cannot be fetched: ${response.status} ${response.statusText}`.trim());
  // Some servers do not know the type of such files.
  if (response.headers.get('content-type') === 'application/wasm') return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

/** One that was started before anybody asked for it. */
let spare: DumpReader | null = null;

export class DumpReader {
  #worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor() {
    void module.then((compiled) => this.#worker.postMessage(compiled), () => undefined);
    this.#worker.onmessage = ({ data }: MessageEvent<Response>) => this.#answer(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(`The reader of dumps stopped${event.message ? `: ${event.message}` : '.'}`));
    };
  }

  /** Starts one for later: a worker and its module take a moment, in which nobody waits yet. */
  static prepare(): void {
    spare ??= new DumpReader();
  }

  static take(): DumpReader {
    const reader = spare ?? new DumpReader();
    spare = null;
    return reader;
  }

  /** Reads a file, and of one with several sessions that one. All but a copy can be asked for while it is read. */
  async open(blob: Blob, session: string | null, reading: Reading): Promise<Opened | Several> {
    await module;
    return this.#ask({ do: 'open', blob, session }, { reading });
  }

  /** Reads on, behind what was opened: the next bytes of a session that runs. */
  append(bytes: Uint8Array): Promise<Opened> {
    return this.#ask({ do: 'append', bytes });
  }

  previews(events: Uint32Array): Promise<string[]> {
    return this.#ask({ do: 'previews', from: events });
  }

  value(event: number): Promise<EventValue> {
    return this.#ask({ do: 'value', event });
  }

  /** A copy that can be given away, compressed by gzip. */
  anonymized(): Promise<Blob> {
    return this.#ask({ do: 'anonymized' });
  }

  /**
   * Hands over the events that contain `text`: first those that are no reports, then, part by part, the reports; `onwards` from where the last
   * search for it was. It ends where another one begins.
   */
  search(text: string, onwards: boolean, found: (found: Found) => void): Promise<void> {
    return this.#ask({ do: 'search', text, onwards }, { found });
  }

  /** Ends a search. */
  rest(): void {
    void this.#ask({ do: 'rest' }).catch(() => undefined);
  }

  series(connection: number, entry: number, names: string[]): Promise<SeriesData> {
    return this.#ask({ do: 'series', connection, entry, names });
  }

  /** Ends the worker, also in the middle of reading. */
  close(): void {
    this.#worker.terminate();
    this.#fail(new DOMException('The recording was closed.', 'AbortError'));
  }

  #ask<T>(request: Unsent<Request>, told: Omit<Waiting, 'resolve' | 'reject'> = {}): Promise<T> {
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, ...told });
      this.#worker.postMessage({ ...request, id });
    });
  }

  #answer(response: Response): void {
    const waiting = this.#waiting.get(response.id);
    if (!waiting) return;
    if ('progress' in response) return waiting.reading?.progress(response.progress);
    if ('part' in response) return waiting.reading?.part(response.part);
    if ('found' in response) return waiting.found?.(response.found);
    this.#waiting.delete(response.id);
    if (response.ok) waiting.resolve(response.result as never);
    else waiting.reject(new Error(response.error));
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
