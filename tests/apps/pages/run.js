// Runs an app with or without the recorder and keeps what the app itself noticed.

/** An app's own view: what happened to each of its parts, in order. @typedef {(part: string, what: string, value?: unknown) => void} Log */

const parameters = new URLSearchParams(location.search);

/** A setting of the app, from the address of the page. @param {string} name */
export const setting = (name) => parameters.get(name) ?? '';

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** An error as an app could tell it from another. @param {any} error */
export const nameOf = (error) => `${error?.constructor?.name} ${error?.name} ${error?.message}`;

/** @param {MediaStream} stream */
export const kindsOf = (stream) => stream.getTracks().map(({ kind, readyState }) => [kind, readyState]).sort();

/** Shows a stream as an app would, until there are pictures; how large they are is the browser's choice. @param {MediaStream} stream */
export async function play(stream) {
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = stream;
  document.body.append(video);
  await video.play();
  while (!video.videoWidth) await sleep(20);
  return 'pictures';
}

export const camera = () => navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240 } });

/** @param {import('rtctrace').InitOptions} options @returns {Promise<import('rtctrace').Recorder>} */
async function record(options) {
  const { init } = await import(`/${setting('package') || 'rtctrace'}/${setting('entry') || 'index'}.js`);
  return init(options);
}

/** @param {(log: Log) => Promise<void>} app @param {(work: () => void) => void} [around] */
export function run(app, around = (work) => work()) {
  /** @type {Record<string, unknown[][]>} */
  const noticed = {};
  /** @type {any} */ (window).noticed = noticed;
  /** @type {Log} */
  const log = (part, what, value = null) => void (noticed[part] ??= []).push([what, value]);
  const endpoint = setting('endpoint');
  const work = async () => {
    const recorder = endpoint ? await record({ endpoint, getStatsInterval: 250 }) : null;
    await app(log);
    await recorder?.close();
    return { session: recorder?.session ?? '', noticed, witness: /** @type {any} */ (window).witness };
  };
  const end = (/** @type {object} */ outcome) => void (/** @type {any} */ (window).outcome = outcome);
  around(() => work().then(end, (error) => end({ error: nameOf(error) })));
}
