// Which sessions the list asks for, and in which order it shows them.

import type { Session } from '../import/api';

/** By what a session is looked for, with the parameter of the API. */
export const SEARCHES = [
  ['search', 'Anything'],
  ['user', 'User'],
  ['conference', 'Conference'],
  ['session', 'Session id'],
  ['soraConnection', 'Sora connection'],
] as const;
export type Search = (typeof SEARCHES)[number][0];

export interface SessionFilter {
  by: Search;
  text: string;
  state: string;
  outcome: string;
  /** Of which they have a finding: `critical` or `warning`. */
  severity: string;
  source: string;
  browser: string;
  /** As `datetime-local` fields have them: without a zone, of this computer's clock. */
  from: string;
  to: string;
  /** A condition on a feature, `name>value`. */
  feature: string;
}

export const NOTHING: SessionFilter = { by: 'search', text: '', state: '', outcome: '', severity: '', source: '', browser: '', from: '', to: '', feature: '' };

const PLAIN = ['state', 'outcome', 'severity', 'source', 'browser', 'feature'] as const;

/** The API's parameters. A session's id is none: whoever knows it need not look for it. */
export function parameters(filter: SessionFilter): [string, string][] {
  const found: [string, string][] = [];
  const put = (name: string, value: string) => value.trim() && found.push([name, value.trim()]);
  if (filter.by !== 'session') put(filter.by, filter.text);
  for (const name of PLAIN) put(name, filter[name]);
  for (const name of ['from', 'to'] as const) {
    const time = Date.parse(filter[name]);
    if (Number.isFinite(time)) put(name, new Date(time).toISOString());
  }
  return found;
}

/** The id that is looked for, if it is one. */
export function wantedSession({ by, text }: SessionFilter): string | null {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text.trim());
  return isId || (by === 'session' && text.trim()) ? text.trim().toLowerCase() : null;
}

export const isNarrowed = (filter: SessionFilter) => parameters(filter).length > 0;

/** For an address, and back. */
export const filterText = (filter: SessionFilter) =>
  new URLSearchParams(Object.entries(filter).filter(([name, value]) => value !== NOTHING[name as keyof SessionFilter])).toString();

export function parseFilter(text: string): SessionFilter {
  const given = new URLSearchParams(text);
  const value = (name: keyof SessionFilter) => given.get(name) ?? NOTHING[name];
  const by = SEARCHES.find(([name]) => name === value('by'))?.[0] ?? NOTHING.by;
  return { by, text: value('text'), state: value('state'), outcome: value('outcome'), severity: value('severity'), source: value('source'), browser: value('browser'), from: value('from'), to: value('to'), feature: value('feature') };
}

export type Column = 'started' | 'duration' | 'connections' | 'events' | 'size';
export interface Order {
  column: Column;
  descending: boolean;
}

/** The API's parameters of an order; of that in which lists come anyway there are none. */
export function orderParameters({ column, descending }: Order): [string, string][] {
  if (column === 'started' && descending) return [];
  return [
    ['sort', column],
    ['order', descending ? 'desc' : 'asc'],
  ];
}

/** How many sessions there are, in words. */
export function totalText(total: number): string {
  if (total > 10_000) return 'more than 10,000 sessions';
  return total === 1 ? '1 session' : `${total.toLocaleString('en')} sessions`;
}

const VALUES: Record<Column, (session: Session, now: number) => number> = {
  started: ({ startTime }) => Date.parse(startTime),
  duration: ({ state, startTime, duration }, now) => (state === 'live' ? now - Date.parse(startTime) : (duration ?? -1)),
  connections: ({ connections }) => connections,
  events: ({ lines }) => lines,
  size: ({ dumpBytes }) => dumpBytes ?? -1,
};

/** The sessions in an order; those that are equal stay as they were, newest first. */
export function ordered(sessions: Session[], { column, descending }: Order, now: number): Session[] {
  const sign = descending ? -1 : 1;
  const value = VALUES[column];
  return [...sessions].sort((a, b) => sign * (value(a, now) - value(b, now)));
}
