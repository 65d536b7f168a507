/**
 * Leaves out of events and reports what the application does not want to leave the page. Addresses come out exactly as the
 * collector would store them (its `protocol/src/privacy/`), so it does not matter where they were obfuscated.
 */

import type { Redaction } from './options.js';

// The page may replace these later.
const { parse, stringify } = JSON;
const { URL } = globalThis;

type Json = Record<string, unknown>;

export interface Redactor {
  /** The JSON text of an event's value. */
  value(method: string, json: string): string;
  report(report: Record<string, unknown>): Record<string, unknown>;
}

/** What takes the place of an IPv6 address's last groups. */
const HIDDEN_V6 = 'x:x:x:x:x:x';

/** Of methods with tracks or devices in their value. */
const WITH_LABELS = /([tT]rack|[sS]tream|Transceiver|MediaOnSuccess|enumerateDevices)$/;

export function redactor({ addresses, labels, sdp }: Redaction): Redactor {
  const change = (method: string, value: unknown): unknown => {
    if (labels && WITH_LABELS.test(method)) withoutLabels(value);
    if (sdp && isDescription(value)) value.sdp = '';
    // Browsers quote the line that they could not read.
    if (sdp && typeof value === 'string' && /(Description|Offer|Answer|IceCandidate)OnFailure$/.test(method)) return value.split(':')[0];
    return addresses ? withoutAddresses(method, value) : value;
  };
  return {
    value: (method, json) => (json === 'null' ? json : stringify(change(method, parse(json)))),
    report: (report) => (addresses ? reportWithoutAddresses(report) : report),
  };
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

const isDescription = (value: unknown): value is Json => isObject(value) && typeof value.sdp === 'string';

/** Tracks are `[kind, id, label, ...streams]`, alone or in lists; devices are objects with a `label`. */
function withoutLabels(value: unknown): void {
  if (!isObject(value)) return;
  if (Array.isArray(value) && /^(audio|video)$/.test(String(value[0])) && typeof value[2] === 'string') value[2] = '';
  else if (typeof value.label === 'string') value.label = '';
  else Object.values(value).forEach(withoutLabels);
}

function withoutAddresses(method: string, value: unknown): unknown {
  if (method === 'onicecandidate' || method === 'addIceCandidate') return hideCandidate(value);
  if (method.endsWith('OnFailure')) return hideInStrings(value);
  if (!isObject(value)) return value;
  if (method === 'onicecandidateerror') {
    replace(value, 'address', hideHostAndPort);
    replace(value, 'hostCandidate', hideHostAndPort);
    replace(value, 'errorText', hideInText);
  } else if (method.endsWith('onselectedcandidatepairchange')) {
    value.local = hideCandidate(value.local);
    value.remote = hideCandidate(value.remote);
  } else if (isDescription(value)) {
    replace(value, 'sdp', hideInDescription);
  }
  return value;
}

/** Of the candidate pairs that browsers reported before there was a standard. */
const OF_PAIRS = ['googLocalAddress', 'googRemoteAddress'];

/** A copy, as far as anything changes: the entries may be the browser's own. */
function reportWithoutAddresses(report: Record<string, unknown>): Record<string, unknown> {
  const copy = { ...report };
  for (const id in report) {
    const entry = report[id];
    if (!isObject(entry) || !Object.keys(entry).some((name) => /^ip$|ddress$/.test(name))) continue;
    const hidden = (copy[id] = { ...entry });
    if (entry.candidateType !== 'relay') for (const name of ['address', 'ip', 'ipAddress']) replace(hidden, name, hideAddress);
    replace(hidden, 'relatedAddress', hideAddress);
    for (const name of OF_PAIRS) replace(hidden, name, hideHostAndPort);
  }
  return copy;
}

function replace(object: Json, name: string, hide: (text: string) => string): void {
  const text = object[name];
  if (typeof text === 'string') object[name] = hide(text);
}

function hideCandidate(value: unknown): unknown {
  if (typeof value === 'string') return hideInCandidate(value);
  if (!isObject(value)) return value;
  replace(value, 'candidate', hideInCandidate);
  // The address of a relay candidate is the TURN server's; the related one is the client's.
  if (value.type !== 'relay') for (const name of ['address', 'ip']) replace(value, name, hideAddress);
  replace(value, 'relatedAddress', hideAddress);
  return value;
}

/** RFC 8839, section 5.1: foundation component transport priority connection-address port ... */
function hideInCandidate(candidate: string): string {
  const words = candidate.split(' ');
  const isRelay = words.some((word, index) => word === 'typ' && words[index + 1]?.trimEnd() === 'relay');
  return words.map((word, index) => (isRelay && index === 4 ? word : hideAddress(word))).join(' ');
}

function hideInDescription(sdp: string): string {
  return sdp.split('\n').map((line) => {
    const content = line.replace(/\r+$/, '');
    const end = line.slice(content.length);
    if (content.startsWith('a=candidate:')) return hideInCandidate(content) + end;
    if (/^(o=|c=|a=rtcp:|a=remote-candidates:)/.test(content)) return content.split(' ').map(hideWithScope).join(' ') + end;
    return line;
  }).join('\n');
}

/** Every address in a text of any kind; the end of a sentence is no part of one. What has been through here before stays. */
const hideInText = (text: string): string =>
  text.replace(/[\da-f.:%]+/gi, (run, at: number) => {
    if (text.startsWith(HIDDEN_V6, at + run.length)) return run;
    const word = run.replace(/[.:]+$/, '');
    return hideWord(word) + run.slice(word.length);
  });

/** Every string of a value, names of members among them. */
const hideInStrings = (value: unknown): unknown =>
  parse(stringify(value).replace(/"(\\.|[^"\\])*"/g, (text) => stringify(hideInText(parse(text)))));

/** What is before an address may have ended in the same characters. */
function hideWord(word: string): string {
  for (const before of word.startsWith(':') ? ['', ':'] : ['']) {
    const rest = word.slice(before.length);
    const hidden = hideHostAndPort(rest);
    if (hidden !== rest) return before + hidden;
  }
  return word.split(':').map(hideAddress).join(':');
}

/** A multicast address may carry its scope behind a slash (RFC 8866, section 5.7). */
function hideWithScope(word: string): string {
  const slash = word.indexOf('/');
  return slash < 0 ? hideAddress(word) : hideAddress(word.slice(0, slash)) + word.slice(slash);
}

/** `address:port` or `[address]:port`, as errors name their host candidate. */
function hideHostAndPort(text: string): string {
  const whole = hideAddress(text);
  if (whole !== text) return whole;
  const [, open, host, close, port] = /^(\[?)(.*?)(\]?)(:\d+)$/s.exec(text) ?? [];
  return host === undefined || !open !== !close ? text : `${open}${hideAddress(host)}${close}${port}`;
}

/** Anything that is no IP address stays. */
function hideAddress(text: string): string {
  const bare = text.split('%')[0]!;
  if (isIpv4(bare)) return bare === '127.0.0.1' || bare === '0.0.0.0' ? text : bare.replace(/\d+$/, 'x');
  const canonical = canonicalIpv6(bare);
  if (!canonical || canonical === '::' || canonical === '::1') return text;
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(canonical);
  if (!mapped) return `${bare.split(':').slice(0, 3).join(':')}${HIDDEN_V6}`;
  const [high, low] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)];
  return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.x`;
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
}

/** Shortest form, in small letters; `undefined` for what is no IPv6 address. */
function canonicalIpv6(text: string): string | undefined {
  const [, last] = /^[\da-f:]*:([\da-f.]*)$/i.exec(text) ?? [];
  // Browsers differ over zeros in front.
  if (last === undefined || (last.includes('.') && !isIpv4(last))) return undefined;
  try {
    return new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
}
