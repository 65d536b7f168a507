// The graphs that a connection is judged by first, each with the lines of all its streams.

import type { EntryItem, EntryLabel } from './entries';
import type { PlotLine } from './plot';

export interface Highlight {
  title: string;
  unit: string;
  lines: PlotLine[];
}

interface Rule {
  title: string;
  unit: string;
  /** Stats type and series of each line. */
  sources: [type: string, series: string][];
}

const RULES: Rule[] = [
  { title: 'Receiving', unit: 'bits/s', sources: [['inbound-rtp', '[bytesReceived_in_bits/s]']] },
  { title: 'Sending', unit: 'bits/s', sources: [['outbound-rtp', '[bytesSent_in_bits/s]']] },
  {
    title: 'Frame rate',
    unit: 'frames/s',
    sources: [
      ['inbound-rtp', '[framesDecoded/s]'],
      ['outbound-rtp', '[framesEncoded/s]'],
    ],
  },
  {
    title: 'Round trip time',
    unit: 's',
    sources: [
      ['candidate-pair', 'currentRoundTripTime'],
      ['remote-inbound-rtp', 'roundTripTime'],
    ],
  },
  { title: 'Packet loss, receiving', unit: '%', sources: [['inbound-rtp', '[packetsLost_in_%]']] },
  { title: 'Available bit rate, sending', unit: 'bits/s', sources: [['candidate-pair', 'availableOutgoingBitrate'], ['outbound-rtp', 'targetBitrate']] },
  { title: 'Jitter', unit: 's', sources: [['inbound-rtp', 'jitter'], ['remote-inbound-rtp', 'jitter']] },
  { title: 'Jitter buffer', unit: 'ms', sources: [['inbound-rtp', '[jitterBufferDelay/jitterBufferEmittedCount_in_ms]']] },
];

/** Lines beyond this many cannot be told apart. */
const LINES = 12;

export function highlights(items: EntryItem[]): Highlight[] {
  return RULES.map(({ title, unit, sources }) => ({ title, unit, lines: lines(items, sources) })).filter(
    ({ lines }) => lines.length > 0,
  );
}

function lines(items: EntryItem[], sources: [string, string][]): PlotLine[] {
  const found: (PlotLine & { ssrc: string })[] = [];
  for (const [type, name] of sources) {
    for (const { entry, index, label, main } of items) {
      if (entry.type !== type || !main) continue;
      const series = entry.series.find((series) => series.name === name);
      if (!series || (series.kind === 'derived' && series.constant && name !== '[packetsLost_in_%]')) continue;
      const ssrc = label.badges.find((badge) => badge.startsWith('ssrc ')) ?? entry.id;
      found.push({ entry: index, name, label: [prefix(type), ...lineBadges(type, label)].join(' · '), ssrc });
    }
  }
  const alike = (label: string) => found.filter((other) => other.label === label).length > 1;
  return found.slice(0, LINES).map(({ ssrc, ...line }) => ({ ...line, label: alike(line.label) ? `${line.label} · ${ssrc}` : line.label }));
}

function lineBadges(type: string, { badges, details }: EntryLabel): string[] {
  if (type === 'candidate-pair') return details.slice(0, 1);
  const named = badges.some((badge) => badge.startsWith('mid '));
  return badges.filter((badge) => !named || !badge.startsWith('ssrc '));
}

function prefix(type: string): string {
  switch (type) {
    case 'inbound-rtp':
      return 'in';
    case 'outbound-rtp':
      return 'out';
    case 'remote-inbound-rtp':
      return 'remote';
    case 'candidate-pair':
      return 'path';
    default:
      return type;
  }
}
