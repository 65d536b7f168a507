import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { differences, folded, origin, sections } from '../src/model/sdp';

const SESSION = ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1'];
const AUDIO = ['m=audio 9 UDP/TLS/RTP/SAVPF 111 63', 'a=mid:0', 'a=setup:actpass', 'a=sendrecv', 'a=rtpmap:111 opus/48000/2', 'a=rtpmap:63 red/48000/2'];
const VIDEO = ['m=video 0 UDP/TLS/RTP/SAVPF 96', 'a=mid:1', 'a=recvonly', 'a=rtpmap:96 VP8/90000', 'a=simulcast:send h;m;l'];
const sdp = (...parts: string[][]) => `${parts.flat().join('\r\n')}\r\n`;

describe('a description', () => {
  it('has sections that say what they are about', () => {
    const found = sections(sdp(SESSION, AUDIO, VIDEO));
    assert.deepEqual(found.map(({ key, media, facts }) => [key, media, facts]), [
      ['session', 'session', ['BUNDLE 0 1']],
      ['mid 0', 'audio', ['mid 0', 'sendrecv', 'opus', 'setup actpass']],
      ['mid 1', 'video', ['mid 1', 'rejected', 'recvonly', 'VP8', 'simulcast send h;m;l']],
    ]);
    assert.deepEqual(found[1]?.lines, AUDIO);
  });

  it('need not be complete', () => {
    assert.deepEqual(sections(''), []);
    assert.deepEqual(sections('m=audio').map(({ key, media }) => [key, media]), [['#0', 'audio']]);
    assert.deepEqual(sections('m=\nm=x 1').map(({ key }) => key), ['#0', '#1']);
  });

  it('that is the same differs in nothing', () => {
    const text = sdp(SESSION, AUDIO, VIDEO);
    const found = differences(text, text.replaceAll('\r\n', '\n'));
    assert.deepEqual(found.map(({ state }) => state), ['same', 'same', 'same']);
    assert.ok(found.every(({ lines }) => lines.every(({ change }) => change === 'same')));
  });

  it('differs from another by lines and by sections', () => {
    const munged = AUDIO.map((line) => (line === 'a=sendrecv' ? 'a=sendonly' : line)).concat('b=AS:30');
    const data = ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=mid:2'];
    const found = differences(sdp(SESSION, AUDIO, VIDEO), sdp(SESSION, munged, data));
    assert.deepEqual(found.map(({ section, state }) => [section.key, state]), [
      ['session', 'same'],
      ['mid 0', 'changed'],
      ['mid 2', 'added'],
      ['mid 1', 'removed'],
    ]);
    const changed = found[1]?.lines.filter(({ change }) => change !== 'same').map(({ change, text }) => `${change} ${text}`);
    assert.deepEqual(changed, ['removed a=sendrecv', 'added a=sendonly', 'added b=AS:30']);
  });

  it('comes from any that was created before, and was changed only if it is none of them', () => {
    const made = (event: number, ...parts: string[][]) => ({ event, sdp: sdp(SESSION, ...parts) });
    const [newest, stale] = [made(9, AUDIO, VIDEO), made(5, AUDIO)];
    assert.equal(origin(sdp(SESSION, AUDIO), [newest, stale]), stale);
    assert.equal(origin(stale.sdp.replaceAll('\r\n', '\n'), [newest, stale]), stale);
    assert.equal(origin(sdp(SESSION, VIDEO), [newest, stale]), newest);
    assert.equal(origin(sdp(SESSION, AUDIO), []), null);
  });

  it('is read by its changes and what stands around them', () => {
    const lines = [...'mabcdefgh'].map((text) => ({ change: text === 'e' ? ('added' as const) : ('same' as const), text }));
    assert.deepEqual(folded(lines).map((line) => ('hidden' in line ? line.hidden : line.text)), ['m', 2, 'c', 'd', 'e', 'f', 'g', 1]);
    assert.deepEqual(folded([]), []);
  });

  it('gives both descriptions back', () => {
    const base = sdp(SESSION, ['m=audio 9 x', 'a=mid:0', 'a=1', 'a=2', 'a=3', 'a=4', 'a=2']);
    const next = sdp(SESSION, ['m=audio 9 x', 'a=mid:0', 'a=3', 'a=2', 'a=1', 'a=5', 'a=2', 'a=2']);
    const lines = differences(base, next).flatMap((difference) => difference.lines);
    const without = (change: string) => sdp(lines.filter((line) => line.change !== change).map(({ text }) => text));
    assert.equal(without('added'), base);
    assert.equal(without('removed'), next);
  });
});
