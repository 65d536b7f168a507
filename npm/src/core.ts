/**
 * The WebAssembly module: loading it, and calls of it that are safe whatever happens inside. There is one per page and
 * bundle. After a trap its memory is not to be trusted any more, so it is never called again.
 *
 * The exports are called as wasm-bindgen types them, without the glue that it writes for all that could be passed: here are
 * numbers and texts only, in half of its size, and without a method that a page could replace later.
 */

import type * as Exports from '../build/rtctrace_bg.wasm';
import type { ModuleSource } from './options.js';
import { original } from './original.js';

/** What the core is told of, by the numbers that it knows them by. */
export const START = 0;
export const CLOSED = 1;
export const TICK = 2;
export const ONLINE = 3;
export const HIDDEN = 4;
export const PAGE_HIDE = 5;
export const CLOSE = 6;
export const FORBIDDEN = 7;
export const FLUSH = 8;
export const SHOWN = 9;
export const BEACON_REFUSED = 10;

/** What the core wants done. */
export const CONNECT = 1;
export const SEND = 2;
export const DISCONNECT = 3;
export const BEACON = 4;
export const FIRST_FLUSH = 5;
export const OVER = 6;

// The page may replace these later.
const { apply } = Reflect;
const { TextEncoder, TextDecoder } = globalThis;
const encoder = new TextEncoder();
const { encodeInto } = TextEncoder.prototype;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const { decode } = TextDecoder.prototype;

/** For values of JavaScript inside the module, of which there are none. */
const IMPORTS = { './rtctrace_bg.js': { __wbindgen_init_externref_table() {} } };

const DEAD = 'a fault has stopped the module of this page';

/** The module's exports, once it is loaded. */
export let wasm: typeof Exports | undefined;
let dead = false;

/** Loads the module at once. `false` if this browser compiles a module of this size in the background only. */
export function loadNow(bytes: Uint8Array): boolean {
  if (dead) throw new Error(DEAD);
  if (wasm) return true;
  try {
    attach(new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), IMPORTS));
    return true;
  } catch (error) {
    // Chromium before 118 and the like; anything else would go wrong again.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Loads the module. Rejects if it cannot be had or may not be compiled. */
export async function load(source: ModuleSource): Promise<void> {
  if (dead) throw new Error(DEAD);
  if (wasm) return;
  const isAddress = typeof source === 'string' || source instanceof URL || source instanceof Request;
  if (source instanceof WebAssembly.Module) attach(await WebAssembly.instantiate(source, IMPORTS));
  else attach((await (isAddress ? download(source) : WebAssembly.instantiate(source, IMPORTS))).instance);
}

async function download(address: string | URL | Request): Promise<WebAssembly.WebAssemblyInstantiatedSource> {
  const response: Response = await original(globalThis, 'fetch')(address);
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
  // Many a server does not know the type, and then the browser does not compile what it streams.
  return response.headers.get('content-type') === 'application/wasm'
    ? WebAssembly.instantiateStreaming(response, IMPORTS)
    : WebAssembly.instantiate(await response.arrayBuffer(), IMPORTS);
}

function attach({ exports }: WebAssembly.Instance): void {
  // Two loads may have met.
  if (wasm) return;
  wasm = exports as unknown as typeof Exports;
  wasm.__wbindgen_start();
}

/** The module for one user of it, who hears when it has died. */
export class Core {
  readonly #died: (error: unknown) => void;

  constructor(died: (error: unknown) => void) {
    this.#died = died;
  }

  /** Runs `work`, which calls the module and nothing else. Without a module, or after it has died: `otherwise`. */
  call<T>(work: (wasm: typeof Exports) => T, otherwise: T): T {
    if (dead || !wasm) return otherwise;
    try {
      return work(wasm);
    } catch (error) {
      // A trap, or no stack left: either way the module stopped in the middle of something.
      dead = true;
      this.#died(error);
      return otherwise;
    }
  }

  begin(limit: number, seed: number, renewable: boolean, now: number): void {
    this.call((wasm) => wasm.begin(limit, seed, Number(renewable), now), undefined);
  }

  record(method: string, connection: number | null, json: string, extra: string, now: number): void {
    this.call((wasm) => wasm.record(...give(method), connection ?? -1, ...give(json), ...give(extra), now), undefined);
  }

  /** Of the negotiation: what is compressed against what came before. */
  describe(method: string, connection: number, json: string, tracking: string, now: number): void {
    this.call((wasm) => wasm.describe(...give(method), connection, ...give(json), ...give(tracking), now), undefined);
  }

  /** False if it was not kept. */
  report(connection: number, json: string, extra: string, now: number): boolean {
    return Boolean(this.call((wasm) => wasm.report(connection, write(json), ...give(extra), now), 0));
  }

  gone(connection: number): void {
    this.call((wasm) => wasm.gone(connection), undefined);
  }

  input(kind: number, number: number, now: number): void {
    this.call((wasm) => wasm.input(kind, number, now), undefined);
  }

  frame(text: string, now: number): void {
    this.call((wasm) => wasm.frame(...give(text), now), undefined);
  }

  /** The next thing to do; 0 when there is none. */
  effect(): number {
    return this.call((wasm) => wasm.effect(), 0);
  }

  effectNumber(): number {
    return this.call((wasm) => wasm.effect_number(), 0);
  }

  effectText(): string {
    return this.call((wasm) => take(wasm.effect_text()), '');
  }

  /** Unix ms of the next TICK; -1 for none. */
  deadline(): number {
    return this.call((wasm) => wasm.deadline(), -1);
  }

  state(): number {
    return this.call((wasm) => wasm.state(), 3);
  }

  counter(index: number): number {
    return this.call((wasm) => wasm.counter(index), 0);
  }
}

/** Puts a report's text into the buffer that the module keeps for it. Returns its length in bytes. For use in {@link Core.call}. */
export function write(text: string): number {
  // One byte for a character is enough nearly always; three are enough for any.
  for (const size of [text.length, 3 * text.length]) {
    const { read, written } = encode(text, wasm!.input_buffer(size), size);
    if (read === text.length) return written;
  }
  return 0;
}

/** An empty text lies nowhere, and the module frees nothing of it. */
const NOTHING: [number, number] = [1, 0];

/** Gives a text to the module: its address and length. For use in {@link Core.call}. */
export function give(text: string): [number, number] {
  if (!text) return NOTHING;
  const { __wbindgen_malloc: allocate, __wbindgen_realloc: resize } = wasm!;
  let size = text.length;
  let address = allocate(size, 1);
  let { read, written } = encode(text, address, size);
  if (read < text.length) {
    address = resize(address, size, 3 * text.length, 1);
    size = 3 * text.length;
    ({ written } = encode(text, address, size));
    // The module frees as many bytes as it is given.
    address = resize(address, size, written, 1);
  }
  return [address, written];
}

/** Takes a text from the module. For use in {@link Core.call}. */
export function take([address, length]: [number, number]): string {
  const { memory, __wbindgen_free: free } = wasm!;
  const text: string = apply(decode, decoder, [new Uint8Array(memory.buffer, address >>> 0, length)]);
  free(address, length, 1);
  return text;
}

/** The address comes first, because the memory may have grown for it and lost its old buffer. */
function encode(text: string, address: number, size: number): TextEncoderEncodeIntoResult {
  return apply(encodeInto, encoder, [text, new Uint8Array(wasm!.memory.buffer, address >>> 0, size)]);
}
