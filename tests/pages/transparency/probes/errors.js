// @ts-nocheck
// Calls that fail: with the wrong `this`, without arguments, with bad ones, on what is closed.

import { canvasTrack, describeError, fakeStream, foreignOffer, outcome, outcomes, withConnections } from '../tools.js';

const INTERFACES = [
  'RTCPeerConnection', 'RTCRtpSender', 'RTCRtpReceiver', 'RTCRtpTransceiver', 'RTCDataChannel', 'RTCDtlsTransport', 'RTCIceTransport', 'RTCSctpTransport', 'RTCDTMFSender',
  'RTCSessionDescription', 'RTCIceCandidate', 'MediaStream', 'MediaStreamTrack', 'MediaDevices', 'MediaDeviceInfo', 'HTMLMediaElement', 'HTMLVideoElement', 'EventTarget', 'Navigator', 'Document', 'NetworkInformation',
];

const functions = () =>
  INTERFACES.filter((name) => name in window).flatMap((name) =>
    Object.entries(Object.getOwnPropertyDescriptors(window[name].prototype)).flatMap(([key, { value, get, set }]) => [
      ...(typeof value === 'function' && key !== 'constructor' ? [[`${name}.${key}`, value]] : []),
      ...(get ? [[`get ${name}.${key}`, get]] : []),
      ...(set ? [[`set ${name}.${key}`, set]] : []),
    ]),
  );

/** Not called on what they would belong to: they end the page or its document. */
const harmful = /^Document\.(open|close|write|writeln|exitFullscreen|exitPictureInPicture|startViewTransition)$|^Navigator\.(share|registerProtocolHandler)$/;

export const probes = {
  async wrongThis() {
    const seen = {};
    for (const [name, f] of functions()) {
      if (harmful.test(name)) continue;
      const others = { object: {}, none: undefined, nothing: null, number: 7, prototype: window[name.replace(/^.et /, '').split('.')[0]].prototype, track: canvasTrack() };
      if (/MediaStreamTrack|EventTarget/.test(name)) delete others.track;
      for (const [kind, self] of Object.entries(others)) {
        if (kind !== 'object' && /EventTarget/.test(name)) continue;
        seen[`${name} of ${kind}`] = await outcome(() => Reflect.apply(f, self, []));
      }
    }
    return seen;
  },

  /** The arguments are good, only `this` is not. */
  async wrongThisWithArguments() {
    return withConnections(1, (pc) =>
      outcomes({
        media: () => MediaDevices.prototype.getUserMedia.call({}, { audio: true }),
        sender: () => RTCRtpSender.prototype.replaceTrack.call(pc, null),
        enabled: () => void Object.getOwnPropertyDescriptor(MediaStreamTrack.prototype, 'enabled').set.call({}, true),
      }),
    );
  },

  async asConstructors() {
    return outcomes(Object.fromEntries(functions().map(([name, f]) => [name, () => new f()])));
  },

  /** Everything that a connection has, without arguments and with a symbol, open and closed. */
  async connection() {
    const seen = {};
    for (const [name, f] of functions()) {
      // Firefox loads a part of itself for an identity assertion, which may take any time.
      if (!name.includes('RTCPeerConnection.') || /\.(close|getIdentityAssertion)$/.test(name)) continue;
      // A browser allows a page a few hundred connections, closed ones included.
      await withConnections(2, async (open, closed) => {
        closed.close();
        for (const args of [[], [Symbol('x')], [7], ['x'], [null], [{}], [undefined, undefined], [() => {}]]) {
          const shown = args.map((arg) => (typeof arg === 'object' ? JSON.stringify(arg) : String(arg))).join();
          seen[`${name}(${shown})`] = await outcome(() => Reflect.apply(f, open, args));
          seen[`${name}(${shown}) closed`] = await outcome(() => Reflect.apply(f, closed, args));
        }
      });
    }
    return seen;
  },

  async descriptions() {
    const offer = await foreignOffer();
    return withConnections(3, async (pc, other, closed) => {
      closed.close();
      const seen = await outcomes({
        badSdp: () => pc.setRemoteDescription({ type: 'offer', sdp: 'x' }),
        halfSdp: () => pc.setRemoteDescription({ type: 'offer', sdp: 'v=0\r\n' }),
        badAnswer: () => pc.setRemoteDescription({ type: 'answer', sdp: 'x' }),
        badType: () => pc.setRemoteDescription({ type: 'what', sdp: 'x' }),
        noType: () => pc.setRemoteDescription({ sdp: 'x' }),
        empty: () => pc.setRemoteDescription({}),
        answerFirst: () => pc.setRemoteDescription({ type: 'answer', sdp: offer.sdp }),
        answerWithoutOffer: () => pc.createAnswer(),
        localAnswer: () => pc.setLocalDescription({ type: 'answer' }),
        localHalf: () => pc.setLocalDescription({ type: 'answer', sdp: 'v=0\r\n' }),
        localMangled: () => pc.setLocalDescription({ type: 'offer', sdp: 'x' }),
        optionsGetter: () => pc.createOffer({ get iceRestart() { throw new RangeError('mine'); } }),
        descriptionGetter: () => pc.setRemoteDescription({ type: 'offer', get sdp() { throw new RangeError('mine'); } }),
        rollbackOfNothing: () => pc.setLocalDescription({ type: 'rollback' }),
        closedOffer: () => closed.createOffer(),
        closedAnswer: () => closed.createAnswer(),
        closedRemote: () => closed.setRemoteDescription(offer),
        closedLocal: () => closed.setLocalDescription(),
        closedChannel: () => closed.createDataChannel('x'),
        closedTransceiver: () => closed.addTransceiver('audio'),
        closedTrack: () => closed.addTrack(canvasTrack()),
        closedStats: () => closed.getStats(),
        closedRestart: () => closed.restartIce(),
        closedTwice: () => closed.close(),
        closedConfiguration: () => closed.setConfiguration({}),
        candidateFirst: () => other.addIceCandidate({ candidate: 'candidate:1 1 UDP 1 127.0.0.1 9 typ host', sdpMid: '0' }),
        candidateBare: () => other.addIceCandidate({ candidate: 'candidate:1' }),
        candidateText: () => other.addIceCandidate('x'),
        candidateNothing: () => other.addIceCandidate(null),
      });
      await other.setRemoteDescription(offer);
      return {
        ...seen,
        ...(await outcomes({
          badCandidate: () => other.addIceCandidate({ candidate: 'candidate:1', sdpMid: '0' }),
          badMid: () => other.addIceCandidate({ candidate: 'candidate:1 1 UDP 1 127.0.0.1 9 typ host', sdpMid: '77' }),
          badIndex: () => other.addIceCandidate({ candidate: 'candidate:1 1 UDP 1 127.0.0.1 9 typ host', sdpMLineIndex: 77 }),
          badFragment: () => other.addIceCandidate({ candidate: 'candidate:1 1 UDP 1 127.0.0.1 9 typ host', sdpMid: '0', usernameFragment: 'none' }),
          offerInOffer: () => other.setLocalDescription({ type: 'offer' }),
          rollback: () => other.setRemoteDescription({ type: 'rollback' }),
        })),
      };
    });
  },

  async tracksAndSenders() {
    return withConnections(3, async (pc, other, closed) => {
      const track = canvasTrack();
      const sender = pc.addTrack(track);
      const foreign = other.addTrack(canvasTrack());
      const transceiver = pc.getTransceivers()[0];
      const late = closed.addTransceiver('video');
      closed.close();
      const { sender: lateSender } = late;
      const parameters = sender.getParameters();
      const seen = await outcomes({
        twice: () => pc.addTrack(track),
        noTrack: () => pc.addTrack(),
        notATrack: () => pc.addTrack({}),
        notAStream: () => pc.addTrack(canvasTrack(), 7),
        foreignSender: () => pc.removeTrack(foreign),
        notASender: () => pc.removeTrack({}),
        badKind: () => pc.addTransceiver('smell'),
        noKind: () => pc.addTransceiver(),
        badDirection: () => pc.addTransceiver('audio', { direction: 'up' }),
        badInit: () => pc.addTransceiver('audio', 7),
        badStreams: () => pc.addTransceiver('audio', { streams: 7 }),
        badRid: () => pc.addTransceiver('video', { sendEncodings: [{ rid: '!' }] }),
        badEncodings: () => pc.addTransceiver('video', { sendEncodings: [{ rid: '-' }, { rid: '-' }] }),
        badScale: () => pc.addTransceiver('video', { sendEncodings: [{ scaleResolutionDownBy: 0.1 }] }),
        badBitrate: () => pc.addTransceiver('video', { sendEncodings: [{ maxBitrate: -1 }] }),
        setDirection: () => void (transceiver.direction = 'up'),
        setStopped: () => void (transceiver.direction = 'stopped'),
        codecs: () => transceiver.setCodecPreferences([{ mimeType: 'video/x', clockRate: 1 }]),
        codecsText: () => transceiver.setCodecPreferences('x'),
        replaceKind: async () => sender.replaceTrack((await fakeStream({ audio: true })).getTracks()[0]),
        replaceWrong: () => sender.replaceTrack(7),
        replaceNothing: () => sender.replaceTrack(),
        replaceClosed: () => lateSender.replaceTrack(null),
        parametersNone: () => sender.setParameters(),
        parametersEmpty: () => sender.setParameters({}),
        parametersStale: () => sender.setParameters({ ...parameters, transactionId: 'x' }),
        parametersFew: () => sender.setParameters({ ...sender.getParameters(), encodings: [] }),
        parametersClosed: () => lateSender.setParameters(lateSender.getParameters()),
        streams: () => sender.setStreams(7),
        statsOfOther: () => pc.getStats(canvasTrack()),
        statsOfWrong: () => pc.getStats(7),
        channelNone: () => pc.createDataChannel(),
        channelBoth: () => pc.createDataChannel('x', { maxRetransmits: 1, maxPacketLifeTime: 1 }),
        channelNegotiated: () => pc.createDataChannel('x', { negotiated: true }),
        channelId: () => pc.createDataChannel('x', { negotiated: true, id: 65535 }),
        channelBigInt: () => pc.createDataChannel('x', { id: 5n }),
        channelConversion: () => pc.createDataChannel({ toString() { throw new RangeError('mine'); } }),
        channelLabel: () => pc.createDataChannel('x'.repeat(70000)),
        channelSymbol: () => pc.createDataChannel(Symbol('x')),
        channelSend: () => pc.createDataChannel('x').send('x'),
        channelType: () => void (pc.createDataChannel('y').binaryType = 'x'),
        configuration: () => pc.setConfiguration({ bundlePolicy: 'max-compat' }),
        configurationServers: () => pc.setConfiguration({ iceServers: [{ urls: 'x' }] }),
        configurationType: () => pc.setConfiguration(7),
        transform: () => void (sender.transform = 7),
        receiverTransform: () => void (transceiver.receiver.transform = {}),
        stopClosed: () => late.stop(),
        stop: () => transceiver.stop(),
        stopTwice: () => transceiver.stop(),
        stoppedDirection: () => void (transceiver.direction = 'inactive'),
        stoppedReplace: () => sender.replaceTrack(null),
        close: () => pc.close(),
      });
      return seen;
    });
  },

  async media() {
    const track = canvasTrack();
    const video = document.createElement('video');
    const stream = new MediaStream([track]);
    return outcomes({
      none: () => navigator.mediaDevices.getUserMedia(),
      empty: () => navigator.mediaDevices.getUserMedia({}),
      falses: () => navigator.mediaDevices.getUserMedia({ audio: false, video: false }),
      number: () => navigator.mediaDevices.getUserMedia(7),
      width: () => navigator.mediaDevices.getUserMedia({ video: { width: { exact: 99999 } } }),
      device: () => navigator.mediaDevices.getUserMedia({ audio: { deviceId: { exact: 'none' } } }),
      display: () => navigator.mediaDevices.getDisplayMedia?.({ video: false }),
      sink: () => video.setSinkId?.('none'),
      sinkNone: () => video.setSinkId?.(),
      apply: () => track.applyConstraints({ width: { exact: 99999 } }),
      applyNumber: () => track.applyConstraints(7),
      hint: () => void (track.contentHint = 'nonsense'),
      hintSymbol: () => void (track.contentHint = Symbol('x')),
      enabledObject: () => void (track.enabled = {}),
      source: () => void (video.srcObject = {}),
      sourceNumber: () => void (video.srcObject = 7),
      sourceTrack: () => void (video.srcObject = track),
      sourceNull: () => void (video.srcObject = null),
      playNothing: () => Promise.race([document.createElement('video').play(), new Promise((resolve) => setTimeout(resolve, 200, 'pending'))]),
      playBad: () => Object.assign(document.createElement('video'), { src: 'data:video/mp4,x' }).play(),
      playInterrupted: () => {
        const element = Object.assign(document.createElement('video'), { srcObject: new MediaStream() });
        element.pause();
        const played = element.play();
        element.pause();
        return played;
      },
      addTrack: () => stream.addTrack({}),
      clone: () => track.clone(),
    });
  },

  /** Nothing of the error may say where it was made differently, but its stack. */
  async membersOfErrors() {
    return withConnections(1, async (pc) => {
      const errors = [];
      for (const work of [() => pc.addTrack(), () => pc.createDataChannel(), () => new RTCPeerConnection(7)]) {
        try {
          work();
        } catch (error) {
          errors.push(error);
        }
      }
      await pc.setRemoteDescription({ type: 'answer', sdp: 'x' }).catch((error) => errors.push(error));
      await pc.addIceCandidate({ candidate: 'candidate:1' }).catch((error) => errors.push(error));
      return errors.map((error) => [describeError(error), Reflect.ownKeys(error).map(String), error instanceof TypeError, error instanceof DOMException, Object.prototype.toString.call(error), 'cause' in error]);
    });
  },
};
