// RTCDtlsTransport, RTCIceTransport and RTCSctpTransport: their states, and the pair of candidates that is in use.

import type { Scene, Tell } from './scene.js';
import type { Page } from './weave.js';

const ICE = 'RTCIceTransport.on';

export function createTransportObserver({ copy, listen, native }: Scene, tell: Tell) {
  const sctpOf = native('RTCPeerConnection', 'sctp');

  function observe(dtls: Page, connection: number, mid: string | null) {
    const teller =
      (method: string, value: (transport: Page, event: Page) => Page = ({ state }) => state) =>
      (transport: Page, event: Page) =>
        tell(method, connection, value(transport, event), [mid], transport, [], event);
    listen(dtls, () => ({
      statechange: teller('ondtlsstatechange'),
      error: teller('ondtlserror', (_, { error }) => String(error)),
    }));
    listen(dtls?.iceTransport, () => ({
      statechange: teller(`${ICE}statechange`),
      gatheringstatechange: teller(`${ICE}gatheringstatechange`, ({ gatheringState }) => gatheringState),
      selectedcandidatepairchange: teller(`${ICE}selectedcandidatepairchange`, (ice) => {
        const { local, remote } = ice.getSelectedCandidatePair?.() ?? {};
        return local ? { local: copy(local), remote: copy(remote) } : null;
      }),
    }));
  }

  /** Listens to the transports that a connection has by now. */
  return (pc: Page, transceivers: Page[], connection: number) => {
    for (const { sender, receiver, mid } of transceivers) {
      observe(sender.transport, connection, mid);
      observe(receiver.transport, connection, mid);
    }
    const sctp = sctpOf(pc);
    listen(sctp, () => ({
      statechange: (sctp, event) => tell('RTCSctpTransport.onstatechange', connection, sctp.state, [], sctp, [], event),
    }));
    observe(sctp?.transport, connection, null);
  };
}
