// Which members are being explained, and at what on the page: one explanation is open at a time.

export interface Subject {
  /** Type of the stats entry. */
  type: string;
  /** A member, or a series computed of some. */
  series: string;
}

/** How long a pointer rests until it means to ask, and how long it may take from the name to the explanation, ms. */
const REST = 400;
const LEAVE = 250;

class Explained {
  subjects = $state.raw<Subject[]>([]);
  anchor = $state.raw<HTMLElement | null>(null);
  /** Opened by a key, so the keys go on there. */
  byKey = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;

  open(anchor: HTMLElement, subjects: Subject[], byKey = false): void {
    clearTimeout(this.#timer);
    [this.anchor, this.subjects, this.byKey] = [anchor, subjects, byKey];
  }

  /** Opens it soon, unless the pointer goes on. */
  soon(anchor: HTMLElement, subjects: () => Subject[]): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(anchor, subjects()), REST);
  }

  /** Closes it soon, unless the pointer comes to it. */
  leave(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), LEAVE);
  }

  stay(): void {
    clearTimeout(this.#timer);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.anchor = null;
  }
}

export const explained = new Explained();
