// sora-js-sdk. There is no Sora here: where nothing listens, connecting must fail as it does without us; then a connection of this page
// takes Sora's part (see servers.js for what passes between the two).

import { camera, kindsOf, nameOf, play, run, setting, sleep } from './run.js';

/** What Sora does for one client: offers, and sends back what it gets. @param {(what: string, value?: unknown) => void} log */
async function standIn(log) {
  const socket = new WebSocket(`ws://127.0.0.1:${setting('port')}/server`);
  await new Promise((resolve) => (socket.onopen = resolve));
  const connection = new RTCPeerConnection();
  /** @param {object} message */
  const send = (message) => socket.send(JSON.stringify(message));
  connection.ontrack = ({ streams, track }) => {
    if (track.kind === 'video') log('media', streams.length > 0);
  };
  const remote = await camera();
  for (const track of remote.getTracks()) connection.addTrack(track, remote);
  /** @type {Record<string, (message: any) => Promise<void>>} */
  const handlers = {
    async connect({ role, channel_id, sora_client }) {
      log('connect', [role, channel_id, typeof sora_client]);
      await connection.setLocalDescription();
      // All candidates in the offer, as Sora does it.
      while (connection.iceGatheringState !== 'complete') await sleep(10);
      const mid = { audio: connection.getTransceivers()[0].mid, video: connection.getTransceivers()[1].mid };
      send({ type: 'offer', sdp: connection.localDescription?.sdp, client_id: 'client', connection_id: 'connection', bundle_id: 'bundle', config: { iceServers: [] }, mid, version: '0', simulcast: false, simulcast_multicodec: false, spotlight: false, channel_id: 'room', metadata: {}, encodings: [] });
    },
    async answer({ sdp }) {
      await connection.setRemoteDescription({ type: 'answer', sdp });
      log('answer');
      send({ type: 'notify', event_type: 'connection.created', connection_id: 'connection', client_id: 'client', role: 'sendrecv', channel_connections: 1 });
    },
    candidate: ({ type: _, ...candidate }) => connection.addIceCandidate(candidate),
    async disconnect({ reason }) {
      log('disconnect', reason);
      connection.close();
      socket.close();
    },
  };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    void handlers[message.type]?.(message);
  };
}

run(async (log) => {
  const { default: Sora } = /** @type {any} */ (await import('sora-js-sdk'));
  log('library', 'version', Sora.version());
  const stream = await camera();
  // Each address once: Firefox makes a page wait before it may try again where nobody answered.
  const addresses = setting('nobody').split(' ').map((port) => `ws://127.0.0.1:${port}/signaling`);
  for (const several of [false, true]) {
    const take = () => Sora.connection(several ? addresses.splice(0, 2) : addresses.pop());
    const messages = { dataChannels: [{ label: '#a', direction: 'sendrecv' }] };
    const kinds = { sendrecv: take().sendrecv('room'), sendonly: take().sendonly('room'), recvonly: take().recvonly('room'), messaging: take().messaging('room', null, messages) };
    for (const [kind, connection] of Object.entries(kinds)) {
      connection.on('disconnect', (/** @type {any} */ event) => log(kind, 'disconnect', event.type));
      const started = kind === 'sendrecv' || kind === 'sendonly' ? connection.connect(stream) : connection.connect();
      await started.then(() => log(kind, 'connected'), (/** @type {unknown} */ error) => log(kind, 'error', nameOf(error)));
      log(kind, 'left', [connection.pc, connection.connectionId]);
    }
  }

  await standIn((what, value) => log('server', what, value));
  const connection = Sora.connection(`ws://127.0.0.1:${setting('port')}/client`).sendrecv('room', { user: 'alice' }, { audio: true, video: true });
  const tracks = new Promise((resolve) => {
    connection.on('track', (/** @type {RTCTrackEvent} */ { streams, track }) => {
      log('client', 'track', track.kind);
      if (track.kind === 'video') resolve(streams[0]);
    });
  });
  connection.on('timeline', (/** @type {any} */ { type, logType }) => {
    // How many candidates there are and when is chance.
    if (!/candidate/.test(type)) log(`timeline of ${logType}${/state/.test(type) ? `, ${type}` : ''}`, type);
  });
  connection.on('disconnect', (/** @type {any} */ { type, title }) => log('client', 'disconnect', [type, title]));
  await connection.connect(stream);
  const shown = /** @type {MediaStream} */ (await tracks);
  log('client', 'plays', [kindsOf(shown).map(([kind]) => kind), await play(shown)]);
  await sleep(700);
  await connection.disconnect();
});
