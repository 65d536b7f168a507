// The demo page: starts a call of this page with itself, records it, and leads to the recording. `?autostart=1` starts by
// itself, `&duration=15` ends after so many seconds, `&media=generated` asks for no device.

import { init } from '/demo/rtctrace/index.js';

import { call } from './call.js';
import { clock, generate, openDevices } from './media.js';

const element = (id) => document.getElementById(id);
const parameters = new URLSearchParams(location.search);
const duration = Number(parameters.get('duration')) || 0;

/** How states are coloured. */
const TONES = {
  connected: 'good',
  open: 'good',
  new: 'busy',
  connecting: 'busy',
  reconnecting: 'busy',
  starting: 'busy',
  disconnected: 'bad',
  failed: 'bad',
};

/** What is running now. */
let running;

function show(id, text, tone = TONES[text] ?? '') {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
  if (target.classList.contains('pill') || id === 'notice') target.dataset.tone = tone;
}

function notice(text, tone = '') {
  show('notice', text, tone);
  element('notice').hidden = !text;
}

function enter(phase) {
  document.body.dataset.phase = phase;
  element('source').disabled = phase === 'starting' || phase === 'running';
  element('start').hidden = phase === 'running';
  element('start').disabled = phase === 'starting';
  element('start').textContent = phase === 'ended' ? 'Call again' : 'Start the call';
  element('end').hidden = phase !== 'running';
  element('recording').hidden = phase !== 'ended' || !element('recording').hasAttribute('href');
}

function play(id, stream) {
  const video = element(id);
  video.srcObject = stream;
  video.classList.toggle('playing', Boolean(stream));
}

async function openMedia() {
  if (element('source').querySelector(':checked').value === 'generated') return generate();
  try {
    return await openDevices();
  } catch (error) {
    notice(`No camera or microphone (${error.message || error.name}): a generated picture and tone are sent instead.`);
    return generate();
  }
}

async function start() {
  enter('starting');
  notice('');
  element('recording').removeAttribute('href');
  show('state', 'starting');
  show('elapsed', '0:00');
  show('trip', '–');
  let media;
  try {
    const recorder = await init({ endpoint: location.origin, log: (message) => notice(message, 'bad') });
    show('session', recorder.session || 'none: nothing is recorded');
    element('copy').hidden = !recorder.session;
    media = await openMedia();
    play('local', media.stream);
    show('local-note', media.source);
    recorder.event('demo', { source: media.source });
    const now = { recorder, media, connectedAt: 0 };
    now.call = await call(media.stream, {
      onState(state) {
        show('state', state);
        if (state === 'connected') now.connectedAt ||= performance.now();
      },
      onTrack: (stream) => play('remote', stream),
      onTrip: (ms) => show('trip', `${ms.toFixed(1)} ms`),
    });
    now.timer = setInterval(update, 200);
    running = now;
    enter('running');
  } catch (error) {
    media?.stop();
    play('local', null);
    show('state', 'failed');
    notice(`The call could not start: ${error.message || error}`, 'bad');
    enter('idle');
  }
}

function update() {
  const { recorder, connectedAt } = running;
  const seconds = connectedAt ? (performance.now() - connectedAt) / 1000 : 0;
  show('elapsed', clock(Math.floor(seconds)));
  showCounters(recorder);
  if (duration && seconds >= duration) void end();
}

function showCounters(recorder) {
  const { lines, reports, acknowledged } = recorder.counters;
  show('recorder', recorder.state);
  show('stored', String(acknowledged));
  show('recorded', `of ${Math.max(lines, acknowledged)}`);
  show('reports', String(reports));
}

async function end() {
  if (!running) return;
  const { recorder, media, call: ended, timer } = running;
  running = undefined;
  clearInterval(timer);
  ended.close();
  media.stop();
  play('local', null);
  play('remote', null);
  show('state', 'ended', '');
  await recorder.close();
  showCounters(recorder);
  // What was never stored cannot be opened.
  if (recorder.counters.acknowledged > 0) element('recording').href = `/#/sessions/${recorder.session}`;
  enter('ended');
}

element('start').addEventListener('click', () => void start());
element('end').addEventListener('click', () => void end());
element('copy').addEventListener('click', async () => {
  await navigator.clipboard?.writeText(element('session').textContent);
  show('copy', 'Copied');
  setTimeout(() => show('copy', 'Copy'), 1500);
});
if (parameters.get('media') === 'generated') element('source').querySelector('[value=generated]').checked = true;
enter('idle');
if (parameters.get('autostart')) void start();
