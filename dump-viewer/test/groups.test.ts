import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConnectionOverview, EntryOverview, TrackOverview } from '../src/import/messages';
import { entryItems } from '../src/model/entries';
import { graphGroups } from '../src/model/groups';
import type { Recording } from '../src/model/recording';
import { trackName } from '../src/model/tracks';

const track = (id: string, kind: string, more: Partial<TrackOverview> = {}): TrackOverview =>
  ({ id, kind, label: '', remote: false, stream: null, screen: false, hint: null, changes: [], ...more });

function entry(id: string, type: string, texts: Record<string, string>, moving: string[] = [], numbers: Record<string, number> = {}): EntryOverview {
  const series = [
    ...moving.map((name) => ({ name, kind: name.startsWith('[') ? ('derived' as const) : ('gauge' as const), unit: '', constant: false, last: 1 })),
    ...Object.entries(numbers).map(([name, last]) => ({ name, kind: 'gauge' as const, unit: '', constant: true, last })),
  ];
  return { id, type, start: 0, end: 1, points: 2, texts: Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, { value, changes: 0 }])), series };
}

describe('a track', () => {
  const camera = track('c', 'video', { label: 'HD Webcam' });
  const name = (own: TrackOverview, captured: TrackOverview[] = [], all = [own]) => trackName(own, captured, all);

  it('is named after what it was captured of', () => {
    assert.equal(name(camera), 'Camera');
    assert.equal(name(track('m', 'audio'), [track('m', 'audio')]), 'Microphone');
    assert.equal(name(track('s', 'video', { label: 'Some window' }), [track('s', 'video', { screen: true })]), 'Screen');
    assert.equal(name(track('s', 'video', { label: 'screen:1:0' })), 'Screen');
    assert.equal(name(track('s', 'audio'), [track('s', 'audio', { screen: true })]), 'Screen audio');
    assert.equal(name(track('x', 'video')), 'Video', 'a canvas is no camera');
  });

  it('is told apart where several are alike', () => {
    const other = track('d', 'video', { label: 'Document camera' });
    assert.equal(name(camera, [], [camera, other]), 'Camera (HD Webcam)');
    assert.equal(name(camera, [], [camera, track('c2', 'video', { label: 'HD Webcam' })]), 'Camera', 'a clone is the same camera');
    const remote = (stream: string | null) => track(`r${stream}`, 'video', { remote: true, stream });
    const jitsi = remote('1ed313b5-video-0-1');
    assert.equal(name(jitsi), 'Remote video');
    assert.equal(name(jitsi, [], [jitsi, remote(null)]), 'Remote video');
    assert.equal(name(jitsi, [], [jitsi, remote('{935761fa-a60d-4691-bb17-744dda47b9e3}')]), 'Remote video of 1ed313b5');
    const random = remote('{935761fa-a60d-4691-bb17-744dda47b9e3}');
    assert.equal(name(random, [], [jitsi, random]), 'Remote video of 935761fa');
  });
});

describe('graphs of a connection', () => {
  const entries = [
    entry('oh', 'outbound-rtp', { kind: 'video', mid: '1', rid: 'h', mediaSourceId: 'sv' }, ['[bytesSent_in_bits/s]'], { ssrc: 1 }),
    entry('ol', 'outbound-rtp', { kind: 'video', mid: '1', rid: 'l', mediaSourceId: 'sv' }, ['[bytesSent_in_bits/s]', 'frameHeight'], { ssrc: 2 }),
    entry('sv', 'media-source', { kind: 'video', trackIdentifier: 'c' }, [], { height: 480 }),
    entry('ss', 'media-source', { kind: 'video', trackIdentifier: 's' }, ['height']),
    entry('rh', 'remote-inbound-rtp', { localId: 'oh' }, ['[fractionLost_in_%]']),
    entry('rl', 'remote-inbound-rtp', { kind: 'video' }, ['jitter'], { ssrc: 2 }),
    entry('i', 'inbound-rtp', { kind: 'audio', mid: '0', trackIdentifier: 'r' }, ['[packetsReceived/s]', '[Audio_Level_in_RMS]']),
    entry('p', 'candidate-pair', {}, ['currentRoundTripTime'], { bytesSent: 5 }),
    entry('q', 'candidate-pair', {}, ['currentRoundTripTime'], { bytesSent: 0 }),
    entry('t', 'transport', {}),
    entry('d', 'data-channel', { label: 'chat', state: 'open' }, ['[messagesSent/s]']),
    entry('x', 'codec', {}),
  ];
  const tracks = [track('c', 'video', { label: 'HD Webcam', hint: 'motion' }), track('s', 'video', { screen: true }), track('r', 'audio', { remote: true })];
  const connection = { id: 'PC_0', start: 0, end: 1, events: 1, failures: 0, reports: 1, descriptions: [], states: {}, lanes: [], tracks, entries } as unknown as ConnectionOverview;
  const recording = { connection: () => connection, overview: { tracks: [] } } as unknown as Recording;
  const groups = graphGroups(recording, 0, entryItems(connection));

  it('are by track, then the path, data channels, and the rest', () => {
    assert.deepEqual(groups.map(({ title }) => title), ['Camera, sent', 'Remote audio', 'Path', 'Data channel chat', 'Other entries']);
    assert.deepEqual(groups.map(({ items }) => items.map((item) => item.entry.id).sort().join()), ['oh,ol,rh,rl,ss,sv', 'i', 'p,t', 'd', 'q,x']);
    assert.ok(groups[0]?.badges.includes('hint motion'));
    assert.deepEqual(groups.map(({ open }) => open), [true, true, true, true, false]);
  });

  it('have a line for each layer, and what stands still only beside what moves', () => {
    const [camera, audio] = groups;
    const lines = (title: string) => camera?.graphs.find((graph) => graph.title === title)?.lines.map(({ label }) => label);
    assert.deepEqual(lines('Bit rate'), ['sent · rid h', 'sent · rid l']);
    assert.deepEqual(lines('Height of the picture'), ['captured · Camera', 'captured · Screen', 'sent · rid l']);
    assert.deepEqual(lines('Packet loss'), ['at the other side · rid h']);
    assert.equal(lines('Frames'), undefined);
    assert.deepEqual(audio?.graphs.map(({ title }) => title), ['Packets', 'Audio level']);
  });
});
