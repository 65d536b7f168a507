// The list of sessions, kept fresh. New sessions come in at the top; rows that are shown stay where they are.

import * as api from '../import/api';

const PAGE = 50;
/** A session is shown within a second of its end. */
const INTERVAL = 750;
/** The pause between attempts while the collector does not answer. */
const RETRY = 4000;

export class Sessions {
  list = $state.raw<api.Session[]>([]);
  /** The first answer is there. */
  loaded = $state(false);
  error = $state<string | null>(null);
  /** The collector asks for a token. */
  locked = $state(false);
  next = $state<string | null>(null);
  loadingMore = $state(false);
  #pages = 1;
  #filter: [string, string][] = [];
  #now: (() => void) | null = null;

  /** Refreshes until the returned function is called, and rests while the page is hidden. */
  start(): () => void {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const round = async () => {
      clearTimeout(timer);
      if (document.visibilityState === 'visible') await this.#refresh(abort.signal);
      if (!abort.signal.aborted) timer = setTimeout(() => void round(), this.error ? RETRY : INTERVAL);
    };
    const visible = () => void (document.visibilityState === 'visible' && round());
    document.addEventListener('visibilitychange', visible);
    this.#now = () => void round();
    void round();
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', visible);
    };
  }

  /** Lists others from now on: parameters of the API. */
  narrow(filter: [string, string][]): void {
    this.#filter = filter;
    this.#pages = 1;
    this.list = [];
    this.next = null;
    this.loaded = false;
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
      const page = await api.sessions(PAGE, null, filter, signal);
      // Meanwhile others were asked for.
      if (filter !== this.#filter) return;
      // Later pages keep what they had; only while there is a single page is its cursor the one to go on with.
      if (this.#pages === 1) {
        this.next = page.nextCursor;
        this.list = page.sessions;
      } else {
        this.list = merge(page.sessions, this.list);
      }
      this.loaded = true;
      this.error = null;
      this.locked = false;
    } catch (error) {
      if (signal.aborted) return;
      this.locked = error instanceof api.ApiError && error.isLocked;
      this.error = error instanceof Error ? error.message : String(error);
    }
  }
}

/** Both lists, newest first; of a session that both have, what `first` says. */
function merge(first: api.Session[], second: api.Session[]): api.Session[] {
  const known = new Set(first.map((session) => session.id));
  return [...first, ...second.filter((session) => !known.has(session.id))];
}
