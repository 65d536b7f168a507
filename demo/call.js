// A call between two connections of this page: media both ways, and a data channel that measures the round trip.

/** Sent by one side and sent back by the other, this often. */
const PING_INTERVAL = 500;

/**
 * @param {MediaStream} stream what both sides send
 * @param {{ onState: (state: RTCPeerConnectionState) => void, onTrack: (stream: MediaStream) => void, onTrip: (ms: number) => void }} on
 * @returns {Promise<{ caller: RTCPeerConnection, close: () => void }>}
 */
export async function call(stream, { onState, onTrack, onTrip }) {
  const caller = new RTCPeerConnection();
  const callee = new RTCPeerConnection();
  trickle(caller, callee);
  trickle(callee, caller);
  caller.addEventListener('connectionstatechange', () => onState(caller.connectionState));
  callee.addEventListener('track', ({ streams: [received] }) => onTrack(received));
  callee.addEventListener('datachannel', ({ channel }) => {
    channel.addEventListener('message', ({ data }) => channel.send(data));
  });

  const channel = caller.createDataChannel('ping', { ordered: false, maxRetransmits: 0 });
  let timer = 0;
  channel.addEventListener('open', () => {
    timer = setInterval(() => channel.readyState === 'open' && channel.send(String(performance.now())), PING_INTERVAL);
  });
  channel.addEventListener('message', ({ data }) => onTrip(performance.now() - Number(data)));

  for (const track of stream.getTracks()) {
    caller.addTrack(track, stream);
    callee.addTrack(track, stream);
  }
  await caller.setLocalDescription();
  await callee.setRemoteDescription(caller.localDescription);
  await callee.setLocalDescription();
  await caller.setRemoteDescription(callee.localDescription);

  return {
    caller,
    close() {
      clearInterval(timer);
      caller.close();
      callee.close();
    },
  };
}

/** Hands candidates over once the other side has a description to add them to. @param {RTCPeerConnection} from @param {RTCPeerConnection} to */
function trickle(from, to) {
  const early = [];
  const add = (candidate) => to.addIceCandidate(candidate).catch(() => {});
  from.addEventListener('icecandidate', ({ candidate }) => {
    if (to.remoteDescription) add(candidate);
    else early.push(candidate);
  });
  to.addEventListener('signalingstatechange', () => {
    if (to.remoteDescription) for (const candidate of early.splice(0)) add(candidate);
  });
}
