import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { browserOf } from '../src/model/browser';
import { seriesTitle } from '../src/model/entries';
import { categoryOf, markOf, shortMethod } from '../src/model/events';
import { thin } from '../src/model/lanes';
import { axisTexts, countText, valueText } from '../src/model/numbers';
import { soraFacts, soraText } from '../src/model/sora';

describe('events', () => {
  it('belong to a category, outcomes to that of their call', () => {
    const categories = {
      createOfferOnSuccess: 'negotiation',
      setRemoteDescriptionOnFailure: 'negotiation',
      addIceCandidateOnFailure: 'ice',
      'navigator.mediaDevices.getUserMedia': 'media',
      'MediaStreamTrack.onmute': 'media',
      createDataChannel: 'data',
      ':anything': 'app',
      ':sora.event': 'setup',
      ':sora.stats': 'reports',
      getStats: 'reports',
      create: 'setup',
      'RTCIceTransport.onselectedcandidatepairchange': 'ice',
      'RTCDataChannel.onbufferedamountlow': 'data',
      'document.onvisibilitychange': 'page',
      'navigator.connection.onchange': 'page',
      'HTMLMediaElement.playOnFailure': 'media',
      constructor: 'other',
    };
    for (const [method, category] of Object.entries(categories)) assert.equal(categoryOf(method), category, method);
  });

  it('are marked by what matters most', () => {
    assert.equal(markOf('createOffer', false, false), 'negotiation');
    assert.equal(markOf('createOfferOnFailure', true, false), 'failure');
    assert.equal(markOf('onicecandidateerror', false, true), 'warning');
    assert.equal(markOf('navigator.mediaDevices.getUserMedia', false, false), 'media');
    assert.equal(markOf('getStats', false, false), null);
    assert.equal(markOf(':note', false, false), 'app');
    assert.equal(markOf(':sora.event', false, false), 'webhook');
    assert.equal(markOf(':sora.connection', false, false), null);
  });

  it('have short names', () => {
    assert.equal(shortMethod('navigator.mediaDevices.getUserMediaOnSuccess'), 'getUserMediaOnSuccess');
  });
});

describe('marks', () => {
  it('of a kind are one where the screen shows one', () => {
    const mark = (time: number, event: number) => ({ time, event, kind: 'app' as const, method: ':x' });
    const groups = thin([mark(1, 0), mark(2, 1), mark(60, 2), mark(500, 3)], { min: 0, max: 100 }, 10);
    assert.deepEqual(groups.map(({ mark, count }) => [mark.event, count]), [
      [0, 2],
      [2, 1],
    ]);
  });
});

describe('numbers', () => {
  it('come with their unit', () => {
    assert.equal(valueText(1_250_000, 'bits/s'), '1.25 Mbit/s');
    assert.equal(valueText(0.0167, 's'), '16.7 ms');
    assert.equal(valueText(0, 's'), '0 s');
    assert.equal(valueText(640, 'px'), '640 px');
    assert.equal(valueText(null, 'ms'), '–');
    assert.equal(valueText(Number.NaN, ''), '–');
  });

  it('share a prefix on an axis', () => {
    assert.deepEqual(axisTexts([0, 200_000, 400_000], 'bits/s'), ['0', '200\u2009k', '400\u2009k']);
    assert.deepEqual(axisTexts([0, 0.5], 's'), ['0', '500 ms']);
  });

  it('agree with what they count', () => {
    assert.deepEqual([0, 1, 2].map((count) => countText(count, 'event')), ['0 events', '1 event', '2 events']);
  });
});

describe('names', () => {
  it('of derived series read as text', () => {
    assert.equal(seriesTitle('[bytesReceived_in_bits/s]'), 'bytesReceived in bits/s');
    assert.equal(seriesTitle('bytesReceived'), 'bytesReceived');
  });

  it('of browsers come from their user agent', () => {
    const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
    assert.deepEqual(browserOf(chrome), { name: 'Chrome', version: '156', os: 'Linux' });
    const safari = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Safari/605.1.15';
    assert.deepEqual(browserOf(safari), { name: 'Safari', version: '19.1', os: 'macOS' });
    assert.deepEqual(browserOf('curl/8'), { name: '', version: '', os: '' });
  });
});

describe('what Sora tells', () => {
  it('is named as far as it is known', () => {
    const sora = { role: 'sendonly', multistream: true, simulcast: false, version: '2024.2.1', node: 'sora@10.0.0.1', sessionId: 'A'.repeat(26) };
    assert.deepEqual(
      soraFacts(sora, 'standup', 'ann').map(({ name, value }) => `${name}: ${value}`),
      ['Channel: standup', 'Client: ann', 'Role: sendonly, multistream', 'Sora: 2024.2.1', 'Node: sora@10.0.0.1', `Sora session: ${sora.sessionId}`],
    );
    assert.deepEqual(soraFacts(sora, 'standup', 'ann').filter(({ isLong }) => isLong).map(({ name }) => name), ['Sora session']);
    // A header from elsewhere may say anything.
    assert.deepEqual(soraFacts({ node: 'n', role: null }, 5, null), [{ name: 'Node', value: 'n', isLong: false }]);
  });

  it('stands in lists where others have a browser', () => {
    assert.equal(soraText({ version: '2025.2.1', role: 'recvonly' }), 'Sora 2025.2.1 · recvonly');
    assert.equal(soraText({ version: '2025.1.0', role: null, node: 'sora@10.0.0.1' }), 'Sora 2025.1.0 · sora@10.0.0.1');
    assert.equal(soraText({}), 'Sora');
  });
});
