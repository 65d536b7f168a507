// Which page the address names: `#/` the sessions, `#/sessions/<id>` one of them, `#/file` a file that was dropped.

export type Route = { page: 'sessions' } | { page: 'session'; id: string } | { page: 'file' };

export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#\/?/, '');
  if (path === 'file') return { page: 'file' };
  const session = /^sessions\/([^/]+)$/.exec(path)?.[1];
  if (!session) return { page: 'sessions' };
  try {
    return { page: 'session', id: decodeURIComponent(session) };
  } catch {
    return { page: 'session', id: session };
  }
}

export class Router {
  route = $state.raw<Route>(parseRoute(location.hash));

  constructor() {
    addEventListener('hashchange', () => {
      this.route = parseRoute(location.hash);
    });
  }
}

export const sessionHref = (id: string) => `#/sessions/${encodeURIComponent(id)}`;
