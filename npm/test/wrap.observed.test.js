// What is observed of a page: every method with its value and extras, and nothing where nothing is asked for. BROWSER=firefox
// tries it there.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { browserName, openBrowser } from '../../tests/harness/browser.js';
import { loadWrap, openWrapSite, run } from './wrap-site.js';

const isFirefox = browserName === 'firefox';
const MEDIA = 'navigator.mediaDevices';

/** `[method, value, ...extra]` of the moments of a connection, or of none. */
const lines = (moments, connection, omit = /^$/) =>
  moments.filter((moment) => moment.connection === connection && !omit.test(moment.method)).map(({ method, value, extra }) => [method, value, ...extra]);
const only = (moments, method) => moments.filter((moment) => moment.method === method).map(({ connection, value, extra }) => [connection, value, ...extra]);
/** What comes when the browser's network has it. */
const NETWORK = /^RTC(Ice|Sctp)|^ondtls|^onice|^onnegotiation|^onsignaling|^RTCDataChannel/;

describe('the observers', () => {
  let browser;
  let site;

  before(async () => void ([browser, site] = await Promise.all([openBrowser(), openWrapSite()])));
  after(async () => {
    await browser?.close();
    site?.close();
  });

  /** Does in a fresh page what a function of pages/observed.js does. */
  async function observe(name) {
    const page = await browser.context.newPage();
    try {
      await page.goto(`${site.url}/observed`);
      const seen = await run(page, 'observed', name);
      assert.deepEqual(seen.faults ?? [], []);
      return seen;
    } finally {
      await page.close();
    }
  }

  it('see how connections are made, and for whom', async () => {
    const { moments, facts, gone, created } = await observe('creation');
    const configuration = {
      iceServers: [{ urls: ['turn:127.0.0.1:3478?transport=udp'], username: 'someone' }],
      certificates: [{ expires: facts.expires, fingerprints: facts.fingerprints }],
    };
    assert.deepEqual(lines(moments, 0), [
      ['create', configuration],
      ['constraints', facts.constraints],
      ['identity', { user: 'ann', peer: 'bob', conference: 'room' }],
      ['setConfiguration', configuration],
      ['close', null],
    ]);
    assert.deepEqual(lines(moments, 1), [['create', null], ['close', null]]);
    assert.deepEqual(lines(moments, 2), [['create', { bundlePolicy: 'max-bundle' }], ['constraints', { label: 'x' }], ['close', null]]);
    assert.deepEqual([facts.numbers, gone, created], [[0, 1, 2, null, null], [0, 1, 2], ['PC_0', 'PC_1', 'PC_2']]);
  });

  it('see the negotiation, its outcomes and its failures', async () => {
    const { moments, facts } = await observe('negotiation');
    const { audio, video, stream, names, offer, answer, otherLocal, kept, local } = facts;
    const [added, transceiver, spare] = names;
    const plain = (track) => track.slice(0, 3);
    const description = ({ type, sdp }) => ({ type, sdp });
    const expected = [
      ['create', null],
      ['createDataChannel', ['plain']],
      ['createDataChannel', ['chat', { ordered: false, maxRetransmits: 2 }]],
      ['addTrack', audio],
      ['addTrackOnSuccess', null, added],
      ['addTransceiver', [plain(video), { direction: 'sendonly', streams: [stream], sendEncodings: [{ maxBitrate: 900_000 }] }]],
      ['addTransceiverOnSuccess', null, transceiver],
      ['addTransceiver', ['audio']],
      ['addTransceiverOnSuccess', null, spare],
      ['setCodecPreferences', [facts.codec], transceiver],
      ...(facts.extensions ? [['setHeaderExtensionsToNegotiate', facts.extensions, transceiver]] : []),
      ['createOffer', { iceRestart: true }, '2-0'],
      ['createOfferOnSuccess', description(offer), '2-0'],
      ['setLocalDescription', description(offer), '6-0'],
      ['setLocalDescriptionOnSuccess', null, '6-0'],
      ['setRemoteDescription', description(otherLocal), '8-1'],
      ['setRemoteDescriptionOnSuccess', null, '8-1'],
      ['setRemoteDescription', { type: 'answer', sdp: 'x' }, '8-2'],
      ['setRemoteDescriptionOnFailure', facts.refused, '8-2'],
      ['addIceCandidate', { candidate: 'candidate:1 1 UDP 1 192.0.2.1 5 typ host', sdpMid: '99' }, '10-0'],
      ['addIceCandidateOnFailure', facts.refusedCandidate, '10-0'],
      ['addIceCandidate', null, '10-1'],
      ['addIceCandidateOnSuccess', null, '10-1'],
      ['setParameters', [kept], transceiver],
      ['replaceTrack', [null, plain(audio)], spare],
      ['replaceTrack', [plain(audio), null], spare],
      ['removeTrack', added],
      ['restartIce', null],
      ['setLocalDescription', { type: 'offer' }, '6-2'],
      ['setLocalDescriptionOnSuccess', description(local), '6-2'],
      ['setLocalDescription', { type: 'rollback' }, '6-3'],
      ['setLocalDescriptionOnSuccess', null, '6-3'],
      ['close', null],
      ['createOffer', null, '2-1'],
      ['createOfferOnFailure', facts.closed, '2-1'],
    ];
    assert.deepEqual(lines(moments, facts.number, NETWORK), expected);
    const received = (method) => only(moments, method).filter(([connection]) => connection === 1);
    assert.deepEqual(received('createAnswerOnSuccess'), [[1, description(answer), '4-0']]);
    assert.deepEqual(received('setLocalDescription'), [[1, null, '6-1']]);
    assert.equal(received('setLocalDescriptionOnSuccess')[0][1].type, 'answer');
    assert.equal(received('ontrack').length, 3);
    assert.equal(received('onaddstream').length, 1);
  });

  it('see a call: states, transports, channels, remote media and reports', async () => {
    const { moments, reports, gone, facts } = await observe('call');
    for (const index of [0, 1]) {
      const isState = ([method]) => /^on(signalingstate|iceconnectionstate|connectionstate|icegatheringstate)change$/.test(method);
      assert.deepEqual(lines(moments, index).filter(isState), facts.states[index]);
      const candidates = only(moments, 'onicecandidate').filter(([connection]) => connection === index);
      assert.ok(candidates[0][1].candidate.startsWith('candidate:') && 'sdpMid' in candidates[0][1]);
      assert.equal(candidates.at(-1)[1], null);
      // Both ends pass through these, and the states end with the call where the browser says so.
      const states = (method) => only(moments, method).filter(([connection, , mid]) => connection === index && mid !== null).map(([, value]) => value);
      assert.ok(states('ondtlsstatechange').join().includes('connecting,connected'));
      assert.ok(states('RTCIceTransport.onstatechange').join().includes('checking,connected'));
      assert.ok(states('RTCIceTransport.ongatheringstatechange').includes('gathering'));
      assert.ok(states('RTCSctpTransport.onstatechange').includes('connected'));
      if (facts.hasPairs && !isFirefox) {
        const [pair] = states('RTCIceTransport.onselectedcandidatepairchange');
        assert.ok(pair.local.candidate.startsWith('candidate:') && pair.remote.candidate.startsWith('candidate:'));
      }
      const own = reports.filter(({ connection }) => connection === index);
      assert.deepEqual([own[0].reason, own[1].reason], ['connected-0', null]);
      assert.ok(Object.values(own.at(-1).report).some(({ type }) => type === 'candidate-pair'));
      const gaps = own.slice(1).map(({ time }, at) => time - own[at].time);
      assert.ok(gaps.every((gap) => gap >= 0) && own.length <= 60, `${gaps}`);
    }
    assert.equal(reports.length, facts.reported);
    assert.deepEqual(gone, [0, 1]);
    assert.deepEqual(only(moments, 'ontrack'), facts.remote.map((track) => [1, track]));
    const streams = facts.remote.map((track) => track.slice(0, 4));
    assert.deepEqual(only(moments, 'onaddstream'), [[1, streams]]);
    assert.deepEqual(only(moments, 'onremovestream'), [[1, streams]]);
    assert.ok(only(moments, 'MediaStreamTrack.onunmute').some(([connection, id]) => connection === 1 && id === facts.video));
    // Firefox dispatches no events of a page's own on tracks.
    assert.deepEqual(only(moments, 'MediaStreamTrack.onmute'), isFirefox ? [] : [[1, facts.video]]);
    const resizes = only(moments, 'HTMLMediaElement.resize');
    assert.ok(resizes.length > 0);
    assert.deepEqual(resizes.at(-1), [1, { width: resizes.at(-1)[1].width, height: resizes.at(-1)[1].height, ...facts.size }, facts.video]);
    const unplayed = only(moments, 'HTMLMediaElement.playOnFailure');
    assert.deepEqual(unplayed, [[1, facts.aborted, facts.remote[0][1]]]);
    assert.deepEqual(only(moments, 'ondatachannel'), [[1, facts.accepted]]);
    assert.deepEqual(only(moments, 'RTCDataChannel.onopen').sort(), [[0, facts.label], [1, facts.accepted]]);
    assert.deepEqual(only(moments, 'RTCDataChannel.onclose').sort(), [[0, facts.label], [1, facts.accepted]]);
    assert.deepEqual(only(moments, 'RTCDataChannel.onclosing'), [[1, facts.accepted]]);
    assert.deepEqual(only(moments, 'RTCDataChannel.onerror'), [[0, [...facts.label, 'OperationError: sabotage']]]);
    assert.deepEqual(only(moments, 'RTCDataChannel.onbufferedamountlow'), [[0, facts.label]]);
    if (facts.hasTransports) assert.deepEqual(only(moments, 'ondtlserror'), [[0, 'OperationError: sabotage', '0']]);
    assert.deepEqual(only(moments, 'onicecandidateerror'), [[1, { address: '192.0.2.1', port: 7, url: 'stun:192.0.2.1', errorCode: 701, errorText: 'none' }]]);
    assert.deepEqual(only(moments, 'MediaStreamTrack.enabled'), []);
    const [task] = only(moments, 'longtask');
    if (facts.longTasks) assert.ok(task[0] === null && task[1].count >= 1 && task[1].duration >= 50);
    else assert.equal(task, undefined);
  });

  it('see what is captured, from what, and what becomes of it', async () => {
    const { moments, facts } = await observe('media');
    const [audio, video, clone] = facts.tracks.map(([, id]) => id);
    const pretended = isFirefox ? [] : ['onmute', 'onunmute', 'onended'].map((event) => [`MediaStreamTrack.${event}`, audio, '60-0']);
    const sinks = [
      ['HTMLMediaElement.setSinkId', '', 'HTMLMediaElement.setSinkId-0'],
      ['HTMLMediaElement.setSinkIdOnSuccess', null, 'HTMLMediaElement.setSinkId-0'],
      ['HTMLMediaElement.setSinkId', 'nothing', 'HTMLMediaElement.setSinkId-1'],
      ['HTMLMediaElement.setSinkIdOnFailure', facts.sink, 'HTMLMediaElement.setSinkId-1'],
    ];
    assert.deepEqual(lines(moments, null), [
      [`${MEDIA}.enumerateDevices`, facts.devices],
      [`${MEDIA}.getUserMedia`, { audio: true, video: { width: 320 } }, '60-0'],
      [`${MEDIA}.getUserMediaOnSuccess`, facts.tracks.slice(0, 2).map((track) => [...track, facts.stream]), '60-0'],
      [`${MEDIA}.getUserMedia`, { video: { width: { exact: 99_999 } } }, '60-1'],
      [`${MEDIA}.getUserMediaOnFailure`, facts.refused, '60-1'],
      [`${MEDIA}.getDisplayMedia`, { video: 5, audio: true, preferCurrentTab: 'x', monitorTypeSurfaces: 'nothing' }, '63-0'],
      [`${MEDIA}.getDisplayMediaOnFailure`, facts.display, '63-0'],
      ['MediaStreamTrack.applyConstraints', [{ width: 160 }], video, '60-0'],
      ['MediaStreamTrack.enabled', false, audio],
      ...(facts.hint ? [['MediaStreamTrack.contentHint', 'motion', video]] : []),
      ['MediaStreamTrack.enabled', false, clone],
      ...pretended,
      ['MediaStreamTrack.stop', [], audio, '60-0'],
      ['MediaStreamTrack.stop', [], video, '60-0'],
      ['MediaStreamTrack.stop', [], clone, null],
      [`${MEDIA}.ondevicechange`, null],
      ...(facts.sink ? sinks : []),
    ]);
  });

  it('see what becomes of local tracks that are sent, wherever they are from', { skip: isFirefox && 'it dispatches no events of a page on tracks' }, async () => {
    const { moments, facts } = await observe('sent');
    const [added, transceived, replaced, received] = facts.ids;
    const muted = [added, transceived, replaced].map((id) => [null, id, null]);
    // What is received is its connection's.
    assert.deepEqual(only(moments, 'MediaStreamTrack.onmute'), [...muted, [1, received, null]]);
    assert.deepEqual(only(moments, 'MediaStreamTrack.onunmute'), [...muted, [1, received, null]]);
    assert.deepEqual(only(moments, 'MediaStreamTrack.onended').at(0), [null, added, null]);
  });

  it('see what only the getters of a page can tell, by asking the browser', async () => {
    const { moments, facts } = await observe('getters');
    const iceServers = [{ urls: ['turn:127.0.0.1:3478'], username: 'someone' }];
    // Firefox still says credentialType.
    const servers = (value) => value?.iceServers?.map(({ urls, username }) => ({ urls, username })) ?? null;
    const configurations = only(moments, 'create').map(([number, value]) => [number, servers(value), value?.bundlePolicy ?? null]);
    const policy = configurations[1][2];
    assert.deepEqual(configurations, [[0, iceServers, 'max-bundle'], [1, iceServers, policy], [2, null, null]]);
    assert.deepEqual(only(moments, 'setConfiguration').map(([number, value]) => [number, value.iceServers, value.bundlePolicy]), [[0, [], 'max-bundle']]);
    assert.ok(!JSON.stringify(moments).includes('secret'));
    assert.equal(facts.once, 8, 'each getter ran once, for the browser');
    const outcomes = ['setLocalDescriptionOnSuccess', 'setRemoteDescriptionOnSuccess', 'setRemoteDescriptionOnFailure'].flatMap((method) => only(moments, method).map(([number, value]) => [number, value?.type ?? value]));
    assert.deepEqual(outcomes, [[0, 'offer'], [2, 'answer'], [2, 'offer'], [0, 'answer'], [0, facts.refused]]);
    assert.deepEqual(only(moments, 'setRemoteDescriptionOnSuccess')[1].slice(0, 2), [0, facts.answered]);
    for (const method of ['setLocalDescription', 'setRemoteDescription']) assert.ok(only(moments, method).every(([, value]) => value === null));
  });

  it('take nothing for the browser\'s that a page has dispatched', async () => {
    const { moments } = await observe('pretended');
    const events = moments.map(({ method }) => method).filter((method) => /^(on|document|navigator)/.test(method));
    assert.ok(events.includes('onsignalingstatechange'), 'those of the browser are there');
    assert.deepEqual(events.filter((method) => /datachannel|track|visibility|devicechange/.test(method)), []);
    assert.equal(only(moments, 'onsignalingstatechange').length, 1);
  });

  it('see where a context of Web Audio sends its sound', async () => {
    const { moments, facts } = await observe('outputs');
    if (!facts) return;
    assert.deepEqual(lines(moments, null), [
      ['AudioContext.setSinkId', { type: 'none' }, 'AudioContext.setSinkId-0'],
      ['AudioContext.setSinkIdOnSuccess', null, 'AudioContext.setSinkId-0'],
      ['AudioContext.setSinkId', 'nothing', 'AudioContext.setSinkId-1'],
      ['AudioContext.setSinkIdOnFailure', facts.refused, 'AudioContext.setSinkId-1'],
    ]);
  });

  it('say why reports began until one was kept', async () => {
    const page = await browser.context.newPage();
    await page.goto(`${site.url}/observed`);
    const { reasons } = await run(page, 'observed', 'refused');
    await page.close();
    assert.deepEqual(reasons, [['connected-0', 'connected-0', null], ['connected-0', 'connected-0', null]]);
  });

  it('see what is obsolete', async () => {
    const { moments, facts } = await observe('legacy');
    const { tracks, streams } = facts;
    assert.deepEqual(lines(moments, null).slice(0, 4), [
      ['getUserMedia', { audio: true }, 'getUserMedia-0'],
      ['getUserMediaOnSuccess', tracks, 'getUserMedia-0'],
      ['getUserMedia', { video: { width: { exact: 99_999 } } }, 'getUserMedia-1'],
      ['getUserMediaOnFailure', facts.refused, 'getUserMedia-1'],
    ]);
    const { type, sdp } = facts.offer;
    assert.deepEqual(lines(moments, 0, NETWORK), [
      ['create', null],
      ...(streams[0] ? [['addStream', tracks]] : []),
      ['createOffer', { offerToReceiveVideo: true }, '2-0'],
      ['createOfferOnSuccess', { type, sdp }, '2-0'],
      ['setLocalDescription', { type, sdp }, '6-0'],
      ['setLocalDescriptionOnSuccess', null, '6-0'],
      ['setRemoteDescription', { type: 'answer', sdp: 'x' }, '8-0'],
      ['setRemoteDescriptionOnFailure', facts.failed, '8-0'],
      ...(streams[1] ? [['removeStream', tracks]] : []),
      ['close', null],
    ]);
  });

  it('see that frames are transformed', async () => {
    const { moments, facts } = await observe('transforms');
    const of = (method) => only(moments, method).map(([connection, value, name]) => [connection, value, name === facts.name]);
    if (facts.has[0]) {
      assert.deepEqual(of('RTCRtpSender.transform'), [[0, 'RTCRtpScriptTransform', true], [0, null, true]]);
      assert.deepEqual(of('RTCRtpReceiver.transform'), [[0, 'RTCRtpScriptTransform', true]]);
    }
    if (facts.has[1]) assert.deepEqual(of('RTCRtpSender.createEncodedStreams'), [[0, null, false]]);
    assert.ok(facts.has[0] || facts.has[1]);
  });

  it('see what the page goes through', async () => {
    const { moments, facts } = await observe('surroundings');
    assert.deepEqual(lines(moments, null), [
      ['document.onvisibilitychange', facts.visibility],
      ['document.onfreeze', null],
      ['document.onresume', null],
      ['window.onoffline', null],
      ['window.ononline', null],
      ...(facts.hasConnection ? [['navigator.connection.onchange', facts.keys]] : []),
    ]);
  });

  it('take in what was there before, and leave out what the filter does', async () => {
    const { moments, facts } = await observe('late');
    assert.deepEqual(facts.numbers, [null, 0, null, 1]);
    assert.equal(facts.reason, 'connected-0');
    assert.ok(facts.reports.every((connection) => connection === 0));
    const [create, channel] = lines(moments, 0);
    assert.deepEqual([create[0], create[1].bundlePolicy, channel], ['create', 'max-bundle', ['createDataChannel', ['late']]]);
    assert.equal(only(moments, 'replaceTrack').length, 1);
    assert.ok(!JSON.stringify(moments).includes('unseen'));
  });

  it('are put in place once, also by two copies of the package', async () => {
    assert.deepEqual(await observe('twice'), {
      stays: true,
      staysForCopies: true,
      restored: true,
      first: ['create', 'close'],
      second: [`${MEDIA}.getUserMedia`, `${MEDIA}.getUserMediaOnSuccess`, 'MediaStreamTrack.stop'],
      other: [`${MEDIA}.enumerateDevices`],
      marks: 0,
    });
  });

  it('leave everything as it was, and see nothing any more', async () => {
    const { woven, ...seen } = await observe('restored');
    assert.ok(woven.length > 20, woven.join());
    assert.deepEqual(seen, { left: [], isKept: true, type: 'offer', silent: true, constructor: true, number: 0 });
  });

  it('keep their faults and those of others from the page', async () => {
    const { ofSink, allOfSink, broken } = await observe('faults');
    assert.ok(ofSink >= 3 && allOfSink);
    for (const [name, outcome] of broken) assert.equal(outcome, 'offer', name);
  });

  it('name calls as the tables of the format do', async () => {
    const { methods } = JSON.parse(readFileSync(new URL('../../tests/fixtures/rtcstats-tables.json', import.meta.url), 'utf8'));
    const { TOKENS } = await loadWrap('calls');
    assert.equal(Object.keys(TOKENS).length, 7);
    for (const [method, token] of Object.entries(TOKENS)) assert.equal(token, methods.encode[method], method);
    // No other method with an outcome has a token.
    const outcomes = Object.keys(methods.encode).filter((name) => name.endsWith('OnFailure')).map((name) => name.slice(0, -'OnFailure'.length));
    for (const method of outcomes) assert.ok(method in TOKENS, method);
  });

  it('load where there is no page', async () => {
    const { wrap, connectionNumber } = await loadWrap('index');
    assert.equal(connectionNumber({}), undefined);
    const faults = [];
    const sink = { event() {}, report() {}, gone() {} };
    const names = Object.getOwnPropertyNames(globalThis);
    wrap({ sinks: { peerConnection: sink, userMedia: sink, devices: sink, page: sink }, interval: 0, fault: (error) => faults.push(error), now: Date.now }).restore();
    assert.deepEqual([faults, Object.getOwnPropertyNames(globalThis)], [[], names]);
  });
});
