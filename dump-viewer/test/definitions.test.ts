import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { defined, definition, definitions } from '../src/model/definitions';

describe('definitions', () => {
  it('are there of every member that dumps have a short name for, but those of no standard', () => {
    const tables = JSON.parse(readFileSync('../tests/fixtures/rtcstats-tables.json', 'utf8'));
    const own = new Set(['timestamp', 'contentType', 'googTimingFrameInfo', 'networkType', 'rtcpTransportStatsId']);
    const members = [...Object.keys(tables.stats_properties.encode), ...Object.keys(tables.stats_properties.decode_only)];
    const known = new Set(defined().map(([, member]) => member));
    assert.ok(members.length > 150);
    assert.deepEqual(members.filter((member) => !known.has(member) && !own.has(member)), []);
  });

  it('lead to the dictionary that has the member', () => {
    const url = (type: string, member: string) => definition(type, member)?.url.replace('https://www.w3.org/TR/webrtc-stats/', '');
    assert.equal(url('inbound-rtp', 'packetsLost'), '#dom-rtcreceivedrtpstreamstats-packetslost');
    assert.equal(url('inbound-rtp', 'bytesReceived'), '#dom-rtcinboundrtpstreamstats-bytesreceived');
    assert.equal(url('outbound-rtp', 'bytesSent'), '#dom-rtcsentrtpstreamstats-bytessent');
    assert.equal(url('remote-candidate', 'address'), '#dom-rtcicecandidatestats-address');
    assert.equal(url('inbound-rtp', 'goog'), undefined);
    assert.equal(url('nonsense', 'ssrc'), undefined);
  });

  it('are sentences, one of each member of a type', () => {
    const all = defined();
    for (const [type, member] of all) assert.match(definition(type, member)?.text ?? '', /^\w.{8,140}\.$/, `${type} ${member}`);
    for (const type of new Set(all.map(([type]) => type))) {
      const members = all.filter(([of]) => of === type).map(([, member]) => member);
      const twice = members.filter((member, at) => members.indexOf(member) !== at);
      // Of sources those of audio and of video are one type.
      assert.deepEqual(twice, [], type);
    }
  });

  it('are those of all members that a series is computed from', () => {
    const members = (series: string) => definitions('inbound-rtp', series).map(({ member }) => member);
    assert.deepEqual(members('[bytesReceived_in_bits/s]'), ['bytesReceived']);
    assert.deepEqual(members('[packetsReceived/s]'), ['packetsReceived']);
    assert.deepEqual(members('[totalDecodeTime/framesDecoded_in_ms]'), ['totalDecodeTime', 'framesDecoded']);
    assert.deepEqual(members('[concealedSamples/totalSamplesReceived_in_%]'), ['concealedSamples', 'totalSamplesReceived']);
    assert.deepEqual(members('[packetsLost_in_%]'), ['packetsLost', 'packetsReceived']);
    assert.deepEqual(members('[Audio_Level_in_RMS]'), ['totalAudioEnergy', 'totalSamplesDuration']);
    assert.deepEqual(definitions('outbound-rtp', 'qualityLimitationDurations.cpu').map(({ member }) => member), ['qualityLimitationDurations']);
  });
});
