import { init, type Recorder } from 'rtctrace';
import { call } from './call.js';

const recorder: Recorder = await init({ endpoint: 'wss://collector.example.org', getStatsInterval: 250 });
(window as { finished?: Promise<string> }).finished = call(() => recorder.close()).then(() => recorder.session);
