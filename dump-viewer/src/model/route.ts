// Which page the address names: `#/` the sessions, `#/sessions/<id>` one of them, `#/file` a file that was dropped. What stands behind a
// `?` says what is shown of it.

export type Route = { page: 'sessions'; view: string } | { page: 'session'; id: string; view: string } | { page: 'file'; view: string };

export function parseRoute(hash: string): Route {
  const [path = '', ...rest] = hash.replace(/^#\/?/, '').split('?');
  const view = rest.join('?');
  if (path === 'file') return { page: 'file', view };
  const session = /^sessions\/([^/]+)$/.exec(path)?.[1];
  if (!session) return { page: 'sessions', view };
  try {
    return { page: 'session', id: decodeURIComponent(session), view };
  } catch {
    return { page: 'session', id: session, view };
  }
}

export const sessionHref = (id: string) => `#/sessions/${encodeURIComponent(id)}`;
