/** The id of a session, and what is decided by it. */

/** A UUID of version 7 (RFC 9562, section 5.7): it sorts by time. */
export function newSession(now: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, now / 2 ** 32);
  view.setUint32(2, now);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Whether the session is in a sample of this rate: the same answer wherever and whenever it is asked. */
export function isSampled(session: string, rate: number): boolean {
  // FNV-1a, and the finalizer of MurmurHash3, because ids of one minute differ in their last digits only.
  let hash = 0x811c9dc5;
  for (const character of session.toLowerCase()) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < rate;
}
