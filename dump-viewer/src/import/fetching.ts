// Files that are fetched: from the collector, or from an address that somebody pastes.

/** More than this is no dump that could be shown. */
const MOST_BYTES = 4 * 2 ** 30;
/** Pieces are handed to the browser when they are so many bytes: it need not hold them in memory. */
const PIECE = 16 * 2 ** 20;

/** Reads an answer to its end; `progress` gets the share that is there, which is NaN while nobody says how much there will be. */
export async function download(response: Response, progress: (share: number) => void): Promise<Blob> {
  const reader = response.body?.getReader();
  if (!reader) return response.blob();
  // What is packed on its way is longer than the header says.
  const packed = response.headers.get('content-encoding') !== null;
  const total = packed ? NaN : Number(response.headers.get('content-length') ?? NaN);
  let parts: BlobPart[] = [];
  let [size, held] = [0, 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts, { type: response.headers.get('content-type') ?? '' });
    parts.push(value);
    size += value.length;
    held += value.length;
    if (size > MOST_BYTES) {
      await reader.cancel();
      throw new Error('The file is longer than 4 GiB.');
    }
    if (held > PIECE) {
      parts = [new Blob(parts)];
      held = 0;
    }
    progress(size / total);
  }
}

/** The address in a text that somebody pasted; null if it is none that can be fetched. */
export function addressIn(text: string): string | null {
  const trimmed = text.trim();
  if (!/^https?:\/\/\S+$/i.test(trimmed) || !URL.canParse(trimmed)) return null;
  return new URL(trimmed).href;
}

/** The last part of an address, as a file's name. */
export function nameOf(address: string): string {
  const { pathname, host } = new URL(address);
  const last = pathname.split('/').findLast(Boolean);
  if (!last) return host;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** Fetches a file of any server that lets pages of others read it. It learns neither who asks nor from which page. */
export async function fetchFile(address: string, signal: AbortSignal, progress: (share: number) => void): Promise<Blob> {
  if (addressIn(address) === null) throw new Error('This is no address that begins with http: or https:.');
  const { host, origin, protocol } = new URL(address);
  let response: Response;
  try {
    response = await fetch(address, { signal, credentials: 'omit', referrerPolicy: 'no-referrer' });
  } catch (error) {
    if (signal.aborted) throw error;
    const mixed = protocol === 'http:' && location.protocol === 'https:' ? ' This page came over https:, so the browser fetches nothing over http:.' : '';
    const refused = origin === location.origin ? '' : `, or does not let pages of others read it (CORS: it would have to answer with Access-Control-Allow-Origin)`;
    throw new Error(`${host} does not answer${refused}.${mixed} Download the file and open it from there.`);
  }
  if (!response.ok) throw new Error(`${host} answers ${`${response.status} ${response.statusText}`.trim()}.`);
  return download(response, progress);
}
