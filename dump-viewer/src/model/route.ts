// Which page the address names: `#/` the sessions, `#/sessions/<id>` one of them, `#/file` a file that was dropped, `#/file/<n>` another
// one of those that were dropped together, `#/url/<address>` a file to fetch, `#/compare?a=&b=` two of them side by side. What stands behind
// a `?` says what is shown of it.

/** What is compared: a session by its id; without one, a file that was opened. */
export type Route =
  | { page: 'sessions'; view: string }
  | { page: 'session'; id: string; view: string }
  | { page: 'file'; place: number; view: string }
  | { page: 'url'; address: string; view: string }
  | { page: 'compare'; a: string; b: string; view: string };

/** In place of the right one's id: the same recording as the left one. */
export const SAME = 'same';

export function parseRoute(hash: string): Route {
  const [path = '', ...rest] = hash.replace(/^#\/?/, '').split('?');
  const view = rest.join('?');
  if (path === 'compare') {
    const given = new URLSearchParams(view);
    return { page: 'compare', a: given.get('a') ?? '', b: given.get('b') ?? '', view };
  }
  const file = /^file(?:\/(\d{1,6}))?$/.exec(path);
  if (file) return { page: 'file', place: Number(file[1] ?? 0), view };
  const [, page, name] = /^(sessions|url)\/([^/]+)$/.exec(path) ?? [];
  if (!name) return { page: 'sessions', view };
  return page === 'url' ? { page, address: decoded(name), view } : { page: 'session', id: decoded(name), view };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const fileHref = (place: number) => (place === 0 ? '#/file' : `#/file/${place}`);
export const addressHref = (address: string) => `#/url/${encodeURIComponent(address)}`;
export const sessionHref = (id: string) => `#/sessions/${encodeURIComponent(id)}`;

export const compareHref = (a: string, b: string, more: Record<string, string> = {}) => `#/compare?${new URLSearchParams({ a, b, ...more }).toString()}`;
