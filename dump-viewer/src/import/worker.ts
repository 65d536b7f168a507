// The worker that has a dump open. Reading takes as long as it takes here; the page stays quick.

import init, { Dump, type InitOutput } from '../wasm/viewer.js';
import type { EventColumns, Found, Opened, Overview, Request, Response, SeriesData, Several, SoraSession } from './messages';

declare const self: DedicatedWorkerGlobalScope;

let dump: Dump | null = null;
/** The end of what is being read. */
let read: Promise<unknown> = Promise.resolve();
/** The module, which the page has compiled. */
let start: (started: Promise<InitOutput>) => void;
const ready = new Promise<InitOutput>((resolve) => (start = resolve));

function answer(response: Response, transfer: Transferable[] = []): void {
  self.postMessage(response, transfer);
}

/** Bytes of text that are read at a time: a hundredth of a second. Between two parts, who asks is answered. */
const PART = 256 * 2 ** 10;
/** The first part of a long file is shown at once, and what was read since when it has become so many times as much and the page has had so many ms. */
const [TIMES, PAUSE] = [4, 300];
/** Behind this share of a file, nobody waits long for the rest. */
const NEARLY = 0.75;

/** Lets what was asked meanwhile be answered. Timers would wait for 4 ms. */
const turns = new MessageChannel();
const turn = () =>
  new Promise<void>((resolve) => {
    turns.port2.onmessage = () => resolve();
    turns.port1.postMessage(null);
  });

async function open(id: number, blob: Blob, session: string | null): Promise<[Opened | Several, Transferable[]]> {
  const { memory } = await ready;
  // Measurements ask for it.
  Object.assign(self, { memoryBytes: () => memory.buffer.byteLength });
  dump?.free();
  dump = null;
  // FileReaderSync exists in workers only; it lets the reader pull the file piece by piece.
  const reader = new FileReaderSync();
  let share = 0;
  const pull = (start: number, end: number) => {
    share = start / blob.size;
    answer({ id, progress: share });
    return new Uint8Array(reader.readAsArrayBuffer(blob.slice(start, end)));
  };
  const own = (dump = Dump.open(blob.size, pull, session ?? undefined));
  const sessions = own.sessions();
  if (sessions !== undefined) return [{ sessions: JSON.parse(sessions) as SoraSession[] }, []];
  let [next, due] = [PART, 0];
  for (let text = PART; own.readOn(PART); text += PART) {
    if (text >= next && share < NEARLY && performance.now() >= due) {
      const [part, transfer] = opened(own);
      // Without a report there is nothing to draw.
      if (part.overview.connections.some(({ reports }) => reports > 1)) answer({ id, part }, transfer);
      [next, due] = [text * TIMES, performance.now() + PAUSE];
    }
    await turn();
  }
  return opened(own);
}

function opened(dump: Dump): [Opened, Transferable[]] {
  const columns: EventColumns = {
    time: dump.times(),
    method: dump.methods(),
    connection: dump.connections(),
    partner: dump.partners(),
    flags: dump.flags(),
  };
  const overview = JSON.parse(dump.overview()) as Overview;
  return [{ overview, columns }, Object.values(columns).map((column: EventColumns[keyof EventColumns]) => column.buffer)];
}

function series(dump: Dump, connection: number, entry: number, names: string[]): [SeriesData, Transferable[]] {
  const time = dump.points(connection, entry) ?? new Float64Array();
  const breaks = dump.breaks(connection, entry) ?? new Uint32Array();
  const values = names.map((name) => dump.series(connection, entry, name) ?? new Float64Array(time.length).fill(NaN));
  return [{ time, breaks, values }, [time.buffer, breaks.buffer, ...values.map((column) => column.buffer)]];
}

/** A copy that can be given away, compressed. */
function anonymized(dump: Dump): Promise<Blob> {
  const parts: string[] = [];
  dump.anonymized((part: string) => void parts.push(part));
  return new globalThis.Response(new Blob(parts).stream().pipeThrough(new CompressionStream('gzip'))).blob();
}

/** Milliseconds that a search takes at a time: so long waits what else is asked. */
const SEARCH_SLICE = 25;
/** Milliseconds after which it tells what it has found. */
const SEARCH_PART = 150;
/** The search that goes on, by its request. */
let searching = -1;

async function search(id: number, dump: Dump, text: string, onwards: boolean): Promise<void> {
  searching = id;
  const tell = (found: Found) => answer({ id, found }, [found.events.buffer]);
  tell({ events: dump.search(text, onwards), at: null, places: [], share: 0 });
  let known = onwards ? dump.places(0).length : 0;
  let [events, at]: [number[], number[]] = [[], []];
  for (let [share, told] = [0, performance.now()]; share < 1 && searching === id; ) {
    const until = performance.now() + SEARCH_SLICE;
    do {
      const found = dump.search_reports();
      share = (found[0] ?? 0) / Math.max(1, dump.length());
      for (let index = 1; index < found.length; index += 2) {
        events.push(found[index]!);
        at.push(found[index + 1]!);
      }
    } while (share < 1 && performance.now() < until);
    if (share < 1) await new Promise((resolve) => setTimeout(resolve));
    if (share < 1 && searching === id && performance.now() - told < SEARCH_PART) continue;
    const places = dump.places(known);
    known += places.length;
    tell({ events: Uint32Array.from(events), at: Uint32Array.from(at), places, share });
    [events, at, told] = [[], [], performance.now()];
  }
}

async function handle(request: Request): Promise<[unknown, Transferable[]]> {
  if (request.do === 'open') {
    const opening = open(request.id, request.blob, request.session);
    read = opening.catch(() => undefined);
    return opening;
  }
  if (!dump) throw new Error('no recording is open');
  switch (request.do) {
    case 'append':
      dump.append(request.bytes);
      return opened(dump);
    case 'previews':
      return [dump.previews(request.from), []];
    case 'value': {
      const text = dump.value(request.event);
      if (text === undefined) throw new Error('this event cannot be decoded');
      return [JSON.parse(text), []];
    }
    case 'anonymized':
      await read;
      return [await anonymized(dump), []];
    case 'search':
      return [await search(request.id, dump, request.text, request.onwards), []];
    case 'rest':
      searching = -1;
      return [null, []];
    case 'series':
      return series(dump, request.connection, request.entry, request.names);
  }
}

self.onmessage = async ({ data }: MessageEvent<Request | WebAssembly.Module>) => {
  if (data instanceof WebAssembly.Module) return start(init({ module_or_path: data }));
  try {
    const [result, transfer] = await handle(data);
    answer({ id: data.id, ok: true, result }, transfer);
  } catch (error) {
    answer({ id: data.id, ok: false, error: error instanceof Error ? error.message : String(error) });
  }
};
