/** Functions as they were before zone.js, which would take what we do for the application's doing. */

/**
 * A function of `owner` that zone.js has not replaced. What goes through one of zone.js counts for an application of Angular:
 * it waits for our timers, and looks for changes after each of our events.
 */
export const original = (owner: any, name: string): any => owner?.[`__zone_symbol__${name}`] ?? owner?.[name];
