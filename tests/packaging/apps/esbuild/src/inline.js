import { start } from 'rtctrace/inline';
import { call } from './call.js';

const recorder = start({ endpoint: 'wss://collector.example.org', getStatsInterval: 250 });
window.finished = call(() => recorder.close()).then(() => recorder.session);
