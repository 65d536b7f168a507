// @ts-nocheck
// Whatever a call gives back is the browser's own object, the same one each time.

import { canvasTrack, connect, fakeStream, sleep, until, withConnections } from '../tools.js';

const is = (value) => `${Object.prototype.toString.call(value)} ${value?.constructor?.name} ${value?.constructor === window[value?.constructor?.name]}`;

export const probes = {
  async senders() {
    return withConnections(1, async (pc) => {
      const stream = await fakeStream();
      const senders = stream.getTracks().map((track) => pc.addTrack(track, stream));
      const transceiver = pc.addTransceiver('video');
      const seen = [
        senders.every((sender, index) => pc.getSenders()[index] === sender),
        senders.every((sender, index) => sender.track === stream.getTracks()[index]),
        pc.getTransceivers()[2] === transceiver && transceiver === pc.getTransceivers()[2],
        transceiver.sender === pc.getSenders()[2] && transceiver.receiver === pc.getReceivers()[2],
        transceiver.receiver.track === pc.getReceivers()[2].track,
        pc.getSenders() === pc.getSenders(),
        is(senders[0]), is(transceiver), is(transceiver.receiver),
        pc.removeTrack(senders[0]), senders[0].track, await senders[1].replaceTrack(null), senders[1].track,
        transceiver.stop(),
      ];
      for (const track of stream.getTracks()) track.stop();
      return seen.map((value) => (value === undefined ? 'undefined' : value));
    });
  },

  async call() {
    return withConnections(2, async (a, b) => {
      const stream = await fakeStream();
      const seen = [];
      let remote;
      let channel;
      b.ontrack = (event) => {
        remote ??= event.streams[0];
        seen.push([event.track === event.receiver.track, event.transceiver.receiver === event.receiver, event.streams[0] === remote, remote.getTracks().includes(event.track), event.target === b, event.currentTarget === b, event.srcElement === b, is(event), event.isTrusted]);
      };
      b.ondatachannel = (event) => (channel = event.channel);
      for (const track of stream.getTracks()) a.addTrack(track, stream);
      const own = a.createDataChannel('x');
      await connect(a, b);
      await until(() => channel && own.readyState === 'open');
      const target = await new Promise((resolve) => {
        own.onmessage = resolve;
        channel.send('x');
      });
      const report = await a.getStats();
      seen.push(
        remote.id === stream.id,
        target.target === own && target.data === 'x',
        a.localDescription === a.localDescription, is(a.localDescription), a.localDescription.sdp === a.currentLocalDescription.sdp,
        is(report), report.size === [...report].length, is([...report.values()][0]), Object.getPrototypeOf([...report.values()][0]) === Object.prototype,
        [...report.keys()].every((key) => report.get(key) === report.get(key) && report.get(key).id === key),
        a.sctp === a.sctp, is(a.sctp), a.sctp?.transport === a.sctp?.transport, is(a.sctp?.transport), a.getSenders()[0].transport === a.getSenders()[0].transport,
        a.getSenders()[0].transport?.iceTransport === a.getSenders()[0].transport?.iceTransport, is(a.getSenders()[0].transport?.iceTransport),
        a.canTrickleIceCandidates, is(a.getConfiguration()), Object.keys(a.getConfiguration()).sort(),
      );
      for (const track of stream.getTracks()) track.stop();
      return seen;
    });
  },

  async promises() {
    return withConnections(1, async (pc) => {
      const promises = [pc.createOffer(), pc.getStats(), pc.setLocalDescription(), navigator.mediaDevices.enumerateDevices(), pc.createAnswer(), RTCPeerConnection.prototype.createOffer.call({})];
      const isNative = (promise) => Object.getPrototypeOf(promise) === Promise.prototype;
      const seen = promises.map((promise) => [is(promise), `${promise}`, promise instanceof Promise, isNative(promise), Promise.resolve(promise) === promise, Reflect.ownKeys(promise).length]);
      const looks = promises.map(({ then }) => [typeof then, then.name, then.length, then === Promise.prototype.then]);
      const derived = [promises[0].then(() => {}), promises[0].catch(() => {}), promises[0].finally(() => {})].map(isNative);
      // In this same turn, or whether a rejection counts as unhandled is a matter of time.
      const settled = Promise.allSettled(promises);
      const [first, again] = [await promises[0], await promises[0]];
      const outcomes = await settled;
      const [offer] = [first];
      const reasons = await Promise.all([0, 1].map(() => promises[4].catch((error) => error)));
      return [...seen, ...looks, derived, outcomes.map(({ value }) => typeof value), first === again, is(offer), Object.keys(offer), JSON.parse(JSON.stringify(offer)).type, reasons[0] === reasons[1], pc.createOffer() !== pc.createOffer()];
    });
  },

  /** Before anything else has looked at them. */
  async pendingPromises() {
    return withConnections(1, async (pc) => {
      const make = [() => pc.createOffer(), () => pc.getStats(), () => navigator.mediaDevices.enumerateDevices(), () => pc.createAnswer()];
      const looks = {
        then: (promise) => [typeof promise.then, promise.then.name, promise.then.length, promise.then === Promise.prototype.then],
        catch: (promise) => promise.catch === Promise.prototype.catch,
        constructor: (promise) => promise.constructor === Promise,
        instance: (promise) => promise instanceof Promise,
        text: (promise) => `${promise} ${Object.prototype.toString.call(promise)}`,
        own: (promise) => Reflect.ownKeys(promise).length,
        resolved: (promise) => Promise.resolve(promise) === promise,
        has: (promise) => ['then' in promise, 'constructor' in promise, Object.hasOwn(promise, 'then')],
      };
      return Object.entries(looks).map(([name, look]) => [
        name,
        make.map((call) => {
          const promise = call();
          const seen = look(promise);
          promise.catch(() => {});
          return seen;
        }),
      ]);
    });
  },

  async prototypeOfPendingPromises() {
    return withConnections(1, async (pc) => {
      const promises = [pc.createOffer(), pc.getStats(), navigator.mediaDevices.enumerateDevices()];
      return promises.map((promise) => [Object.getPrototypeOf(promise) === Promise.prototype, promise.__proto__ === Promise.prototype]);
    });
  },

  async thrownByThePage() {
    return withConnections(1, async (pc) => {
      const mine = { mine: true };
      const hostile = { get iceRestart() { throw mine; } };
      const label = { toString() { throw mine; } };
      const caught = async (work) => {
        try {
          await work();
          return 'nothing';
        } catch (error) {
          return error === mine;
        }
      };
      const seen = [];
      for (const work of [
        () => pc.createOffer(hostile),
        () => pc.createDataChannel(label),
        () => pc.createDataChannel('x', { get ordered() { throw mine; } }),
        () => pc.addTransceiver(label),
        () => pc.addTransceiver('video', { get direction() { throw mine; } }),
        () => pc.addTransceiver('video', { get streams() { throw mine; } }),
        () => pc.setLocalDescription({ get sdp() { throw mine; } }),
        () => pc.setRemoteDescription({ get type() { throw mine; } }),
        () => pc.addIceCandidate({ get candidate() { throw mine; } }),
        () => pc.setConfiguration({ get iceServers() { throw mine; } }),
        () => new RTCPeerConnection({ get bundlePolicy() { throw mine; } }),
        () => pc.addTransceiver('video').sender.setParameters({ get encodings() { throw mine; } }),
        () => navigator.mediaDevices.getUserMedia({ get video() { throw mine; } }),
        () => void (pc.getTransceivers()[0].direction = label),
        () => canvasTrack().applyConstraints({ get width() { throw mine; } }),
        () => void (canvasTrack().contentHint = label),
      ]) {
        seen.push(await caught(work));
      }
      return seen;
    });
  },

  async streams() {
    const stream = await fakeStream();
    const [audio, video] = stream.getTracks();
    const element = document.createElement('video');
    element.muted = true;
    element.srcObject = stream;
    const played = String(await element.play());
    const copy = video.clone();
    const seen = [
      is(stream), is(audio), stream.getTracks()[0] === audio, stream.getTrackById(video.id) === video, element.srcObject === stream, is(element.srcObject),
      copy.id !== video.id, is(copy), copy.kind, stream.clone().getTracks().length, Object.keys(video.getSettings()).length > 0, video.getConstraints() instanceof Object,
      played, stream.active, (audio.enabled = 0), audio.enabled, (video.enabled = false), video.enabled, (video.enabled = 'yes'), video.enabled, video.stop(), video.readyState, video.stop(), video.onended, audio.muted,
    ];
    if ('contentHint' in video) seen.push((video.contentHint = 'motion'), video.contentHint, (video.contentHint = 'nonsense'), video.contentHint);
    audio.stop();
    copy.stop();
    element.srcObject = null;
    return [...seen.map((value) => (value === undefined ? 'undefined' : value)), element.srcObject];
  },

  async devices() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return [Array.isArray(devices), devices.length, devices.map((device) => [is(device), device.kind, Object.keys(device.toJSON())]), navigator.mediaDevices === navigator.mediaDevices, is(navigator.mediaDevices)];
  },

  /** What can be copied or said in JSON stays so, and what cannot stays refused alike. */
  async copies() {
    return withConnections(1, async (pc) => {
      const seen = [];
      const transceiver = pc.addTransceiver('video');
      const offer = await pc.createOffer();
      await pc.setLocalDescription(offer);
      const report = await pc.getStats();
      for (const thing of [pc, RTCPeerConnection, pc.createOffer, transceiver, transceiver.sender, report, offer, pc.localDescription, pc.getConfiguration(), canvasTrack(), pc.createOffer()]) {
        try {
          seen.push(`cloned ${Object.prototype.toString.call(structuredClone(thing))}`);
        } catch (error) {
          // The message names the kind of function or the class of promise, each browser in its own way.
          seen.push(typeof thing === 'function' || thing instanceof Promise ? error.name : `${error.name}: ${error.message}`);
        }
        const json = JSON.stringify(thing);
        seen.push(json === undefined ? 'no JSON' : Object.keys(JSON.parse(json)).length);
      }
      return seen;
    });
  },

  /** The very value that was assigned comes back from a handler attribute, and it is called as ever. */
  async handlers() {
    return withConnections(1, async (pc) => {
      const seen = [];
      for (const name of Object.keys(Object.getOwnPropertyDescriptors(RTCPeerConnection.prototype)).filter((key) => key.startsWith('on')).sort()) {
        const f = () => {};
        const object = {};
        seen.push([name, pc[name], (pc[name] = f) === f && pc[name] === f, (pc[name] = object) && pc[name] === object, (pc[name] = 7) && pc[name], (pc[name] = null) ?? pc[name]]);
      }
      const order = [];
      pc.onsignalingstatechange = function (...args) {
        order.push(this === pc, args.length, args[0].type);
        return false;
      };
      await pc.setLocalDescription();
      await sleep(20);
      return [...seen, order];
    });
  },
};
