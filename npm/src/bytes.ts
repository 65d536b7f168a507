/**
 * The module's bytes, which build.js puts into those builds that have the module inside. As hexadecimal digits, because they
 * compress better than base64, which shifts repetitions out of step: a sixth less to download.
 */

import { hex } from 'rtctrace:module';

export function bytes(): Uint8Array<ArrayBuffer> {
  // Not in every browser yet.
  const { fromHex } = Uint8Array as unknown as { fromHex?: (text: string) => Uint8Array<ArrayBuffer> };
  if (fromHex) return fromHex.call(Uint8Array, hex);
  const digit = (at: number) => {
    const code = hex.charCodeAt(at);
    return (code & 15) + (code > 57 ? 9 : 0);
  };
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) => digit(2 * index) * 16 + digit(2 * index + 1));
}
