// PeerJS with its own server: data in two formats, and a media call with answer.

import { camera, kindsOf, nameOf, play, run, setting, sleep } from './run.js';

/** @param {any} emitter @param {string} event @returns {Promise<any>} */
const once = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve));

run(async (log) => {
  const { Peer, util } = await import('peerjs');
  log('library', 'supports', util.supports);
  const options = { host: '127.0.0.1', port: Number(setting('port')), path: '/', config: { iceServers: [] } };
  const alice = new Peer('alice', options);
  const bob = new Peer('bob', options);
  for (const [name, peer] of Object.entries({ alice, bob })) {
    peer.on('error', (/** @type {any} */ error) => log(name, 'error', [error.type, nameOf(error)]));
    peer.on('close', () => log(name, 'close'));
    peer.on('disconnected', () => log(name, 'disconnected'));
  }
  log('peers', 'open', await Promise.all([once(alice, 'open'), once(bob, 'open')]));

  for (const serialization of ['binary', 'json']) {
    const calling = alice.connect('bob', { serialization, label: serialization, metadata: { format: serialization } });
    const called = await once(bob, 'connection');
    log(`data ${serialization}`, 'connection', [called.label, called.metadata, called.peer, called.reliable]);
    await Promise.all([calling.open || once(calling, 'open'), called.open || once(called, 'open')]);
    calling.on('error', (/** @type {any} */ error) => log(`data ${serialization}`, 'error', [error.type, nameOf(error)]));
    called.on('data', (/** @type {unknown} */ data) => called.send({ echo: data }));
    // Only the binary format cuts what is large into pieces; the other has an error for it.
    if (serialization === 'json') calling.send('x'.repeat(40_000));
    const message = { text: 'grüße', numbers: [1, 2.5, null], large: 'x'.repeat(serialization === 'binary' ? 40_000 : 10) };
    const answer = once(calling, 'data');
    calling.send(message);
    const { echo } = await answer;
    log(`data ${serialization}`, 'echo', JSON.stringify(echo) === JSON.stringify(message));
    await sleep(500);
    const closed = [once(calling, 'close'), once(called, 'close')];
    calling.close();
    await Promise.all(closed);
    log(`data ${serialization}`, 'close');
  }

  const [mine, yours] = [await camera(), await camera()];
  const incoming = once(bob, 'call');
  const calling = alice.call('bob', mine, { metadata: 'a call' });
  const called = await incoming;
  log('call', 'call', [called.metadata, called.peer]);
  const streams = [once(calling, 'stream'), once(called, 'stream')];
  called.answer(yours);
  for (const stream of await Promise.all(streams)) log('call', 'stream', [kindsOf(stream), await play(stream)]);
  await sleep(700);
  const closed = once(called, 'close');
  calling.close();
  await closed;
  log('call', 'close');

  // One who is not there: the same error with and without us.
  const missing = once(alice, 'error');
  alice.connect('nobody');
  await missing;
  alice.destroy();
  bob.destroy();
  log('peers', 'destroyed', [alice.destroyed, bob.destroyed]);
});
