/** What the first event of a recording says of the browser and the machine, and the count of reloads in it. */

const RELOADS = 'rtctrace.reloads';

/** The value of the event `create` without a connection. `key`: where the count of reloads is stored. */
export function aboutClient(countReloads: boolean, key = RELOADS) {
  // Members that the types of the DOM do not have yet, and that not every browser has.
  const { hardwareConcurrency, userAgentData, deviceMemory, cpuPerformance } = navigator as Navigator & Record<string, unknown>;
  return {
    hardwareConcurrency,
    userAgentData,
    deviceMemory,
    cpuPerformance,
    screen: { width: screen.availWidth, height: screen.availHeight, devicePixelRatio },
    window: { width: innerWidth, height: innerHeight },
    reloadCount: countReloads ? reloadCount(key) : undefined,
  };
}

/** How often this tab began a recording since the last one that ended cleanly. */
function reloadCount(key: string): number | undefined {
  try {
    const stored = Number.parseInt(sessionStorage.getItem(key) ?? '', 10);
    const count = Number.isNaN(stored) ? 0 : stored + 1;
    sessionStorage.setItem(key, String(count));
    return count;
  } catch {
    return undefined;
  }
}

export function forgetReloads(key = RELOADS): void {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // No storage in this context: nothing was counted.
  }
}
