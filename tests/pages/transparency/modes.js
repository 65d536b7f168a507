// @ts-nocheck
// The ways in which a page can stand to the recorder. Each returns when the probes may begin.

const parameters = new URLSearchParams(location.search);
const endpoint = parameters.get('endpoint') ?? location.origin;

/** What the recorder says of itself must not get lost between the probes. */
const heard = (window.heard = []);
const options = { endpoint, getStatsInterval: 200, log: (message) => heard.push(message) };

/** A second copy of the package is another module to the browser. */
const copies = { first: '/rtctrace/index.js', second: '/rtctrace/index.js?copy' };

async function begin() {
  const { init } = await import(copies.first);
  window.recorder = await init(options);
  return init;
}

export const modes = {
  async native() {},

  async recorded() {
    await begin();
  },

  /** The page goes on before the module has been loaded. */
  async early() {
    const { init } = await import(copies.first);
    window.starting = init(options).then((recorder) => (window.recorder = recorder));
  },

  async twice() {
    const init = await begin();
    await init(options);
    const again = await import(copies.second);
    await again.init({ ...options, log: () => {} });
  },

  async closed() {
    await begin();
    await window.recorder.close();
  },

  /** The build with the module inside. */
  async inline() {
    const { start } = await import('/rtctrace/inline.js');
    window.recorder = start(options);
  },

  async restored() {
    await begin();
    window.recorder.restore();
  },
};
