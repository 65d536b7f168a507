// The further lines of a session that runs, some at a time.

import * as api from '../import/api';

/** Between two looks at what has come. */
const INTERVAL = 1000;
/** What takes long is done more rarely. */
const SHARE = 4;
/** More bytes than these do not wait for their time. */
const MOST = 4 << 20;

/** Hands over what comes of a session behind its first `from` bytes, until it ends; the next part comes when `take` is done with one. */
export async function follow(id: string, from: number, signal: AbortSignal, take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  const reader = (await api.lines(id, from, signal)).getReader();
  let next = reader.read();
  let pause = INTERVAL;
  for (let done = false; !done; ) {
    const parts: Uint8Array[] = [];
    let size = 0;
    const timer = { over: false };
    const over = new Promise<null>((resolve) => setTimeout(() => ((timer.over = true), resolve(null)), pause));
    while (!timer.over && !done && size < MOST) {
      const part = await Promise.race([next, over]);
      if (part === null) break;
      if (part.done) done = true;
      else {
        parts.push(part.value);
        size += part.value.length;
        next = reader.read();
      }
    }
    if (size === 0) continue;
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const begin = performance.now();
    await take(bytes);
    pause = Math.max(INTERVAL, SHARE * (performance.now() - begin));
  }
}
