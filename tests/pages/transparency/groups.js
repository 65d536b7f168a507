// The groups of probes, one page each.

import * as arguments_ from './probes/arguments.js';
import * as callbacks from './probes/callbacks.js';
import * as construction from './probes/construction.js';
import * as descriptors from './probes/descriptors.js';
import * as errors from './probes/errors.js';
import * as events from './probes/events.js';
import * as frames from './probes/frames.js';
import * as identity from './probes/identity.js';
import * as memory from './probes/memory.js';
import * as microtasks from './probes/microtasks.js';
import * as rejections from './probes/rejections.js';
import * as replaced from './probes/replaced.js';
import * as sabotage from './probes/sabotage.js';

/** @typedef {{ probes: Record<string, () => Promise<unknown>>, before?: () => Promise<void> }} Group */

/** @type {Record<string, Group>} */
export const groups = {
  arguments: arguments_,
  callbacks,
  construction,
  descriptors,
  errors,
  events,
  frames,
  identity,
  memory,
  microtasks,
  rejections,
  replaced,
  sabotage,
};
