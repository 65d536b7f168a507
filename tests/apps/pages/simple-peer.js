// simple-peer: two peers in one page with a stream, data, and a track that is added later.

import { camera, kindsOf, nameOf, play, run, sleep } from './run.js';

run(async (log) => {
  const { default: SimplePeer } = await import('simple-peer/simplepeer.min.js');
  log('library', 'supported', SimplePeer.WEBRTC_SUPPORT);
  const stream = await camera();
  const config = { iceServers: [] };
  const peers = { alice: new SimplePeer({ initiator: true, stream, config }), bob: new SimplePeer({ config }) };
  let isOver = false;
  /** @type {Record<string, Promise<unknown>>} */
  const once = {};
  for (const [name, peer, other] of [['alice', peers.alice, peers.bob], ['bob', peers.bob, peers.alice]]) {
    peer.on('signal', (/** @type {any} */ data) => {
      // Candidates come as the network pleases; descriptions in an order that must be the same.
      if (!data.candidate) log(`signals of ${name}`, data.type, data.transceiverRequest?.kind);
      other.signal(data);
    });
    for (const event of ['connect', 'close', 'data', 'stream', 'track']) once[`${name} ${event}`] = new Promise((resolve) => peer.once(event, resolve));
    peer.on('connect', () => log(name, 'connect'));
    peer.on('data', (/** @type {Uint8Array} */ data) => log(`data of ${name}`, new TextDecoder().decode(data)));
    peer.on('stream', (/** @type {MediaStream} */ media) => log(`media of ${name}`, 'stream', kindsOf(media)));
    peer.on('track', (/** @type {MediaStreamTrack} */ track) => log(`media of ${name}`, 'track', track.kind));
    peer.on('close', () => log(name, 'close'));
    // Who is hung up on hears of it as an end or as an error, whichever comes first.
    peer.on('error', (/** @type {Error} */ error) => !isOver && log(name, 'error', nameOf(error)));
  }
  await Promise.all([once['alice connect'], once['bob connect'], once['bob stream']]);
  log('bob', 'plays', await play(/** @type {MediaStream} */ (await once['bob stream'])));
  peers.alice.send('hello');
  await once['bob data'];
  peers.bob.send('hello yourself');
  await once['alice data'];

  // The answerer's own media: it asks the initiator to renegotiate.
  const second = await camera();
  peers.bob.addStream(second);
  log('alice', 'plays', await play(/** @type {MediaStream} */ (await once['alice stream'])));
  await peers.alice.replaceTrack(stream.getVideoTracks()[0], second.getVideoTracks()[0], stream);
  await new Promise((resolve) => peers.alice.getStats((/** @type {unknown} */ error, /** @type {any[]} */ reports) => resolve(log('alice', 'stats', [error, reports.some(({ type }) => type === 'outbound-rtp')]))));
  try {
    peers.alice.removeTrack(second.getAudioTracks()[0], stream);
  } catch (error) {
    log('alice', 'removeTrack', nameOf(error));
  }
  await sleep(500);

  isOver = true;
  peers.alice.destroy();
  await Promise.all([once['alice close'], once['bob close']]);
});
