// What the list says of a session's findings.

import type { Session } from '../import/api';

const counted = (count: number, one: string, many: string) => (count === 0 ? [] : [`${count} ${count === 1 ? one : many}`]);

/** How many there are, in words; empty where there is none that is bad, or nobody knows yet. */
export function findingsText({ criticalFindings, warningFindings }: Pick<Session, 'criticalFindings' | 'warningFindings'>): string {
  return [...counted(criticalFindings ?? 0, 'critical finding', 'critical findings'), ...counted(warningFindings ?? 0, 'warning', 'warnings')].join(', ');
}
