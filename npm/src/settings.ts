/** The options as a recording uses them: with what was not said, and with words for what is wrong. */

import type { Identity, Redaction, RtctraceOptions } from './options.js';
import type { Group } from './wrap/sink.js';

export interface Settings {
  /** `ws://` or `wss://`, without a slash at the end. */
  endpoint: string;
  token: RtctraceOptions['token'];
  session: string | undefined;
  identity: Identity | undefined;
  getStatsInterval: number;
  connectionFilter: RtctraceOptions['connectionFilter'];
  groups: Group[];
  bufferBytes: number;
  sampleRate: number;
  redact: Redaction | undefined;
  countReloads: boolean;
}

const LEAST_BUFFER = 64 * 1024;
const MOST_BUFFER = 256 * 1024 * 1024;

/** @throws Error that says which option is wrong, or what the browser lacks */
export function check(options: RtctraceOptions | undefined): Settings {
  if (!options?.endpoint) throw new Error('no endpoint was given');
  const { token, session, identity, connectionFilter, wrap = {}, redact, countReloads = true } = options;
  known('wrap', wrap, ['peerConnection', 'userMedia', 'devices']);
  // Whoever mistypes what is to be left out must not record it.
  known('redact', redact, ['addresses', 'labels', 'sdp']);
  if (identity !== undefined && !isPlain(identity)) throw new Error('identity is not an object');
  const endpoint = socketUrl(options.endpoint);
  const wanted = (['peerConnection', 'userMedia', 'devices'] as const).filter((group) => wrap[group] !== false);
  const lacking = [
    wanted.includes('peerConnection') && 'RTCPeerConnection',
    'WebAssembly',
    'FinalizationRegistry',
    'WebSocket',
  ].find((name) => name && !(name in globalThis));
  if (lacking) throw new Error(`this browser or context has no ${lacking}`);
  if (token !== undefined && typeof token !== 'string' && typeof token !== 'function') {
    throw new Error('token is neither a string nor a function');
  }
  if (session !== undefined && !(typeof session === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(session))) {
    throw new Error(`session is not a UUID: ${String(session)}`);
  }
  if (connectionFilter !== undefined && typeof connectionFilter !== 'function') {
    throw new Error('connectionFilter is not a function');
  }
  return {
    endpoint,
    token,
    // The collector writes it so.
    session: session?.toLowerCase(),
    identity,
    getStatsInterval: number(options, 'getStatsInterval', 1_000, 0x7fff_ffff),
    connectionFilter,
    groups: [...wanted, 'page'],
    bufferBytes: Math.max(LEAST_BUFFER, number(options, 'bufferBytes', 4 * 1024 * 1024, MOST_BUFFER)),
    sampleRate: number(options, 'sampleRate', 1, 1),
    redact,
    countReloads,
  };
}

const isPlain = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Switches by name. @throws Error that names what is none */
function known(option: string, value: unknown, names: string[]): void {
  if (value === undefined) return;
  if (!isPlain(value)) throw new Error(`${option} is not an object of ${names.join(', ')}`);
  for (const [name, setting] of Object.entries(value)) {
    if (!names.includes(name)) throw new Error(`${option} has no ${name}, only ${names.join(', ')}`);
    if (setting !== undefined && typeof setting !== 'boolean') throw new Error(`${option}.${name} is neither true nor false`);
  }
}

function number(options: RtctraceOptions, name: 'getStatsInterval' | 'bufferBytes' | 'sampleRate', otherwise: number, most: number): number {
  const value = options[name] ?? otherwise;
  if (typeof value === 'number' && value >= 0 && value <= most) return value;
  throw new Error(`${name} is not a number from 0 to ${most}: ${String(value)}`);
}

/** `ws` or `wss`, without search, hash or a slash at the end. */
function socketUrl(endpoint: string | URL): string {
  let url: URL;
  try {
    url = new URL(endpoint, globalThis.location?.href);
  } catch {
    throw new Error(`endpoint is not a URL: ${String(endpoint)}`);
  }
  const scheme = { 'http:': 'ws:', 'ws:': 'ws:', 'https:': 'wss:', 'wss:': 'wss:' }[url.protocol];
  if (!scheme) throw new Error(`endpoint is neither ws, wss, http nor https: ${url.href}`);
  if (url.search) throw new Error('endpoint has a query, which would be lost; for a token there is the option token');
  return `${scheme}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
}
