import { init } from 'rtctrace';
import wasmUrl from 'rtctrace/rtctrace_bg.wasm';
import { call } from './call.js';

window.finished = init({ endpoint: 'wss://collector.example.org', getStatsInterval: 250, wasmUrl }).then(async (recorder) => {
  await call(() => recorder.close());
  return recorder.session;
});
