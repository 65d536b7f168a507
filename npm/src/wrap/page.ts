// The page around the call: whether it is seen, runs, and has a network.

import type { Scene } from './scene.js';
import type { Handlers, Page } from './weave.js';

export function observePage({ listen, target, teller }: Scene) {
  const tell = teller('page');
  const { document, navigator } = target;
  const on = (name: string, object: Page, values: Record<string, (() => Page) | null>) =>
    listen(object, () => {
      const handlers: Handlers = {};
      for (const type in values) handlers[type] = (self, event) => tell(`${name}.on${type}`, null, values[type]?.(), [], self, [], event);
      return handlers;
    });
  on('document', document, { visibilitychange: () => document.visibilityState, freeze: null, resume: null });
  // What is no window has no such events.
  if (document) on('window', target, { online: null, offline: null });
  on('navigator.connection', navigator?.connection, {
    change() {
      const { effectiveType, type, downlink, rtt, saveData } = navigator.connection;
      return { effectiveType, type, downlink, rtt, saveData };
    },
  });
}
