// The collector's HTTP API, as far as the viewer uses it.

import { download } from './fetching';
import type { Features } from './messages';

/** What the SFU Sora told of a connection, or of one of its nodes. */
export interface Sora {
  connectionId: string | null;
  sessionId: string | null;
  bundleId: string | null;
  role: string | null;
  multistream: boolean | null;
  simulcast: boolean | null;
  spotlight: boolean | null;
  node: string | null;
  version: string | null;
  label: string | null;
}

export interface Session {
  id: string;
  source: string;
  dialect: string;
  state: 'live' | 'ended';
  startTime: string;
  endTime: string | null;
  /** Milliseconds. */
  duration: number | null;
  userAgent: string | null;
  browser: { name: string | null; version: string | null; os: string | null } | null;
  origin: string | null;
  url: string | null;
  connections: number;
  lines: number;
  dumpBytes: number | null;
  closeCode: number | null;
  /** Whose session it is and of which conference, as the client's token said. */
  user: string | null;
  conference: string | null;
  sora: Sora | null;
  /** How many it has, once it is stored; null of one from before there were any. */
  criticalFindings: number | null;
  warningFindings: number | null;
}

export interface SessionWithFeatures extends Session {
  features: Features | null;
}

export interface SessionPage {
  sessions: Session[];
  nextCursor: string | null;
  /** How many there are, if it was asked for and is known; 10001 stands for more than ten thousand. */
  total?: number;
}

const NO_COLLECTOR = 'There is no collector at this address.';

/** An answer of the API that is not what was asked for. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }

  /** Whoever answers is no collector: a server of static files. */
  get isAbsent(): boolean {
    return this.message === NO_COLLECTOR;
  }

  /** The collector wants to see a token, or another one. */
  get isLocked(): boolean {
    return this.status === 401;
  }
}

// Relative to the page, so that a collector behind a path prefix is found.
const resolve = (path: string) => new URL(`api/v1/${path}`, document.baseURI);

export const dumpUrl = (id: string) => resolve(`sessions/${encodeURIComponent(id)}/dump`).href;

async function get(url: URL | string, signal?: AbortSignal): Promise<globalThis.Response> {
  return ask(url, { signal: signal ?? null });
}

async function ask(url: URL | string, options: RequestInit): Promise<globalThis.Response> {
  let response: globalThis.Response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError('The collector does not answer.', 0);
  }
  if (!response.ok) throw new ApiError(await problem(response), response.status);
  return response;
}

/** What an RFC 9457 problem document says, or else the status. */
async function problem(response: globalThis.Response): Promise<string> {
  const isProblem = response.headers.get('content-type')?.includes('json');
  if (!isProblem && [404, 405, 501].includes(response.status)) return NO_COLLECTOR;
  const fallback = `The collector answers ${response.status} ${response.statusText}`.trim() + '.';
  try {
    const { title, detail } = (await response.json()) as { title?: unknown; detail?: unknown };
    const parts = [title, detail].filter((part): part is string => typeof part === 'string' && part !== '');
    return parts.length > 0 ? parts.join(': ') : fallback;
  } catch {
    return fallback;
  }
}

/** Shows the collector a token; from then on the browser sends it along by itself. */
export async function login(token: string): Promise<void> {
  await ask(resolve('login'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
}

/** A page of the list; `filter` are parameters of the API. */
export async function sessions(limit: number, cursor: string | null, filter: [string, string][], signal?: AbortSignal): Promise<SessionPage> {
  const url = resolve('sessions');
  for (const [name, value] of filter) url.searchParams.append(name, value);
  url.searchParams.set('limit', String(limit));
  if (cursor) url.searchParams.set('cursor', cursor);
  const response = await get(url, signal);
  if (!response.headers.get('content-type')?.includes('json')) {
    throw new ApiError(NO_COLLECTOR, response.status);
  }
  return (await response.json()) as SessionPage;
}

/** What became of sessions since it was told last. */
export interface Changes {
  /** Ids. */
  began?: string[];
  ended?: string[];
  stored?: string[];
  progress?: Pick<Session, 'id' | 'connections' | 'lines' | 'duration'>[];
}

/** Hears what becomes of sessions: `all` may have changed, `some` have, or nothing is told any more. The browser comes back by itself, unless the source is closed. */
export function listen(all: () => void, some: (changes: Changes) => void, lost: () => void): EventSource {
  const source = new EventSource(resolve('sessions/events'));
  source.addEventListener('refresh', all);
  source.addEventListener('sessions', ({ data }: MessageEvent<string>) => some(JSON.parse(data) as Changes));
  source.addEventListener('error', lost);
  return source;
}

export async function session(id: string, signal?: AbortSignal): Promise<SessionWithFeatures> {
  const response = await get(resolve(`sessions/${encodeURIComponent(id)}`), signal);
  return (await response.json()) as SessionWithFeatures;
}

/** The text of a session that runs, behind its first `from` bytes, as it comes. */
export async function lines(id: string, from: number, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const { body } = await get(resolve(`sessions/${encodeURIComponent(id)}/lines?from=${from}`), signal);
  if (!body) throw new ApiError('The collector gave no text.', 0);
  return body;
}

export async function dump(id: string, signal: AbortSignal, progress: (share: number) => void): Promise<Blob> {
  return download(await get(dumpUrl(id), signal), progress);
}
