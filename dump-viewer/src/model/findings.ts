// What is said of findings: how many a session has, and which moment one is about.

import type { Session } from '../import/api';
import type { Finding } from '../import/messages';

/** When it was worst, where its rule tells that, or else when it began (Unix ms). */
export function momentOf({ begin, values }: Pick<Finding, 'begin' | 'values'>): number {
  const at = values['at']?.value;
  return typeof at === 'number' ? at : begin;
}

const counted = (count: number, one: string, many: string) => (count === 0 ? [] : [`${count} ${count === 1 ? one : many}`]);

/** How many there are, in words; empty where there is none that is bad, or nobody knows yet. */
export function findingsText({ criticalFindings, warningFindings }: Pick<Session, 'criticalFindings' | 'warningFindings'>): string {
  return [...counted(criticalFindings ?? 0, 'critical finding', 'critical findings'), ...counted(warningFindings ?? 0, 'warning', 'warnings')].join(', ');
}
