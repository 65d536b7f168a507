// What the members of stats entries mean, each in a sentence, with where W3C's Identifiers for WebRTC's Statistics API defines it. A chunk of
// its own: who never asks never loads it.

/** By the dictionary that defines them: `member: what it is`. Times are seconds unless it says otherwise. */
const MEMBERS: Record<string, string> = {
  RTCRtpStreamStats: `
ssrc: The number that tells this RTP stream from others.
kind: Whether it is audio or video.
transportId: The transport that carries it.
codecId: The codec that it is coded with.`,
  RTCReceivedRtpStreamStats: `
packetsReceived: Packets that arrived, retransmitted ones included.
packetsReceivedWithEct1: Packets that arrived marked ECT(1): their sender can slow down on a sign of congestion (L4S).
packetsReceivedWithCe: Packets that a router on the way marked as having met congestion.
packetsReportedAsLost: Packets that were told to the sender as lost (RFC 8888).
packetsReportedAsLostButRecovered: Packets that were told as lost and came after all.
packetsLost: Packets that were expected and did not come; it shrinks when late ones or duplicates arrive.
jitter: How much the spacing of packets varies, in seconds, smoothed as RFC 3550 says.`,
  RTCInboundRtpStreamStats: `
trackIdentifier: The id of the track that it feeds.
mid: The media section of the description that it belongs to.
remoteId: The entry of what its sender reports of it.
framesDecoded: Frames that were decoded.
keyFramesDecoded: Decoded frames that need no other frame.
framesRendered: Frames that were handed to the screen.
framesDropped: Frames that were thrown away before decoding, or because they were too late to be shown.
frameWidth: Width of the last decoded frame, in pixels.
frameHeight: Height of the last decoded frame, in pixels.
framesPerSecond: Frames decoded in the last second.
qpSum: Sum of the quantizer values of decoded frames: divided by framesDecoded, a higher one means a coarser picture.
totalDecodeTime: Seconds spent decoding: divided by framesDecoded, the time of a frame.
totalInterFrameDelay: Sum of the seconds between frames shown one after another.
totalSquaredInterFrameDelay: Sum of the squares of these, from which follows how unsteady they are.
pauseCount: How often nothing was shown for more than five seconds.
totalPausesDuration: Seconds in such pauses.
freezeCount: How often a frame stayed much longer than those before it: three times as long, or 150 ms longer.
totalFreezesDuration: Seconds in such freezes.
lastPacketReceivedTimestamp: When the last packet arrived, in ms of Unix time.
headerBytesReceived: Bytes of RTP headers and padding; with bytesReceived, all that came over RTP.
packetsDiscarded: Packets that came too late or too early for the jitter buffer and were thrown away.
fecBytesReceived: Bytes of packets for error correction.
fecPacketsReceived: Packets for error correction.
fecPacketsDiscarded: Packets for error correction that nobody needed.
bytesReceived: Bytes of payload that arrived, retransmitted ones included, without headers and padding.
nackCount: How often this side asked for missing packets.
firCount: How often this side demanded a key frame by FIR.
pliCount: How often this side told that it had lost the picture and needs a key frame.
totalProcessingDelay: Seconds from a first packet's arrival to its frame or sample being decoded, summed over all.
estimatedPlayoutTimestamp: The sender's clock of what is being played, in ms: how audio and video are compared.
jitterBufferDelay: Seconds that samples or frames spent in the jitter buffer, summed: divided by jitterBufferEmittedCount, the delay of one.
jitterBufferTargetDelay: The same for the delay that the jitter buffer aimed at.
jitterBufferEmittedCount: Samples or frames that left the jitter buffer.
jitterBufferMinimumDelay: The same for the least delay that the network alone would have asked for.
totalSamplesReceived: Audio samples played out, those made up included.
concealedSamples: Samples that were made up, because theirs were lost or late.
silentConcealedSamples: Made-up samples that were silence.
concealmentEvents: How often samples had to be made up after good ones.
insertedSamplesForDeceleration: Samples put in to play slower, while the buffer was short.
removedSamplesForAcceleration: Samples taken out to play faster, while the buffer was long.
audioLevel: Loudness, from 0 for silence to 1.
totalAudioEnergy: Energy of the audio; divided by totalSamplesDuration and its root taken, the mean level.
totalSamplesDuration: Seconds of audio received.
framesReceived: Frames that arrived whole.
decoderImplementation: Which decoder is at work.
playoutId: The entry of where it is played out.
powerEfficientDecoder: Whether the decoder spares the battery, as hardware does.
framesAssembledFromMultiplePackets: Frames that took more than one packet.
totalAssemblyTime: Seconds from the first packet of such a frame to its last, summed over all.
retransmittedPacketsReceived: Packets that arrived by retransmission.
retransmittedBytesReceived: Bytes of payload that arrived by retransmission.
rtxSsrc: The RTP stream of its retransmissions.
fecSsrc: The RTP stream of its error correction.
totalCorruptionProbability: Sum of how probably the measured frames were shown corrupted, each from 0 to 1.
totalSquaredCorruptionProbability: Sum of the squares of these.
corruptionMeasurements: Frames of which that was measured.`,
  RTCRemoteInboundRtpStreamStats: `
localId: The entry of the stream that it is about.
roundTripTime: Seconds from a report of this side to its answer being back, the time at the other side taken off.
totalRoundTripTime: Sum of all such round trips.
fractionLost: Share of the packets since the report before that the other side missed, from 0 to 1.
roundTripTimeMeasurements: How many round trips were measured.
packetsWithBleachedEct1Marking: Packets sent with ECT(1) that arrived without it.`,
  RTCSentRtpStreamStats: `
packetsSent: Packets sent, retransmitted ones included.
bytesSent: Bytes of payload sent, without headers and padding.`,
  RTCOutboundRtpStreamStats: `
mid: The media section of the description that it belongs to.
mediaSourceId: The entry of what it is made from.
remoteId: The entry of what the receiver reports of it.
rid: The name of its layer, where several are sent of one picture.
encodingIndex: The place of its layer among the encodings of its sender.
headerBytesSent: Bytes of RTP headers and padding sent.
retransmittedPacketsSent: Packets sent again.
retransmittedBytesSent: Bytes of payload sent again.
rtxSsrc: The RTP stream of its retransmissions.
targetBitrate: What the encoder is told to aim at, in bits per second.
totalEncodedBytesTarget: Sum of the sizes that its frames were meant to have, in bytes.
frameWidth: Width of the last encoded frame, in pixels.
frameHeight: Height of the last encoded frame, in pixels.
framesPerSecond: Frames encoded in the last second.
framesSent: Frames sent.
hugeFramesSent: Frames sent that had more than two and a half times the usual bytes.
framesEncoded: Frames encoded.
keyFramesEncoded: Encoded frames that need no other frame.
qpSum: Sum of the quantizer values of encoded frames: divided by framesEncoded, a higher one means a coarser picture.
psnrSum: Sum of the measured nearness of encoded frames to their source, in dB, by part of the picture (y, u, v).
psnrMeasurements: Frames of which that was measured.
totalEncodeTime: Seconds spent encoding: divided by framesEncoded, the time of a frame.
totalPacketSendDelay: Seconds that packets waited here before they went out, summed.
qualityLimitationReason: What keeps the picture small or slow: cpu, bandwidth, other, or none.
qualityLimitationDurations: Seconds spent limited by each reason.
qualityLimitationResolutionChanges: How often the size of the picture changed for such a reason.
nackCount: How often the receiver asked for missing packets.
firCount: How often the receiver demanded a key frame by FIR.
pliCount: How often the receiver told that it had lost the picture and needs a key frame.
encoderImplementation: Which encoder is at work.
powerEfficientEncoder: Whether the encoder spares the battery, as hardware does.
active: Whether it is meant to be sent at all.
scalabilityMode: The layers in space and time of the encoding, as L1T3.
packetsSentWithEct1: Packets sent marked ECT(1).`,
  RTCRemoteOutboundRtpStreamStats: `
localId: The entry of the stream that it is about.
remoteTimestamp: When the sender wrote its report, in ms by its own clock.
reportsSent: Sender reports that came.
roundTripTime: Seconds of the last round trip, as measured from this side.
totalRoundTripTime: Sum of all such round trips.
roundTripTimeMeasurements: How many round trips were measured.`,
  RTCMediaSourceStats: `
trackIdentifier: The id of the track that is sent.
kind: Whether it is audio or video.`,
  RTCAudioSourceStats: `
audioLevel: Loudness of what goes into the encoder, from 0 for silence to 1.
totalAudioEnergy: Energy of the audio; divided by totalSamplesDuration and its root taken, the mean level.
totalSamplesDuration: Seconds of audio that the source has made.
echoReturnLoss: How much weaker the echo is than what caused it, in dB.
echoReturnLossEnhancement: How much echo cancellation takes off besides, in dB.`,
  RTCVideoSourceStats: `
width: Width of the last frame of the source, in pixels.
height: Height of the last frame of the source, in pixels.
frames: Frames that the source has made.
framesPerSecond: Frames of the source in the last second.`,
  RTCAudioPlayoutStats: `
kind: That it is audio.
synthesizedSamplesDuration: Seconds of audio made up because the player found nothing to play.
synthesizedSamplesEvents: How often that began.
totalSamplesDuration: Seconds of audio played out.
totalPlayoutDelay: Seconds that samples took from the player to the ear, summed: divided by totalSamplesCount, the delay of one.
totalSamplesCount: Samples played out.`,
  RTCPeerConnectionStats: `
dataChannelsOpened: Data channels that were opened.
dataChannelsClosed: Data channels that were closed after they had been open.`,
  RTCDataChannelStats: `
label: The name that the application gave it.
protocol: The protocol that the application says it speaks.
dataChannelIdentifier: Its number within the connection.
state: connecting, open, closing or closed.
messagesSent: Messages sent.
bytesSent: Bytes of messages sent.
messagesReceived: Messages received.
bytesReceived: Bytes of messages received.`,
  RTCTransportStats: `
packetsSent: Packets sent over it.
packetsReceived: Packets received over it.
bytesSent: Bytes of payload sent over it.
bytesReceived: Bytes of payload received over it.
iceRole: Whether this side chooses the path (controlling) or follows (controlled).
iceLocalUsernameFragment: What this side's candidates are known by.
dtlsState: How far the exchange of keys is.
iceState: Whether a path was found, and works.
selectedCandidatePairId: The path in use.
localCertificateId: This side's certificate.
remoteCertificateId: The other side's certificate.
tlsVersion: The version of DTLS, in hexadecimal digits.
dtlsCipher: The cipher of DTLS.
dtlsRole: Whether this side answered (server) or asked (client) in DTLS.
srtpCipher: The cipher of the media.
selectedCandidatePairChanges: How often another path was taken.
ccfbMessagesSent: Reports of congestion sent (RFC 8888).
ccfbMessagesReceived: Reports of congestion received (RFC 8888).`,
  RTCIceCandidateStats: `
transportId: The transport that it is for.
address: The IP address or name of this end.
port: The port of this end.
protocol: udp or tcp.
candidateType: Where it was found: host, srflx (seen by STUN), prflx (seen by the other side), relay (TURN).
priority: Higher ones are preferred.
url: The server that gave it.
relayProtocol: How the relay is reached: udp, tcp or tls.
foundation: Candidates that share one stand or fall together.
relatedAddress: The address that it was derived from.
relatedPort: The port that it was derived from.
usernameFragment: What the candidates of its side are known by.
tcpType: Which side opens the TCP connection.`,
  RTCIceCandidatePairStats: `
transportId: The transport that it is for.
localCandidateId: This side's end.
remoteCandidateId: The other side's end.
state: How far its check is: frozen, waiting, in-progress, failed or succeeded.
nominated: Whether it was chosen for use.
packetsSent: Packets sent over it, checks not counted.
packetsReceived: Packets received over it, checks not counted.
bytesSent: Bytes of payload sent over it.
bytesReceived: Bytes of payload received over it.
lastPacketSentTimestamp: When the last packet went, in ms of Unix time.
lastPacketReceivedTimestamp: When the last packet came, in ms of Unix time.
totalRoundTripTime: Sum of the seconds that its checks took until they were answered.
currentRoundTripTime: Seconds of the latest such round trip.
availableOutgoingBitrate: What may be sent without congestion, as estimated here, in bits per second.
availableIncomingBitrate: What may be received without congestion, as estimated, in bits per second.
requestsReceived: Checks of the other side that came.
requestsSent: Checks sent, those for consent not counted.
responsesReceived: Answers to checks that came.
responsesSent: Answers sent to checks.
consentRequestsSent: Checks whether the other side still wants to receive.
packetsDiscardedOnSend: Packets that could not be handed to the network.
bytesDiscardedOnSend: Bytes of these.`,
  RTCCodecStats: `
payloadType: Its number in RTP packets.
transportId: The transport that it is used on.
mimeType: Its name, as video/VP8.
clockRate: Ticks of RTP time in a second, in Hz.
channels: Channels of its audio.
sdpFmtpLine: Its parameters, as negotiated.`,
  RTCCertificateStats: `
fingerprint: The hash of the certificate.
fingerprintAlgorithm: How it was made.
base64Certificate: The certificate.
issuerCertificateId: The entry of who issued it.`,
};

/** The dictionaries of a type, the most special first. */
const DICTIONARIES: Record<string, string> = {
  'inbound-rtp': 'RTCInboundRtpStreamStats RTCReceivedRtpStreamStats RTCRtpStreamStats',
  'outbound-rtp': 'RTCOutboundRtpStreamStats RTCSentRtpStreamStats RTCRtpStreamStats',
  'remote-inbound-rtp': 'RTCRemoteInboundRtpStreamStats RTCReceivedRtpStreamStats RTCRtpStreamStats',
  'remote-outbound-rtp': 'RTCRemoteOutboundRtpStreamStats RTCSentRtpStreamStats RTCRtpStreamStats',
  'media-source': 'RTCAudioSourceStats RTCVideoSourceStats RTCMediaSourceStats',
  'media-playout': 'RTCAudioPlayoutStats',
  'peer-connection': 'RTCPeerConnectionStats',
  'data-channel': 'RTCDataChannelStats',
  transport: 'RTCTransportStats',
  'local-candidate': 'RTCIceCandidateStats',
  'remote-candidate': 'RTCIceCandidateStats',
  'candidate-pair': 'RTCIceCandidatePairStats',
  codec: 'RTCCodecStats',
  certificate: 'RTCCertificateStats',
};

export interface Definition {
  member: string;
  text: string;
  /** Where W3C defines it. */
  url: string;
}

/** What a member of an entry of this type is; null of one that W3C does not define. */
export function definition(type: string, member: string): Definition | null {
  for (const dictionary of DICTIONARIES[type]?.split(' ') ?? []) {
    const line = MEMBERS[dictionary]?.split('\n').find((line) => line.startsWith(`${member}: `));
    if (line) {
      const url = `https://www.w3.org/TR/webrtc-stats/#dom-${dictionary}-${member}`.toLowerCase().replace('/tr/', '/TR/');
      return { member, text: line.slice(member.length + 2), url };
    }
  }
  return null;
}

/** The same for all members that a series is computed from: `[totalDecodeTime/framesDecoded_in_ms]` has two. */
export function definitions(type: string, series: string): Definition[] {
  const members = series === '[Audio_Level_in_RMS]' ? ['totalAudioEnergy', 'totalSamplesDuration']
    : series === '[interFrameDelayStDev_in_ms]' ? ['totalInterFrameDelay', 'totalSquaredInterFrameDelay', 'framesDecoded']
    : series === '[packetsLost_in_%]' ? ['packetsLost', 'packetsReceived']
    : series.replace(/^\[|\]$|_in_.*$/g, '').split('/');
  return members.flatMap((name) => definition(type, name.split('.')[0] ?? '') ?? []);
}

/** For tests: all that is defined here. */
export const defined = (): [type: string, member: string][] =>
  Object.entries(DICTIONARIES).flatMap(([type, names]) =>
    names.split(' ').flatMap((name) => (MEMBERS[name] ?? '').trim().split('\n').map((line): [string, string] => [type, line.slice(0, line.indexOf(':'))])));
