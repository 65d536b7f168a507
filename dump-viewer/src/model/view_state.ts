// What a view shows, as text for an address: so a link leads to a moment and what was selected there.

import type { Recording } from './recording';

/** `all`, `page`, or `id:` and the id of a connection. */
export type TabName = string;

export interface ViewState {
  tab: TabName | null;
  pane: string | null;
  /** Unix ms. */
  from: number | null;
  to: number | null;
  /** The cursor, where it was pinned. */
  at: number | null;
  /** Event number. */
  event: number | null;
}

/** What a `Date` can be, and no event's number is larger. */
const FURTHEST = 8.64e15;

const number = (text: string | null) => (text !== null && text !== '' && Math.abs(Number(text)) <= FURTHEST ? Number(text) : null);

/** From what stands behind the `?` of an address. */
export function parseView(text: string): ViewState {
  const given = new URLSearchParams(text);
  const event = number(given.get('event'));
  return {
    tab: given.get('tab'),
    pane: given.get('pane'),
    from: number(given.get('from')),
    to: number(given.get('to')),
    at: number(given.get('at')),
    event: event !== null && Number.isInteger(event) && event >= 0 ? event : null,
  };
}

/** Whether a recording that is still read has all that an address leads to. */
export function isThere(text: string, { overview, length, end }: Recording): boolean {
  const { tab, from, to, at, event } = parseView(text);
  const isKnown = !tab?.startsWith('id:') || overview.connections.some(({ id }) => tab === `id:${id}`);
  return isKnown && (event ?? -1) < length && [from, to, at].every((time) => time === null || time <= end);
}

/** The same again; empty where nothing is out of the ordinary. Times are whole milliseconds: nobody points more exactly. */
export function viewText({ tab, pane, from, to, at, event }: ViewState): string {
  const text = new URLSearchParams();
  const put = (name: string, value: string | number | null) => {
    if (value !== null) text.set(name, String(typeof value === 'number' ? Math.round(value) : value));
  };
  put('tab', tab);
  put('pane', pane);
  put('from', from);
  put('to', to);
  put('at', at);
  put('event', event);
  return text.toString();
}
