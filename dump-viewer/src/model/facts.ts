// The features that a connection and its tracks are judged by first, with what they mean.

import { valueText } from './numbers';
import { durationText } from './time';

export interface Fact {
  name: string;
  value: string;
  /** What it means. */
  title: string;
}

type Values = Record<string, unknown>;
type Row = [name: string, title: string, text: (values: Values) => string | null];

const number = (values: Values, name: string) => (typeof values[name] === 'number' ? (values[name] as number) : null);
const text = (values: Values, name: string) => (typeof values[name] === 'string' && values[name] !== '' ? (values[name] as string) : null);
const ms = (name: string) => (values: Values) => ((time) => (time === null ? null : durationText(time)))(number(values, name));
const unit = (name: string, unit: string, factor = 1) => (values: Values) => ((value) => (value === null ? null : valueText(value * factor, unit)))(number(values, name));
const spread = (name: string, of: string) => (values: Values) => {
  const [middle, high] = [number(values, `${name}P50`), number(values, `${name}P95`)];
  return middle === null || high === null ? null : `${valueText(middle, of)}, 95 %: ${valueText(high, of)}`;
};
const some = (name: string) => (values: Values) => ((count) => (count ? String(count) : null))(number(values, name));

const CONNECTION: Row[] = [
  ['Connected after', 'from the beginning of the connection until it was first connected', ms('timeToConnected')],
  ['Path', 'the types of the candidates that media went between', (values) => path(values)],
  ['Round trip time', 'of the path: median and 95th percentile of the reports', spread('roundTripTime', 's')],
  ['Loss, sent', 'share of the sent packets that the other side missed', unit('sentPacketsLostRatio', '%', 100)],
  ['Loss, received', 'share of the packets that were missed here', unit('receivedPacketsLostRatio', '%', 100)],
  ['Room to send', 'what the congestion controller took the path for: median and 95th percentile', spread('availableOutgoingBitrate', 'bits/s')],
  ['Reconnects', 'how often it was connected again after it had been disconnected', some('reconnects')],
  ['Disconnected', 'how long it was disconnected in all', (values) => ((time) => (time ? durationText(time) : null))(number(values, 'disconnectedTime'))],
  ['ICE restarts', 'whether ICE was restarted', (values) => (values['iceRestart'] === true ? 'yes' : null)],
  ['Negotiations', 'how often offers and answers were exchanged', some('numberOfNegotiations')],
];

const TRACK: Row[] = [
  ['Codec', 'the first codec', (values) => text(values, 'codecMimeType')?.replace(/^(audio|video)\//, '') ?? null],
  ['Bit rate', 'of payloads: median and 95th percentile', spread('bitrate', 'bits/s')],
  ['Size', 'the most common one', (values) => ((w, h) => (w === null || h === null ? null : `${w} × ${h}`))(number(values, 'commonWidth'), number(values, 'commonHeight'))],
  ['Frame rate', 'median', unit('frameRateP50', 'frames/s')],
  ['Loss', 'share of lost packets', unit('packetsLostRatio', '%', 100)],
  ['Jitter', 'median and 95th percentile', spread('jitter', 's')],
  ['Jitter buffer', 'time in the jitter buffer, mean', unit('averageJitterBufferDelay', 's')],
  ['Freezes', 'how often the video froze, and how long in all', (values) => ((count) => (count ? `${count}, ${valueText(number(values, 'totalFreezesDuration'), 's')}` : null))(number(values, 'freezeCount'))],
  ['Concealed', 'share of the audio that was made up for what was lost', unit('concealmentPercentage', '%', 100)],
  ['Limited by CPU', 'share of the time in which the processor limited the quality', share('cpuQualityLimitationPercentage')],
  ['Limited by bandwidth', 'share of the time in which bandwidth limited the quality', share('bandwidthQualityLimitationPercentage')],
  ['Encoder', '', (values) => text(values, 'encoderImplementation')],
  ['Decoder', '', (values) => text(values, 'decoderImplementation')],
];

function share(name: string): Row[2] {
  return (values) => ((part) => (part ? valueText(part * 100, '%') : null))(number(values, name));
}

function path(values: Values): string | null {
  const [local, remote] = [text(values, 'lastCandidatePairLocalType'), text(values, 'lastCandidatePairRemoteType')];
  if (local === null) return text(values, 'icePath');
  const protocol = text(values, 'firstCandidatePairLocalRelayProtocol') ?? text(values, 'lastCandidatePairLocalProtocol');
  return `${local} ⇄ ${remote ?? 'unknown'}${protocol === null ? '' : ` over ${protocol}`}`;
}

function facts(rows: Row[], values: Values): Fact[] {
  return rows.flatMap(([name, title, of]) => ((value) => (value === null ? [] : [{ name, title, value }]))(of(values)));
}

export const connectionFacts = (values: Values) => facts(CONNECTION, values);

export interface TrackFacts {
  /** `Video received`, with what tells it from others. */
  title: string;
  facts: Fact[];
}

/** Of each track of a connection. */
export function trackFacts(values: Values): TrackFacts[] {
  const tracks = Array.isArray(values['tracks']) ? (values['tracks'] as Values[]) : [];
  return tracks.map((track) => {
    const way = text(track, 'direction') === 'inbound' ? 'received' : 'sent';
    const kind = text(track, 'kind') ?? 'track';
    return { title: `${kind.charAt(0).toUpperCase()}${kind.slice(1)} ${way}`, facts: facts(TRACK, track) };
  });
}
