// The graphs of a connection by what they are of: each track, sent or received, the path, data channels, and what is left.

import type { EntryOverview } from '../import/messages';
import { number, text, type EntryItem } from './entries';
import type { PlotLine } from './plot';
import type { Recording } from './recording';
import { trackName } from './tracks';

export interface GraphCard {
  title: string;
  unit: string;
  lines: PlotLine[];
}

export interface Group {
  key: string;
  title: string;
  /** Short words that tell it from others. */
  badges: string[];
  /** The entries that it is made of. */
  items: EntryItem[];
  graphs: GraphCard[];
  /** It is shown unfolded at first. */
  open: boolean;
}

/** So many groups are unfolded at first: a large conference has dozens. */
const UNFOLDED = 12;

type Source = [type: string, series: string, label: string];
type Rule = [title: string, unit: string, ...sources: Source[]];

const [IN, OUT, REMOTE_IN, SOURCE, PAIR] = ['inbound-rtp', 'outbound-rtp', 'remote-inbound-rtp', 'media-source', 'candidate-pair'];

/** A graph is there if one of its series moves. */
const RULES: Rule[] = [
  ['Bit rate', 'bits/s', [OUT, '[bytesSent_in_bits/s]', 'sent'], [OUT, 'targetBitrate', 'target'], [IN, '[bytesReceived_in_bits/s]', 'received'],
    [PAIR, '[bytesSent_in_bits/s]', 'sent'], [PAIR, '[bytesReceived_in_bits/s]', 'received'], [PAIR, 'availableOutgoingBitrate', 'room to send']],
  ['Packets', 'packets/s', [OUT, '[packetsSent/s]', 'sent'], [IN, '[packetsReceived/s]', 'received'], [PAIR, '[packetsSent/s]', 'sent'], [PAIR, '[packetsReceived/s]', 'received']],
  ['Frames', 'frames/s', [SOURCE, 'framesPerSecond', 'captured'], [OUT, '[framesEncoded/s]', 'encoded'], [OUT, '[framesSent/s]', 'sent'],
    [IN, '[framesReceived/s]', 'received'], [IN, '[framesDecoded/s]', 'decoded'], [IN, '[framesDropped/s]', 'dropped']],
  ['Height of the picture', 'px', [SOURCE, 'height', 'captured'], [OUT, 'frameHeight', 'sent'], [IN, 'frameHeight', 'received']],
  ['Encode time per frame', 'ms', [OUT, '[totalEncodeTime/framesEncoded_in_ms]', 'encode']],
  ['Decode time per frame', 'ms', [IN, '[totalDecodeTime/framesDecoded_in_ms]', 'decode'], [IN, '[totalProcessingDelay/framesDecoded_in_ms]', 'from first packet to picture']],
  ['Delay of the jitter buffer', 'ms', [IN, '[jitterBufferDelay/jitterBufferEmittedCount_in_ms]', 'delay'],
    [IN, '[jitterBufferTargetDelay/jitterBufferEmittedCount_in_ms]', 'target'], [IN, '[jitterBufferMinimumDelay/jitterBufferEmittedCount_in_ms]', 'least']],
  ['Packet loss', '%', [IN, '[packetsLost_in_%]', 'here'], [REMOTE_IN, '[fractionLost_in_%]', 'at the other side']],
  ['Jitter', 's', [IN, 'jitter', 'here'], [REMOTE_IN, 'jitter', 'at the other side']],
  ['Round trip time', 's', [REMOTE_IN, 'roundTripTime', 'by RTCP'], [PAIR, 'currentRoundTripTime', 'of the path']],
  ['Audio level', '', [SOURCE, '[Audio_Level_in_RMS]', 'captured'], [IN, '[Audio_Level_in_RMS]', 'received']],
  ['Concealed audio', '%', [IN, '[concealedSamples/totalSamplesReceived_in_%]', 'made up']],
  ['Asked for again', '1/s', ...[OUT, IN].flatMap((type): Source[] => [[type, '[nackCount/s]', 'packets (NACK)'], [type, '[pliCount/s]', 'key frames (PLI)'], [type, '[firCount/s]', 'key frames (FIR)']])],
  ['Quantizer', '', [OUT, '[qpSum/framesEncoded]', 'mean QP'], [IN, '[qpSum/framesDecoded]', 'mean QP']],
  ['Delay before sending', 'ms', [OUT, '[totalPacketSendDelay/packetsSent_in_ms]', 'a packet']],
  ['Messages', '1/s', ['data-channel', '[messagesSent/s]', 'sent'], ['data-channel', '[messagesReceived/s]', 'received']],
  ['Bytes', 'bits/s', ['data-channel', '[bytesSent_in_bits/s]', 'sent'], ['data-channel', '[bytesReceived_in_bits/s]', 'received']],
];

/** Lines beyond this many cannot be told apart. */
const LINES = 12;

const OTHER = 'other';

/** The groups of a connection: what it sends, what it receives, the path, data channels, the rest. */
export function graphGroups(recording: Recording, index: number, items: EntryItem[]): Group[] {
  const connection = recording.connection(index);
  if (!connection) return [];
  const byId = new Map(items.map((item) => [item.entry.id, item]));
  const sentFrom = new Map(items.filter(({ entry }) => entry.type === OUT).map((item) => [text(item.entry, 'mediaSourceId'), item]));

  /** Of what is told about a stream: that stream. */
  function streamOf(item: EntryItem): EntryItem | undefined {
    const { entry } = item;
    if (entry.type === OUT || entry.type === IN) return item;
    if (entry.type === SOURCE) return sentFrom.get(entry.id) ?? onlySent(text(entry, 'kind'));
    const wanted = entry.type === REMOTE_IN ? OUT : entry.type === 'remote-outbound-rtp' ? IN : null;
    if (wanted === null) return undefined;
    const named = byId.get(text(entry, 'localId'));
    return named ?? items.find((other) => other.entry.type === wanted && number(other.entry, 'ssrc') === number(entry, 'ssrc'));
  }

  /** What a track was exchanged for came from another source: where one stream of its kind is sent, it was that one's. */
  function onlySent(kind: string): EntryItem | undefined {
    const sent = items.filter(({ entry }) => entry.type === OUT && text(entry, 'kind') === kind);
    return new Set(sent.map(keyOf)).size === 1 ? sent[0] : undefined;
  }

  const { tracks } = connection;
  function nameOf(id: string, kind: string, remote: boolean): { name: string; hint: string | null } {
    const track = tracks.find((track) => track.id === id) ?? { id, kind, label: '', remote, stream: null, screen: false, hint: null, changes: [] };
    return { name: trackName(track, recording.overview.tracks, tracks), hint: track.hint };
  }

  function keyOf(item: EntryItem): string {
    const stream = streamOf(item)?.entry;
    if (stream) return `${stream.type} ${text(stream, 'mid') || text(stream, 'trackIdentifier') || text(stream, 'mediaSourceId') || stream.id}`;
    if (item.entry.type === 'data-channel') return `data ${item.entry.id}`;
    return (item.entry.type === PAIR && item.main) || item.entry.type === 'transport' ? 'path' : OTHER;
  }

  const groups = new Map<string, EntryItem[]>();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  const order = ['outbound-rtp', 'inbound-rtp', 'path', 'data', OTHER];
  const place = (key: string) => order.indexOf(key.split(' ')[0] ?? '');
  return [...groups]
    .sort(([a], [b]) => place(a) - place(b))
    .map(([key, own], at) => {
      const media = own.find(({ entry }) => entry.type === OUT || entry.type === IN);
      const graphs = cards(own, (source) => nameOf(text(source, 'trackIdentifier'), text(source, 'kind'), false).name);
      return { key, ...named(key, own, media), items: own, graphs, open: at < UNFOLDED && key !== OTHER && graphs.length > 0 };
    });

  function named(key: string, own: EntryItem[], media: EntryItem | undefined): { title: string; badges: string[] } {
    if (key === 'path') return { title: 'Path', badges: [] };
    if (key === OTHER) return { title: 'Other entries', badges: [] };
    if (!media) return { title: `Data channel ${text(own[0]?.entry, 'label')}`, badges: [text(own[0]?.entry, 'state')].filter(Boolean) };
    const { entry, label } = media;
    const sent = entry.type === OUT;
    const source = byId.get(text(entry, 'mediaSourceId'))?.entry;
    const { name, hint } = nameOf(text(sent ? source : entry, 'trackIdentifier'), text(entry, 'kind'), !sent);
    return { title: sent ? `${name}, sent` : name, badges: [...label.badges.filter((badge) => !/^(ssrc|rid) /.test(badge)), ...(hint ? [`hint ${hint}`] : [])] };
  }
}

/** `nameOf` a source: what it captures. */
function cards(items: EntryItem[], nameOf: (source: EntryOverview) => string): GraphCard[] {
  return RULES.flatMap(([title, unit, ...sources]) => {
    const found = sources.flatMap(([type, name, label]) => {
      const own = items.filter(({ entry }) => entry.type === type);
      return own.flatMap(({ entry, index, label: { badges, details } }) => {
        const series = entry.series.find((series) => series.name === name);
        // What was computed of a counter that stands still says nothing.
        if (!series || (series.kind === 'derived' && series.constant && unit !== '%')) return [];
        const which = own.length < 2 ? '' : type === SOURCE ? nameOf(entry) : (badges.find((badge) => /^(rid|ssrc) /.test(badge)) ?? details[0] ?? entry.id);
        return [{ line: { entry: index, name, label: [label, which].filter(Boolean).join(' · ') }, moves: !series.constant }];
      });
    });
    return found.some(({ moves }) => moves) ? [{ title, unit, lines: found.slice(0, LINES).map(({ line }) => line) }] : [];
  });
}
