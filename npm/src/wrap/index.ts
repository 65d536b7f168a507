// Puts the observers of a page in place. What is observed stands in the files beside this one, one per interface of the browser.

import { observeCapture, observeDevices } from './media-devices.js';
import { observeElements } from './media-element.js';
import { observePage } from './page.js';
import { observeConnections } from './peer-connection.js';
import { enter, leave } from './registry.js';
import { createScene, type Scene } from './scene.js';
import { observeSenders } from './sender.js';
import type { Group, Plan } from './sink.js';
import { observeTracks } from './track.js';
import type { Page } from './weave.js';

export { connectionNumber } from './registry.js';

/** What is observed in a target, for all copies of this package in it. */
const MARK = Symbol.for('rtctrace');

const GROUPS: Record<Group, (scene: Scene) => void> = {
  peerConnection(scene) {
    const connections = observeConnections(scene);
    scene.numberOf = connections.numberOf;
    observeSenders(scene, connections);
    observeElements(scene, connections);
  },
  userMedia(scene) {
    observeCapture(scene);
    observeTracks(scene);
  },
  devices: observeDevices,
  page: observePage,
};

/** Observes what the plan asks for. `restore` puts every original back where ours is still in place; elsewhere ours does nothing more. */
export function wrap(plan: Plan): Pick<Scene, 'restore' | 'numberOf'> {
  const scene = createScene(plan);
  const { guard, target } = scene;
  for (const group of Object.keys(GROUPS) as Group[]) {
    if (!plan.sinks[group]) continue;
    const observed: Page = target[MARK] ?? mark(target);
    if (observed[group]) {
      plan.taken?.(group);
      continue;
    }
    observed[group] = true;
    enter();
    scene.atEnd(() => {
      leave();
      delete observed[group];
      if (!Object.keys(observed).length) delete target[MARK];
    });
    guard(GROUPS[group], scene);
  }
  return scene;
}

function mark(target: Page) {
  const observed = {};
  Object.defineProperty(target, MARK, { value: observed, configurable: true });
  return observed;
}
