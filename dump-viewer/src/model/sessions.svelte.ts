// The list of sessions, kept fresh: the collector tells what becomes of them, and is asked where it does not. New sessions come in at the top;
// rows that are shown stay where they are.

import * as api from '../import/api';

const PAGE = 50;
/** Where nothing is told, a session is shown within a second of its end. */
const INTERVAL = 750;
/** What is told may be of other collectors, or of later pages, and late. */
const TOLD_INTERVAL = 30_000;
/** The pause between attempts while the collector does not answer. */
const RETRY = 4000;
/** So many sessions of later pages are asked for one by one when they end. */
const SINGLE = 20;

export class Sessions {
  list = $state.raw<api.Session[]>([]);
  /** The first answer is there. */
  loaded = $state(false);
  error = $state<string | null>(null);
  /** There is no collector to ask. */
  absent = $state(false);
  /** The collector asks for a token. */
  locked = $state(false);
  next = $state<string | null>(null);
  /** How many there are, as far as the collector counts them. */
  total = $state<number | null>(null);
  loadingMore = $state(false);
  /** The collector tells of changes. */
  told = $state(false);
  #pages = 1;
  #filter: [string, string][] = [];
  #now: (() => void) | null = null;

  /** Refreshes until the returned function is called, and rests while the page is hidden. */
  start(): () => void {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let source: EventSource | null = null;
    let listenFrom = 0;
    let running = false;
    let again = false;
    const isVisible = () => document.visibilityState === 'visible' && !abort.signal.aborted;

    const round = async () => {
      again = true;
      if (running) return;
      clearTimeout(timer);
      running = true;
      while (again && isVisible()) {
        again = false;
        await this.#refresh(abort.signal);
      }
      running = false;
      if (isVisible() && !this.error && !this.absent && !source && Date.now() >= listenFrom) listen();
      if (!abort.signal.aborted && !this.absent) timer = setTimeout(() => void round(), this.error ? RETRY : this.told ? TOLD_INTERVAL : INTERVAL);
    };
    const listen = () => {
      const mine = api.listen(
        () => {
          this.told = true;
          void round();
        },
        (changes) => {
          this.#progress(changes);
          if (changes.began ?? changes.ended ?? changes.stored) void round().then(() => this.#single(changes, abort.signal));
        },
        () => {
          this.told = false;
          if (mine.readyState === EventSource.CLOSED) {
            source = null;
            listenFrom = Date.now() + TOLD_INTERVAL;
          }
          void round();
        },
      );
      source = mine;
    };
    const rest = () => {
      source?.close();
      source = null;
      this.told = false;
    };
    const visible = () => {
      if (isVisible()) void round();
      else rest();
    };
    document.addEventListener('visibilitychange', visible);
    this.#now = () => void round();
    void round();
    return () => {
      abort.abort();
      rest();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', visible);
    };
  }

  #progress({ progress = [] }: api.Changes): void {
    const by = new Map(progress.map((session) => [session.id, session]));
    if (this.list.some(({ id }) => by.has(id))) this.list = this.list.map((session) => ({ ...session, ...by.get(session.id) }));
  }

  /** What is over and stands on a later page. */
  async #single({ ended = [], stored = [] }: api.Changes, signal: AbortSignal): Promise<void> {
    const over = new Set([...ended, ...stored]);
    const later = this.#pages === 1 ? [] : this.list.slice(PAGE).filter(({ id }) => over.has(id));
    for (const { id } of later.slice(0, SINGLE)) {
      const session = await api.session(id, signal).catch(() => null);
      if (session) this.list = this.list.map((known) => (known.id === id ? session : known));
    }
  }

  /** Lists others from now on: parameters of the API. */
  narrow(filter: [string, string][]): void {
    this.#filter = filter;
    this.#pages = 1;
    this.list = [];
    this.next = null;
    this.total = null;
    this.loaded = false;
    this.refresh();
  }

  /** Lists the same in another order from now on, and meanwhile what there is. */
  reorder(filter: [string, string][]): void {
    this.#filter = filter;
    this.#pages = 1;
    this.next = null;
    this.refresh();
  }

  /** Refreshes without waiting for the next time. */
  refresh(): void {
    this.#now?.();
  }

  async more(): Promise<void> {
    if (!this.next || this.loadingMore) return;
    this.loadingMore = true;
    try {
      const filter = this.#filter;
      const page = await api.sessions(PAGE, this.next, filter);
      if (filter !== this.#filter) return;
      this.#pages += 1;
      this.next = page.nextCursor;
      this.list = merge(this.list, page.sessions);
      this.error = null;
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error);
    } finally {
      this.loadingMore = false;
    }
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    try {
      const filter = this.#filter;
      const page = await api.sessions(PAGE, null, [...filter, ['total', 'true']], signal);
      // Meanwhile others were asked for.
      if (filter !== this.#filter) return;
      // Later pages keep what they had; only while there is a single page is its cursor the one to go on with.
      if (this.#pages === 1) {
        this.next = page.nextCursor;
        this.list = page.sessions;
      } else {
        this.list = merge(page.sessions, this.list);
      }
      this.total = page.total ?? null;
      this.loaded = true;
      this.error = null;
      this.locked = false;
    } catch (error) {
      if (signal.aborted) return;
      this.absent = error instanceof api.ApiError && error.isAbsent;
      this.locked = error instanceof api.ApiError && error.isLocked;
      this.error = error instanceof Error ? error.message : String(error);
    }
  }
}

/** Both lists, in their order; of a session that both have, what `first` says. */
function merge(first: api.Session[], second: api.Session[]): api.Session[] {
  const known = new Set(first.map((session) => session.id));
  return [...first, ...second.filter((session) => !known.has(session.id))];
}
