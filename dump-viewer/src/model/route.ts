// Which page the address names: `#/` the sessions, `#/sessions/<id>` one of them, `#/file` a file that was dropped, `#/compare?a=&b=` two of
// them side by side. What stands behind a `?` says what is shown of it.

/** What is compared: a session by its id; without one, a file that was opened. */
export type Route =
  | { page: 'sessions' | 'file'; view: string }
  | { page: 'session'; id: string; view: string }
  | { page: 'compare'; a: string; b: string; view: string };

/** In place of the right one's id: the same recording as the left one. */
export const SAME = 'same';

export function parseRoute(hash: string): Route {
  const [path = '', ...rest] = hash.replace(/^#\/?/, '').split('?');
  const view = rest.join('?');
  if (path === 'file') return { page: 'file', view };
  if (path === 'compare') {
    const given = new URLSearchParams(view);
    return { page: 'compare', a: given.get('a') ?? '', b: given.get('b') ?? '', view };
  }
  const session = /^sessions\/([^/]+)$/.exec(path)?.[1];
  if (!session) return { page: 'sessions', view };
  try {
    return { page: 'session', id: decodeURIComponent(session), view };
  } catch {
    return { page: 'session', id: session, view };
  }
}

export const sessionHref = (id: string) => `#/sessions/${encodeURIComponent(id)}`;

export const compareHref = (a: string, b: string, more: Record<string, string> = {}) => `#/compare?${new URLSearchParams({ a, b, ...more }).toString()}`;
