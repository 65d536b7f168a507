// What an application has left out in the page is what the collector would have left out: the same values recorded twice, once
// obfuscated by the client for a collector that stores what it gets, once by the collector.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openBrowser, openPage } from '../harness/browser.js';
import { Collector } from '../harness/collector.js';
import { storedSession } from '../harness/session.js';
import { openSite } from '../harness/site.js';

const addresses = [
  '192.0.2.77', '10.0.0.1', '255.255.255.255', '127.0.0.1', '0.0.0.0', '127.0.0.2', '192.0.2.7%eth0', '192.0.2.256', '192.0.2', '192.0.02.1',
  'fd00::2', '2001:db8:1:2:3:4:5:6', '2001:DB8::A', 'fe80::1%eth0', '::1', '::', '0:0:0:0:0:0:0:1', '::ffff:192.0.2.77', '::ffff:127.0.0.1', '::192.0.2.7',
  '1:2:3:4:5:6:7::', '::2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8:9', '1::2::3', ':1', '1:2:3:4:5:6:192.0.2.7', '12345::', 'fd00::g', '::ffff:192.0.02.7',
  '3e1d0b1c-5a0b.local', 'turn.example', '192.0.2.x', 'fd00::2x:x:x:x:x:x', '', ' ', '192.0.2.7 ', '٣.1.2.3',
];

/** The same numbers every time. @param {number} seed */
function* numbers(seed) {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 8;
  }
}

/** Texts of what addresses are made of. @param {number} count */
function noise(count) {
  const next = numbers(7);
  const letters = 'abcdef0123456789.:%/[] xX\r\n=-'.split('');
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + (Number(next.next().value) % 24) }, () => letters[Number(next.next().value) % letters.length]).join(''),
  );
}

const candidates = [...addresses, ...noise(60)].flatMap((address) => [
  `candidate:1 1 UDP 2122194687 ${address} 4444 typ srflx raddr ${address} rport 4444 generation 0`,
  `candidate:1 1 UDP 41 ${address} 50000 typ relay raddr ${address} rport 9 ufrag x`,
]);
const descriptions = [...addresses, ...noise(60)].map((address) =>
  [
    'v=0', `o=- 1 2 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', `c=IN IP6 ${address}/127/3`,
    `a=rtcp:9 IN IP4 ${address}`, `a=candidate:1 1 UDP 2 ${address} 5 typ host`, `a=candidate:1 1 UDP 2 ${address} 5 typ relay raddr ${address} rport 1`,
    `a=remote-candidates:1 ${address} 5`, '',
  ].join('\r\n'),
);

/** What does not depend on the run; the page's own call beside has other ports and fingerprints. @param {import('../decoder/dump.js').Event[]} events */
const comparable = (events) =>
  events
    .filter(({ method, connection }) => connection !== 'PC_1' && /^(addIceCandidate|setRemoteDescription|onicecandidateerror|getStats|:note)$/.test(method))
    .map(({ method, value }) => JSON.stringify([method, method === 'getStats' ? entries(value) : value]))
    .filter((line) => !/ufrag (?!x")|usernameFragment":"|fingerprint|,(null|\[\])\]$/.test(line));

/** How Chromium and Firefox label their fake devices. @param {import('../decoder/dump.js').Event} event */
const isLabelled = ({ value }) => /fake_device|Default (Audio|Video) Device/.test(JSON.stringify(value) ?? '');

/** @param {any} report */
const entries = (report) => Object.values(report).filter((entry) => entry.candidateType).map(({ candidateType, address, ip, relatedAddress }) => [candidateType, address, ip, relatedAddress]);

describe('what is left out in the page', () => {
  /** @type {Collector} */ let obfuscating;
  /** @type {Collector} */ let plain;
  /** @type {import('../harness/browser.js').Browser} */ let browser;
  /** @type {{ url: string, close: () => Promise<void> }} */ let site;

  before(async () => {
    [obfuscating, plain, browser, site] = await Promise.all([
      Collector.start(),
      Collector.start({ RTCTRACE_PRIVACY_ADDRESSES: 'false' }),
      openBrowser(),
      openSite(),
    ]);
  });

  after(async () => {
    await browser?.close();
    await site?.close();
    await obfuscating?.dispose();
    await plain?.dispose();
  });

  /** @param {Collector} collector @param {any} redact */
  async function recorded(collector, redact) {
    const { page, faults } = await openPage(browser);
    await page.goto(`${site.url}/redact.html`);
    await page.waitForFunction(() => 'run' in window);
    const texts = { addresses, candidates, descriptions };
    const session = await page.evaluate(([endpoint, redact, texts]) => /** @type {any} */ (window).run(endpoint, redact, texts), [collector.url, redact, texts]);
    await page.close();
    assert.deepEqual(faults, []);
    return (await storedSession(collector, session)).dump.events;
  }

  it('are the addresses that the collector would have obfuscated, and as it would', async () => {
    const [client, collector] = [await recorded(plain, { addresses: true }), await recorded(obfuscating, undefined)];
    // Reports are as many as the polls of that run.
    const unique = (/** @type {string[]} */ lines) => lines.filter((line, index) => line !== lines[index - 1]);
    const [actual, expected] = [unique(comparable(client)), unique(comparable(collector))];
    assert.ok(actual.some((line) => line.includes('192.0.2.x')));
    expected.forEach((line, index) => assert.equal(actual[index], line, `line ${index}`));
    assert.equal(actual.length, expected.length);
  });

  it('are the labels of devices and tracks', async () => {
    const events = await recorded(plain, { labels: true });
    const labelled = (await recorded(plain, {})).filter(isLabelled);
    assert.ok(labelled.length >= 3, labelled.map(({ method }) => method).join());
    assert.deepEqual(events.filter(isLabelled), []);
    const [, track] = events.filter(({ method }) => method === 'addTrack').map(({ value }) => value);
    assert.deepEqual([track[0], track[2]], ['video', '']);
    const devices = events.find(({ method }) => method === 'navigator.mediaDevices.enumerateDevices')?.value;
    assert.ok(devices.length > 0 && devices.every((/** @type {any} */ device) => device.label === '' && device.kind));
  });

  it('are descriptions but for their type, while candidates stay', async () => {
    const events = await recorded(plain, { sdp: true });
    const described = events.filter(({ value }) => value?.type === 'offer' || value?.type === 'answer');
    assert.ok(described.length >= 4);
    for (const { value } of described) assert.deepEqual(value, { type: value.type, sdp: '' });
    assert.ok(events.every(({ value }) => !JSON.stringify(value)?.includes('v=0')));
    assert.ok(events.some(({ method, value }) => method === 'onicecandidate' && value?.candidate));
  });
});
