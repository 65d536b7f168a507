// What the call sends: the camera and microphone, or a picture and a tone made here.

const WIDTH = 640;
const HEIGHT = 360;
const FRAME_RATE = 30;

/** @returns {Promise<{ stream: MediaStream, source: string, stop: () => void }>} */
export async function openDevices() {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: true,
    video: { width: { ideal: WIDTH }, height: { ideal: HEIGHT }, frameRate: { ideal: FRAME_RATE } },
  });
  const [video] = stream.getVideoTracks();
  return { stream, source: video.label || 'camera and microphone', stop: () => stopAll(stream) };
}

/** A moving picture with a running clock, and a quiet tone that wanders. */
export function generate() {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d', { alpha: false });
  const started = performance.now();
  const draw = () => paint(context, (performance.now() - started) / 1000);
  draw();
  // A timer, not animation frames: those stop in a tab that is hidden.
  const timer = setInterval(draw, 1000 / FRAME_RATE);
  const stream = canvas.captureStream(FRAME_RATE);

  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const level = audio.createGain();
  const drift = audio.createOscillator();
  const depth = audio.createGain();
  const output = audio.createMediaStreamDestination();
  tone.frequency.value = 330;
  drift.frequency.value = 0.25;
  depth.gain.value = 110;
  level.gain.value = 0.12;
  drift.connect(depth).connect(tone.frequency);
  tone.connect(level).connect(output);
  tone.start();
  drift.start();
  void audio.resume();
  for (const track of output.stream.getAudioTracks()) stream.addTrack(track);

  return {
    stream,
    source: 'a generated picture and tone',
    stop() {
      clearInterval(timer);
      stopAll(stream);
      void audio.close();
    },
  };
}

/** @param {MediaStream} stream */
export function stopAll(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** @param {CanvasRenderingContext2D} context @param {number} seconds */
function paint(context, seconds) {
  const hue = (210 + seconds * 12) % 360;
  const sky = context.createLinearGradient(0, 0, WIDTH, HEIGHT);
  sky.addColorStop(0, `hsl(${hue} 55% 22%)`);
  sky.addColorStop(1, `hsl(${(hue + 60) % 360} 60% 38%)`);
  context.fillStyle = sky;
  context.fillRect(0, 0, WIDTH, HEIGHT);

  for (let wave = 0; wave < 3; wave += 1) {
    context.beginPath();
    for (let x = 0; x <= WIDTH; x += 8) {
      const y = HEIGHT * (0.5 + 0.1 * wave) + Math.sin(x / (70 + 25 * wave) + seconds * (1.4 - 0.35 * wave)) * (34 - 6 * wave);
      context.lineTo(x, y);
    }
    context.lineTo(WIDTH, HEIGHT);
    context.lineTo(0, HEIGHT);
    context.fillStyle = `hsl(${(hue + 25 * wave) % 360} 70% ${62 - 9 * wave}% / 0.28)`;
    context.fill();
  }

  context.beginPath();
  context.arc(WIDTH / 2 + Math.cos(seconds * 0.9) * 210, 118 + Math.sin(seconds * 1.7) * 46, 30, 0, 2 * Math.PI);
  context.fillStyle = '#ff7a4d';
  context.fill();

  context.fillStyle = 'rgb(255 255 255 / 92%)';
  context.font = '600 54px ui-monospace, "DejaVu Sans Mono", monospace';
  context.textAlign = 'center';
  context.fillText(clock(seconds, 1), WIDTH / 2, HEIGHT - 96);
}

/** `m:ss`, with so many digits of a second. @param {number} seconds @param {number} [digits] */
export function clock(seconds, digits = 0) {
  const rest = (seconds % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, '0');
  return `${Math.floor(seconds / 60)}:${rest}`;
}
