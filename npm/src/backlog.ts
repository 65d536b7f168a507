/** What happened before the module was there: kept in order and within a bound, then replayed. */

/** What an entry costs beside its text. */
const OVERHEAD = 48;

/** What events of the application may take beyond the bound, so that they are not the first to go. */
const RESERVE = 256 * 1024;

/** Reports go first, then events of the page, those of the application last. */
export type Rank = 'report' | 'event' | 'application';

/** How much had no room. */
export interface Loss {
  count: number;
  bytes: number;
}

export class Backlog {
  readonly #limit: number;
  #entries: { bytes: number; isReport: boolean; replay: () => void }[] = [];
  #bytes = 0;
  readonly lostReports: Loss = { count: 0, bytes: 0 };
  readonly lostEvents: Loss = { count: 0, bytes: 0 };

  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#entries.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False if there is no room. */
  add(rank: Rank, length: number, replay: () => void): boolean {
    const bytes = length + OVERHEAD;
    if (this.#bytes + bytes > this.#limit) this.#dropReports();
    const room = (rank === 'application' ? this.#limit + RESERVE : this.#limit) - this.#bytes;
    if (bytes > room) {
      lose(rank === 'report' ? this.lostReports : this.lostEvents, bytes);
      return false;
    }
    this.#entries.push({ bytes, isReport: rank === 'report', replay });
    this.#bytes += bytes;
    return true;
  }

  /** Does everything that waited, in order, and forgets it. */
  replay(): void {
    const entries = this.#entries;
    this.clear();
    for (const { replay } of entries) replay();
  }

  /** Says what had no room, for lines of their own. */
  tellLosses(tell: (method: string, connection: null, value: object) => void): void {
    for (const [what, { count, bytes }] of Object.entries({ reports: this.lostReports, lines: this.lostEvents })) {
      if (count) tell(':rtctrace.dropped', null, { [what]: count, bytes });
    }
  }

  clear(): void {
    this.#entries = [];
    this.#bytes = 0;
  }

  #dropReports(): void {
    const kept = this.#entries.filter(({ isReport, bytes }) => {
      if (isReport) lose(this.lostReports, bytes);
      return !isReport;
    });
    this.#bytes = kept.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#entries = kept;
  }
}

function lose(loss: Loss, bytes: number): void {
  loss.count += 1;
  loss.bytes += bytes - OVERHEAD;
}
