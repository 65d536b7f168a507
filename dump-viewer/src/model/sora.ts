// What the SFU Sora told of a connection to it, or of one of its nodes, when a session of it began: the collector's answer, or the
// header of a dump.

import type { Sora } from '../import/api';

export interface Fact {
  name: string;
  value: string;
  /** It is so long that it gives way to others. */
  isLong: boolean;
}

/** Values of more characters are long. */
const LONG = 24;

const text = (value: unknown) => (typeof value === 'string' ? value : '');

/** As it is known of a session, whose conference is the channel and whose user is the client. */
export function soraFacts(sora: Partial<Sora>, channel: unknown, client: unknown): Fact[] {
  const facts: [string, string][] = [
    ['Channel', text(channel)],
    ['Client', text(client)],
    ['Role', roleText(sora)],
    ['Sora', text(sora.version)],
    ['Node', text(sora.node)],
    ['Sora session', text(sora.sessionId)],
  ];
  return facts.filter(([, value]) => value !== '').map(([name, value]) => ({ name, value, isLong: value.length > LONG }));
}

/** What its client does, and how it sends: `sendrecv, simulcast`. */
export function roleText(sora: Partial<Sora>): string {
  const flags = (['multistream', 'simulcast', 'spotlight'] as const).filter((flag) => sora[flag] === true);
  return [text(sora.role), ...flags].filter(Boolean).join(', ');
}

/** In place of a browser, in lists. */
export function soraText(sora: Partial<Sora>): string {
  return [`Sora ${text(sora.version)}`.trim(), text(sora.role) || text(sora.node)].filter(Boolean).join(' · ');
}
