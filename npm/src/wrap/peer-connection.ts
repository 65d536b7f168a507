// RTCPeerConnection: construction, negotiation, tracks, data channels, states, and the tracks that it receives.

import { createChannelObserver } from './data-channel.js';
import { createPolls } from './polls.js';
import { connectionNumber, enroll, ignore, isKnown, leaveOut, placeOf, setPlace, setRemote } from './registry.js';
import type { Scene } from './scene.js';
import { listenToSent } from './track.js';
import { createTransportObserver } from './transports.js';
import { SETTLES, type After, type Handlers, type Page } from './weave.js';

const OWNER = 'RTCPeerConnection';

/** The attributes that have an event for their changes. */
const STATES = ['signalingState', 'iceConnectionState', 'connectionState', 'iceGatheringState'];
/** What is recorded of an RTCIceServer. */
const SERVER_MEMBERS = ['urls', 'url', 'username', 'credentialType'];
/** Methods that only ask. They are no events, but a connection that was made before joins with them. */
const QUESTIONS = ['getSenders', 'getReceivers', 'getTransceivers', 'getStats', 'getConfiguration'];
/** What identifies a user in the obsolete second argument of the constructor. */
const IDENTITY: Record<string, string> = { rtcStatsClientId: 'user', rtcStatsPeerId: 'peer', rtcStatsConferenceId: 'conference' };

export type Connections = ReturnType<typeof observeConnections>;

/** Group `peerConnection`. */
export function observeConnections(scene: Scene) {
  const { call, construction, copy, guard, hasGetters, listen, native, outcome, plan, streamTracks, target, trackId } = scene;
  const tell = scene.teller('peerConnection');
  const polls = createPolls(scene);
  const channels = createChannelObserver(scene, tell);
  const observeTransports = createTransportObserver(scene, tell);
  const prototype = target[OWNER]?.prototype;
  const of = (name: string) => native(OWNER, name);
  const [transceiversOf, localDescriptionOf, remoteDescriptionOf, signalingStateOf, configurationOf] = [
    of('getTransceivers'),
    of('localDescription'),
    of('remoteDescription'),
    of('signalingState'),
    of('getConfiguration'),
  ];
  const [senderOf, receiverOf] = [native('RTCRtpTransceiver', 'sender'), native('RTCRtpTransceiver', 'receiver')];
  const receivedTrackOf = native('RTCRtpReceiver', 'track');

  /** Whatever else stands in an ICE server's entry may be a secret by another name. */
  const configuration = (value: Page) => {
    const copied = copy(value, 'credential');
    if (copied?.iceServers) {
      copied.iceServers = [copied.iceServers].flat().map((server: Page) => {
        const kept: Page = {};
        for (const key of SERVER_MEMBERS) if (server?.[key] !== undefined) kept[key] = withoutUser(server[key]);
        return kept;
      });
    }
    return copied;
  };
  const description = (value: Page) => {
    const { type, sdp } = copy(value) ?? {};
    return type ? { type, sdp } : null;
  };

  // What a connection is made of.

  /** Notes where the parts of a transceiver belong. */
  function locate(transceiver: Page, number: number) {
    const receiver = receiverOf(transceiver);
    const track = receivedTrackOf(receiver);
    for (const part of [transceiver, senderOf(transceiver), receiver]) setPlace(part, number, trackId(track));
    return track;
  }
  const place = (part: Page) =>
    placeOf(part, (pc, number) => {
      for (const transceiver of transceiversOf(pc)) locate(transceiver, number);
    });

  const send = (track: Page) => plan.localTracks && listenToSent(scene, tell, track);

  function receive(track: Page, number: number) {
    setRemote(track, number);
    const on = (type: string) => (track: Page, event: Page) => tell(`MediaStreamTrack.on${type}`, number, trackId(track), [], track, [], event);
    listen(track, () => ({ mute: on('mute'), unmute: on('unmute') }));
  }

  /** Attends to all that a connection has by now. */
  function survey(pc: Page, number: number) {
    const transceivers: Page[] = transceiversOf(pc);
    for (const transceiver of transceivers) receive(locate(transceiver, number), number);
    observeTransports(pc, transceivers, number);
  }

  // How it begins.

  function begin(pc: Page, args: Page[], given: Page) {
    if (plan.filter && !plan.filter(given)) {
      leaveOut(pc);
      return listen(pc, () => ({ track: (_, { track }) => ignore(track) }));
    }
    const number = enroll(pc);
    plan.created?.(pc, `PC_${number}`);
    // What a page's getters said to the browser, the connection says again.
    tell('create', number, configuration(hasGetters(given) ? configurationOf(pc) : given), [], pc, args);
    listen(pc, () => handlers);
    polls.follow(pc, number);
    const constraints = copy(args[1], 'credential');
    if (constraints == null) return;
    tell('constraints', number, constraints, [], pc, args);
    const identity: Record<string, unknown> = {};
    for (const each of [constraints.optional].flat()) {
      for (const key in IDENTITY) if (each?.[key] != null) identity[IDENTITY[key]!] = each[key];
    }
    if (Object.keys(identity).length) tell('identity', number, identity, [], pc, args);
  }

  /** The number of a connection. One that was made before joins when the page next uses it. */
  function numberOf(pc: Page): number | undefined {
    if (!isKnown(pc)) {
      // What is none the browser refuses.
      if (!signalingStateOf(pc)) return undefined;
      begin(pc, [], configurationOf(pc));
      const number = connectionNumber(pc);
      if (number !== undefined) {
        survey(pc, number);
        polls.check(pc, number);
      }
    }
    return connectionNumber(pc);
  }

  construction(OWNER, (pc, args) => begin(pc, args, args[0]));

  // What is done with it.

  /** Observes a method; `value` is made of its arguments. */
  const on = (method: string, value: (args: Page[]) => Page, after?: (pc: Page, number: number, args: Page[]) => ((result: Page) => void) | void) =>
    call(prototype, method, (pc, args) => {
      const number = numberOf(pc);
      if (number === undefined) return undefined;
      tell(method, number, value(args), [], pc, args);
      return after?.(pc, number, args);
    });

  /** Observes a method that returns a promise. */
  const onOutcome = (method: string, value: (args: Page[]) => Page, done: (result: Page, pc: Page, value: Page, number: number) => Page) =>
    call(
      prototype,
      method,
      (pc, args): After | undefined => {
        const number = numberOf(pc);
        if (number === undefined) return undefined;
        const given = value(args);
        return outcome(tell, method, number, given, pc, args, (result) => done(result, pc, given, number));
      },
      SETTLES,
    );

  for (const method of QUESTIONS) call(prototype, method, (pc) => void numberOf(pc));
  call(prototype, 'setConfiguration', (pc, args) => {
    const number = numberOf(pc);
    if (number === undefined) return undefined;
    const record = (value: Page) => tell('setConfiguration', number, configuration(value), [], pc, args);
    if (hasGetters(args[0])) return () => record(configurationOf(pc));
    return record(args[0]);
  });
  on('restartIce', () => null);
  on('close', () => null, (_, number) => polls.end(number));
  on('createDataChannel', (args) => copy(args), (_, number) => (channel) => channels.observe(channel, number));
  on('addStream', ([stream]) => streamTracks(stream));
  on('removeStream', ([stream]) => streamTracks(stream));
  on('removeTrack', ([sender]) => place(sender)?.[1]);
  on('addTrack', (args) => copy(args).flat(), (pc, number, given) => (sender) => {
    const transceiver = transceiversOf(pc).find((each: Page) => senderOf(each) === sender);
    tell('addTrackOnSuccess', number, null, [trackId(locate(transceiver, number))], pc, given, sender);
    send(given[0]);
  });
  on('addTransceiver', (args) => copy(args.slice(0, args[1] ? 2 : 1)), (pc, number, given) => (transceiver) => {
    tell('addTransceiverOnSuccess', number, null, [trackId(locate(transceiver, number))], pc, given, transceiver);
    send(given[0]);
  });

  for (const method of ['createOffer', 'createAnswer']) {
    onOutcome(method, (args) => copy(typeof args[0] === 'function' ? args[2] : args[0]), description);
  }
  onOutcome('addIceCandidate', ([candidate]) => copy(candidate), () => null);
  for (const method of ['setLocalDescription', 'setRemoteDescription']) {
    onOutcome(method, ([value]) => description(value), (_, pc, given, number) => {
      guard(survey, pc, number);
      // Implicit, or an object with getters.
      if (given?.sdp || given?.type === 'rollback') return null;
      return description((method === 'setLocalDescription' ? localDescriptionOf : remoteDescriptionOf)(pc));
    });
  }

  // What it says.

  const handlers: Handlers = {};
  const onEvent = (type: string, value: (event: Page, pc: Page) => Page, after?: (pc: Page, number: number, event: Page) => void) => {
    handlers[type] = (pc, event) => {
      const number = connectionNumber(pc);
      if (number === undefined) return;
      tell(`on${type}`, number, value(event, pc), [], pc, [], event);
      after?.(pc, number, event);
    };
  };
  for (const name of STATES) {
    const stateOf = of(name);
    onEvent(`${name.toLowerCase()}change`, (_, pc) => stateOf(pc), (pc, number) => {
      if (name === 'connectionState') polls.check(pc, number);
    });
  }
  onEvent('icecandidate', ({ candidate, url }) => {
    const value = copy(candidate);
    if (!value) return null;
    const from = candidate.url ?? url;
    if (from) value.url = from;
    if (candidate.relayProtocol) value.relayProtocol = candidate.relayProtocol;
    return value;
  });
  onEvent('icecandidateerror', ({ address, port, hostCandidate, url, errorCode, errorText }) => ({
    address,
    port,
    hostCandidate,
    url,
    errorCode,
    errorText,
  }));
  onEvent('negotiationneeded', () => null);
  onEvent('datachannel', ({ channel }) => channels.describe(channel), (_, number, { channel }) => channels.observe(channel, number));
  onEvent('track', ({ track, streams }) => copy([track, ...(streams ?? [])]).flat(), (_, number, { track }) => receive(track, number));
  onEvent('addstream', ({ stream }) => streamTracks(stream));
  onEvent('removestream', ({ stream }) => streamTracks(stream));

  return { tell, place, numberOf, send };
}

/** URLs of STUN and TURN have no user in them (RFC 7064, RFC 7065), but who writes one has a password there. */
function withoutUser(urls: Page): Page {
  if (Array.isArray(urls)) return urls.map(withoutUser);
  return typeof urls === 'string' ? urls.replace(/^(\w+:).*@/, '$1') : urls;
}
