// What kinds of events there are, by the methods of the specification of events.

export type Category = 'setup' | 'negotiation' | 'ice' | 'media' | 'data' | 'page' | 'app' | 'reports' | 'other';

export const CATEGORIES: readonly { id: Category; label: string; title: string }[] = [
  { id: 'setup', label: 'Setup', title: 'Connections created, configured and closed, and their overall state' },
  { id: 'negotiation', label: 'Negotiation', title: 'Offers, answers, descriptions, signaling state' },
  { id: 'ice', label: 'ICE', title: 'Candidates, gathering and ICE connection state' },
  { id: 'media', label: 'Media', title: 'getUserMedia, tracks, senders, transceivers' },
  { id: 'data', label: 'Data', title: 'Data channels' },
  { id: 'page', label: 'Page', title: 'Visibility, freezes, the network, long tasks' },
  { id: 'app', label: 'App', title: 'Events of the application' },
  { id: 'other', label: 'Other', title: 'Everything else' },
  { id: 'reports', label: 'Reports', title: 'getStats reports; the graphs are drawn from them' },
];

const BY_METHOD: Record<string, Category> = {
  create: 'setup',
  constraints: 'setup',
  setConfiguration: 'setup',
  close: 'setup',
  onconnectionstatechange: 'setup',
  websocket: 'setup',
  connectionInfo: 'setup',
  identity: 'setup',
  restartIce: 'ice',
  createOffer: 'negotiation',
  createAnswer: 'negotiation',
  setLocalDescription: 'negotiation',
  setRemoteDescription: 'negotiation',
  onsignalingstatechange: 'negotiation',
  onnegotiationneeded: 'negotiation',
  onicecandidate: 'ice',
  onicecandidateerror: 'ice',
  oniceconnectionstatechange: 'ice',
  onicegatheringstatechange: 'ice',
  addIceCandidate: 'ice',
  ondtlserror: 'ice',
  ondtlsstatechange: 'ice',
  ondatachannel: 'data',
  createDataChannel: 'data',
  longtask: 'page',
  'navigator.connection.onchange': 'page',
  getStats: 'reports',
  getstats: 'reports',
  ':sora.connection': 'setup',
  ':sora.node': 'setup',
  ':sora.event': 'setup',
  ':sora.stats': 'reports',
};

const MEDIA =
  /^(navigator\.|RTCRtpSender\.|RTCRtpReceiver\.|getUserMedia|getDisplayMedia|MediaStreamTrack\.|HTMLMediaElement\.|ontrack|addTrack|addTransceiver|removeTrack|replaceTrack|setParameters|setCodecPreferences|setHeaderExtensionsToNegotiate|addStream|removeStream|onaddstream|onremovestream|setVideoType)/;

/** Methods that begin with the interface they belong to. */
const BY_INTERFACE: [string, Category][] = [
  ['RTCIceTransport.', 'ice'],
  ['RTCSctpTransport.', 'data'],
  ['RTCDataChannel.', 'data'],
  ['document.', 'page'],
  ['window.', 'page'],
];

const OUTCOME = /On(Success|Failure)$/;

export function categoryOf(method: string): Category {
  const call = method.replace(OUTCOME, '');
  const known = Object.hasOwn(BY_METHOD, call) ? BY_METHOD[call] : undefined;
  if (method.startsWith(':')) return known ?? 'app';
  const owner = BY_INTERFACE.find(([prefix]) => call.startsWith(prefix));
  return known ?? owner?.[1] ?? (MEDIA.test(call) ? 'media' : 'other');
}

/** Method names without the interfaces that only make them long. */
export function shortMethod(method: string): string {
  return method.replace(/^navigator\.mediaDevices\./, '').replace(/^(MediaStreamTrack|HTMLMediaElement)\./, '$1.');
}

export type MarkKind = 'failure' | 'warning' | 'media' | 'negotiation' | 'app' | 'webhook' | 'found';

export const MARKS: Record<MarkKind, string> = {
  failure: 'Failure',
  warning: 'Warning',
  media: 'Capture',
  negotiation: 'Negotiation',
  app: 'Application event',
  webhook: 'Webhook of Sora',
  found: 'Found',
};

/** The mark that an event gets on the timeline, if any. */
export function markOf(method: string, failure: boolean, warning: boolean): MarkKind | null {
  if (failure) return 'failure';
  if (warning) return 'warning';
  if (method.startsWith(':sora.')) return method === ':sora.event' ? 'webhook' : null;
  if (method.startsWith(':')) return 'app';
  if (/get(UserMedia|DisplayMedia)/.test(method)) return 'media';
  if (/^(createOffer|createAnswer|setLocalDescription|setRemoteDescription|onnegotiationneeded|restartIce)$/.test(method)) return 'negotiation';
  return null;
}
