// RTCRtpSender, RTCRtpReceiver and RTCRtpTransceiver. All are named by the transceiver's receiver track, whose id never changes.

import type { Connections } from './peer-connection.js';
import type { Scene } from './scene.js';
import type { Page } from './weave.js';

const SENDER = 'RTCRtpSender';
const RECEIVER = 'RTCRtpReceiver';
const TRANSCEIVER = 'RTCRtpTransceiver';

export function observeSenders({ assignment, call, copy, native, target }: Scene, { place, send, tell }: Connections) {
  const sentTrackOf = native(SENDER, 'track');

  const record = (method: string, part: Page, args: Page[], value: Page) => {
    const [connection, name] = place(part) ?? [];
    // One of a connection that is not recorded is not recorded either.
    if (connection !== undefined) tell(method, connection, value(), [name!], part, args);
  };
  const on = (owner: string, method: string, value: (part: Page, args: Page[]) => Page, name = method) =>
    call(target[owner]?.prototype, method, (part, args) => record(name, part, args, () => value(part, args)));

  on(SENDER, 'setParameters', (_, args) => copy(args, 'transactionId'));
  on(SENDER, 'replaceTrack', (sender, [next]) => {
    send(next);
    return copy([sentTrackOf(sender), next ?? null]);
  });
  on(TRANSCEIVER, 'setCodecPreferences', (_, [codecs]) => copy(codecs));
  on(TRANSCEIVER, 'setHeaderExtensionsToNegotiate', (_, [extensions]) => copy(extensions));

  for (const owner of [SENDER, RECEIVER]) {
    on(owner, 'createEncodedStreams', () => null, `${owner}.createEncodedStreams`);
    assignment(target[owner]?.prototype, 'transform', (part, transform) =>
      record(`${owner}.transform`, part, [transform], () => transform && Object.prototype.toString.call(transform).slice(8, -1)),
    );
  }
}
