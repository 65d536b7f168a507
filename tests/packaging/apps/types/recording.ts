// Everything that the package's own entries declare, used as it is meant to be.

import { init, type Counters, type Identity, type InitOptions, type ModuleSource, type Recorder, type RecorderState, type Redaction, type RtctraceOptions } from 'rtctrace';
import type { RtctraceGlobal } from 'rtctrace/global';
import { init as initInline, start } from 'rtctrace/inline';

const redact: Redaction = { addresses: true, labels: false, sdp: false };
const identity: Identity = { user: 'ada', conference: 'blue', session: '1', role: { guest: true } };
const options: RtctraceOptions = {
  endpoint: new URL('wss://collector.example.org'),
  token: async () => (await fetch('/token')).text(),
  session: '01890a5d-ac96-774b-bcce-b302099a8057',
  identity,
  getStatsInterval: 1000,
  connectionFilter: (configuration: RTCConfiguration | undefined) => configuration?.iceTransportPolicy !== 'relay',
  wrap: { peerConnection: true, userMedia: true, devices: false },
  bufferBytes: 4 * 1024 * 1024,
  sampleRate: 0.5,
  redact,
  countReloads: false,
  log: (message: string) => console.info(message),
};
const sources: ModuleSource[] = ['/assets/rtctrace_bg.wasm', new URL('https://example.org/rtctrace_bg.wasm'), new Uint8Array(8)];

export async function record(connection: RTCPeerConnection): Promise<string> {
  const withModule: InitOptions = { ...options, wasmUrl: sources[0] ?? '' };
  const recorder: Recorder = await init(withModule);
  const state: RecorderState = recorder.state;
  const { acknowledged, lines }: Counters = recorder.counters;
  recorder.addEventListener('statechange', () => console.log(recorder.state, recorder.sampled));
  recorder.identify({ user: 'grace' });
  recorder.event('joined', { state, acknowledged, lines });
  recorder.event('rating', 4, connection);
  recorder.flush();
  await recorder.close();
  recorder.restore();
  return recorder.session;
}

export const inline: Recorder = start({ ...options, token: 'text' });
export const later: Promise<Recorder> = initInline({ endpoint: 'wss://collector.example.org' });

export function fromScript(): Recorder | undefined {
  const face: RtctraceGlobal | undefined = globalThis.rtctrace;
  return face?.recorder ?? face?.start(options);
}

// What would be a mistake is one.
// @ts-expect-error the endpoint is missing
void init({});
// @ts-expect-error an interval is a number
void init({ endpoint: '', getStatsInterval: '1000' });
// @ts-expect-error there is no module to be found
start({ endpoint: '', wasmUrl: '' });
