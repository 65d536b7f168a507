// RTCDataChannel: how it opens, closes and fails, and when what it had to send is nearly gone.

import type { Scene, Tell } from './scene.js';
import type { Handlers, Page } from './weave.js';

const OWNER = 'RTCDataChannel';
const EVENTS = ['open', 'closing', 'close', 'error', 'bufferedamountlow'];

/** A channel that sends often runs dry as often: more than one such line a second says nothing new. */
const LOW_PAUSE = 1000;

export function createChannelObserver({ listen, native, plan }: Scene, tell: Tell) {
  const [idOf, labelOf] = [native(OWNER, 'id'), native(OWNER, 'label')];
  const describe = (channel: Page): Page[] => [idOf(channel), labelOf(channel)];

  const observe = (channel: Page, connection: number) =>
    listen(channel, () => {
      let low = -Infinity;
      const handlers: Handlers = {};
      for (const type of EVENTS) {
        handlers[type] = (channel, event) => {
          if (type === 'bufferedamountlow') {
            const now = plan.now();
            if (now - low < LOW_PAUSE) return;
            low = now;
          }
          const error = type === 'error' ? [String(event.error)] : [];
          tell(`${OWNER}.on${type}`, connection, [...describe(channel), ...error], [], channel, [], event);
        };
      }
      return handlers;
    });
  return { describe, observe };
}
