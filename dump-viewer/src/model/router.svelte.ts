// The address of the page.

import { compareHref, parseRoute, sessionHref, type Route } from './route';

export class Router {
  route = $state.raw<Route>(parseRoute(location.hash));

  constructor() {
    // A collector's own links, and those of others, name a session so, or two.
    const given = new URLSearchParams(location.search);
    const [session, other] = [given.get('session'), given.get('with')];
    if (session) {
      history.replaceState(null, '', `${location.pathname}${other ? compareHref(session, other) : sessionHref(session)}`);
      this.route = parseRoute(location.hash);
    }
    addEventListener('hashchange', () => (this.route = parseRoute(location.hash)));
  }

  /** Notes what is shown, without going anywhere. */
  note(view: string): void {
    const [path = '#/'] = (location.hash || '#/').split('?');
    history.replaceState(null, '', view ? `${path}?${view}` : path);
  }
}
