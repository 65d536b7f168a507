// @ts-nocheck
// Events: who hears them, in which order, with what.

import { canvasTrack, connect, describeError, fakeStream, sleep, until, withConnections } from '../tools.js';

export const probes = {
  async order() {
    return withConnections(1, async (pc) => {
      const log = [];
      pc.addEventListener('signalingstatechange', () => log.push('first'));
      pc.onsignalingstatechange = () => log.push('attribute');
      pc.addEventListener('signalingstatechange', () => log.push('second'));
      pc.addEventListener('signalingstatechange', () => log.push('capture'), true);
      pc.addEventListener('signalingstatechange', () => log.push('once'), { once: true });
      const removed = () => log.push('removed');
      pc.addEventListener('signalingstatechange', removed);
      pc.removeEventListener('signalingstatechange', removed);
      pc.addEventListener('signalingstatechange', { handleEvent() { log.push(this !== pc); } });
      pc.onsignalingstatechange = () => log.push('attribute changed');
      await pc.setLocalDescription();
      await pc.setLocalDescription({ type: 'rollback' });
      await sleep(30);
      return log;
    });
  },

  /** Events, a microtask and the outcome of one call. */
  async besidesACall() {
    return withConnections(1, async (pc) => {
      const log = [];
      const handler = (event) => log.push(['attribute', event.type, event.target === pc, event.currentTarget === pc, event.eventPhase]);
      pc.onsignalingstatechange = handler;
      pc.addEventListener('signalingstatechange', (event) => log.push(['listener', event.defaultPrevented, event.isTrusted]));
      pc.addEventListener('negotiationneeded', () => log.push('needed'));
      pc.addTransceiver('audio');
      const done = pc.setLocalDescription().then(() => log.push('then'));
      queueMicrotask(() => log.push('microtask'));
      await done;
      queueMicrotask(() => log.push('after'));
      await sleep(50);
      return [log, pc.onsignalingstatechange === handler, pc.ontrack, pc.onconnectionstatechange];
    });
  },

  async stopped() {
    return withConnections(1, async (pc) => {
      const log = [];
      pc.addEventListener('signalingstatechange', (event) => {
        log.push('first', event.cancelable, event.bubbles, event.composed, event.eventPhase, event.composedPath().length, Reflect.ownKeys(event).map(String).join());
        event.stopImmediatePropagation();
      });
      pc.addEventListener('signalingstatechange', () => log.push('never'));
      await pc.setLocalDescription();
      await sleep(30);
      return log;
    });
  },

  async throwingListener() {
    return withConnections(1, async (pc) => {
      const log = [];
      const onError = (event) => {
        event.preventDefault();
        log.push(`window ${describeError(event.error)}`);
      };
      window.addEventListener('error', onError);
      pc.onsignalingstatechange = () => {
        log.push('throws');
        throw new RangeError('mine');
      };
      pc.addEventListener('signalingstatechange', () => log.push('goes on'));
      await pc.setLocalDescription();
      await sleep(30);
      window.removeEventListener('error', onError);
      return log;
    });
  },

  /** Every event of a call, by name. Those of the network and of media may come in any order among each other. */
  async ofACall() {
    return withConnections(2, async (a, b) => {
      const log = [];
      const names = ['signalingstatechange', 'negotiationneeded', 'track', 'addstream', 'datachannel', 'connectionstatechange'];
      [a, b].forEach((pc, index) => names.forEach((name) => pc.addEventListener(name, (event) => log.push(`${index} ${name} ${event.constructor.name} ${pc.signalingState}`))));
      const stream = await fakeStream();
      for (const track of stream.getTracks()) a.addTrack(track, stream);
      const channel = a.createDataChannel('x');
      await connect(a, b);
      await until(() => channel.readyState === 'open' && a.connectionState === 'connected' && b.connectionState === 'connected');
      await sleep(100);
      for (const track of stream.getTracks()) track.stop();
      return log.sort();
    });
  },

  async channels() {
    return withConnections(2, async (a, b) => {
      const log = [];
      const channel = a.createDataChannel('x');
      channel.bufferedAmountLowThreshold = 10;
      for (const name of ['open', 'closing', 'close', 'error', 'bufferedamountlow', 'message']) channel.addEventListener(name, (event) => log.push(`${name} ${event.constructor.name}`));
      let other;
      b.ondatachannel = (event) => {
        other = event.channel;
        other.onmessage = ({ data }) => other.send(data);
      };
      await connect(a, b);
      await until(() => channel.readyState === 'open');
      channel.send('x'.repeat(100));
      await until(() => log.includes('message MessageEvent'));
      other.close();
      await until(() => channel.readyState === 'closed');
      await sleep(50);
      // How the last acknowledgement of a closing channel is told is up to the network.
      return log.filter((name) => !name.startsWith('error')).sort();
    });
  },

  /** Events that the page makes itself reach its listeners alone. */
  async synthetic() {
    return withConnections(1, async (pc) => {
      const log = [];
      pc.ontrack = (event) => log.push(event.constructor.name, event.isTrusted);
      pc.onicecandidate = (event) => log.push(event.constructor.name, event.candidate);
      const seen = [
        pc.dispatchEvent(new Event('track')),
        pc.dispatchEvent(new Event('icecandidate')),
        pc.dispatchEvent(new CustomEvent('datachannel', { detail: 1, cancelable: true })),
        pc.dispatchEvent(new Event('signalingstatechange', { cancelable: true })),
        pc.dispatchEvent(new Event('connectionstatechange')),
        pc.dispatchEvent(new Event('icecandidateerror')),
        canvasTrack().dispatchEvent(new Event('ended')),
        document.dispatchEvent(new Event('visibilitychange')),
        window.dispatchEvent(new Event('online')),
        window.dispatchEvent(new Event('pagehide')),
      ];
      await sleep(50);
      return [seen, log];
    });
  },

  async tracks() {
    const stream = await fakeStream();
    const log = [];
    const [audio, video] = stream.getTracks();
    for (const track of [audio, video]) for (const name of ['ended', 'mute', 'unmute']) track.addEventListener(name, () => log.push(`${track.kind} ${name}`));
    const element = document.createElement('video');
    for (const name of ['loadedmetadata', 'resize', 'play', 'playing']) element.addEventListener(name, () => log.push(name));
    element.muted = true;
    element.srcObject = stream;
    await element.play();
    await sleep(300);
    video.enabled = false;
    video.stop();
    audio.stop();
    await sleep(100);
    element.srcObject = null;
    return [...new Set(log)].sort();
  },

  /** Whoever asks for the handlers of the browser's own objects finds none of ours. */
  async attributes() {
    return withConnections(1, async (pc) => {
      const stream = await fakeStream({ audio: true });
      const channel = pc.createDataChannel('x');
      const transceiver = pc.addTransceiver('video');
      const handlers = (object) => {
        const found = [];
        for (const name in object) if (name.startsWith('on') && object[name] !== null && object[name] !== undefined) found.push(name);
        return found;
      };
      await pc.setLocalDescription();
      const seen = [pc, channel, transceiver.receiver.track, stream, stream.getTracks()[0], navigator.mediaDevices, document, window, document.createElement('video'), pc.sctp, transceiver.sender.transport].filter(Boolean).map(handlers);
      stream.getTracks()[0].stop();
      return seen;
    });
  },
};
