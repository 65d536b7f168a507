/** What the drop-in faces have in common. */

import { wrap } from './wrap/index.js';
import type { Plan } from './wrap/sink.js';

export const idOf = (connection: number | null): string | null => (connection === null ? null : `PC_${connection}`);

let isTold = false;

/** Tells of what is wrong with us, once. */
export function warn(what: string, error: unknown): void {
  if (!isTold) console.warn(`rtctrace: ${what}:`, error);
  isTold = true;
}

/** Observes the page for a face. */
export function observe(plan: Omit<Plan, 'now' | 'fault'>): void {
  wrap({ ...plan, untrusted: true, now: Date.now, fault: (error) => warn('a fault inside the recorder', error) });
}
