// What every observer works with: the loom, values, and the way to whoever writes down what was seen.

import { track } from './calls.js';
import { connectionNumber } from './registry.js';
import type { Group, Plan } from './sink.js';
import { createValues, text, type Values } from './values.js';
import { createLoom, type After, type Loom, type Page } from './weave.js';

/** Tells of one thing that happened. */
export type Tell = (
  method: string,
  connection: number | null,
  value: Page,
  extra?: (string | null)[],
  self?: Page,
  args?: Page[],
  result?: Page,
) => void;

export interface Scene extends Loom, Values {
  plan: Plan;
  /** The n of `PC_n`. A connection that was made before joins, if connections are observed. */
  numberOf(connection: unknown): number | undefined;
  /** The way to the sink of a group. */
  teller(group: Group): Tell;
  /** Tells of a call with its tracking id, and of its outcome. */
  outcome(tell: Tell, method: string, connection: number | null, value: Page, self: Page, args: Page[], done?: (result: Page, tracking: string) => Page): After;
}

export function createScene(plan: Plan): Scene {
  const loom = createLoom(plan.target ?? globalThis, plan.fault, plan.untrusted);
  return {
    ...loom,
    ...createValues(loom),
    plan,
    numberOf: connectionNumber,
    teller(group) {
      const sink = plan.sinks[group]!;
      return (method, connection, value, extra = [], self = null, args = [], result) =>
        // What the sink throws must not keep an observer from its work.
        loom.guard(() => sink.event({ method, connection, json: text(value), extra, time: plan.now(), self, args, result }));
    },
    outcome(tell, method, connection, value, self, args, done) {
      const tracking = track(method);
      tell(method, connection, value, [tracking], self, args);
      return (result, failed) => {
        const outcome = failed ? `${result}` : done?.(result, tracking);
        tell(method + (failed ? 'OnFailure' : 'OnSuccess'), connection, outcome, [tracking], self, args, result);
      };
    },
  };
}
