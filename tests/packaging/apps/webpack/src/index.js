import { init } from 'rtctrace';
import { call } from './call.js';

window.finished = init({ endpoint: 'wss://collector.example.org', getStatsInterval: 250 }).then(async (recorder) => {
  await call(() => recorder.close());
  return recorder.session;
});
