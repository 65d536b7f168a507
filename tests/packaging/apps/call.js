// What the apps of these tests do: a short call of the page with itself, with camera, microphone and a data channel.

/** @param {RTCPeerConnection} from @param {RTCPeerConnection} to */
function trickle(from, to) {
  from.onicecandidate = ({ candidate }) => {
    if (candidate) void to.addIceCandidate(candidate);
  };
}

/**
 * @param {() => Promise<unknown>} end ends the recording
 * @returns {Promise<void>}
 */
export async function call(end) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240 } });
  const a = new RTCPeerConnection();
  const b = new RTCPeerConnection();
  const channel = a.createDataChannel('chat');
  /** @type {Promise<string>} */
  const answered = new Promise((resolve) => (channel.onmessage = ({ data }) => resolve(data)));
  b.ondatachannel = (event) => (event.channel.onmessage = ({ data }) => event.channel.send(`${data} back`));
  for (const track of stream.getTracks()) a.addTrack(track, stream);

  await a.setLocalDescription();
  await b.setRemoteDescription(/** @type {RTCSessionDescription} */ (a.localDescription));
  trickle(a, b);
  trickle(b, a);
  await b.setLocalDescription();
  await a.setRemoteDescription(/** @type {RTCSessionDescription} */ (b.localDescription));
  if (channel.readyState !== 'open') await new Promise((resolve) => (channel.onopen = resolve));
  channel.send('there and');
  if ((await answered) !== 'there and back') throw new Error('the data channel garbles');
  await new Promise((resolve) => setTimeout(resolve, 1000));

  a.close();
  b.close();
  for (const track of stream.getTracks()) track.stop();
  await end();
}
