// @ts-nocheck
// Starts the recorder by every face and copy of the package, calls each thing once, and uses a frame that nobody asked to record.

import { sleep } from './tools.js';

const heard = [];
const options = { endpoint: location.origin, getStatsInterval: 0, log: (message) => heard.push(message) };

async function run() {
  const first = await import('/rtctrace/index.js');
  const recorder = await first.init(options);
  const wrapped = RTCPeerConnection.prototype.createDataChannel;
  const others = [
    await first.init(options),
    await (await import('/rtctrace/index.js?copy')).init(options),
    (await import('/rtctrace/inline.js')).start(options),
    await (await import('/rtctrace/inline.js')).init(options),
  ];
  const unchanged = wrapped === RTCPeerConnection.prototype.createDataChannel;

  const pc = new RTCPeerConnection();
  pc.createDataChannel('once');
  await pc.setLocalDescription();
  await pc.createAnswer().catch(() => {});
  await navigator.mediaDevices.enumerateDevices();
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  stream.getTracks()[0].stop();
  pc.close();

  const frame = document.createElement('iframe');
  document.body.append(frame);
  const inner = new frame.contentWindow.RTCPeerConnection();
  inner.createDataChannel('in a frame');
  await inner.setLocalDescription();
  inner.close();

  await sleep(50);
  await recorder.close();
  const another = await first.init(options);
  new RTCPeerConnection().close();
  await another.close();
  return { sessions: [recorder.session, ...others.map(({ session }) => session)], another: another.session, unchanged, heard };
}

run()
  .catch((error) => ({ failed: `${error} ${error.stack}` }))
  .then((outcome) => {
    window.outcome = JSON.stringify(outcome);
    document.body.append(Object.assign(document.createElement('p'), { id: 'done' }));
  });
