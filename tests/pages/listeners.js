// The recorder hears of the page's end from the browser only, so a test that lets a page seem to leave calls the listeners
// itself. In front of every module.

(() => {
  /** @type {Record<string, Function[]>} */
  const listeners = { pagehide: [], pageshow: [] };
  const { addEventListener } = EventTarget.prototype;
  /** @type {typeof addEventListener} */
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    if ((this ?? window) === window && typeof listener === 'function') listeners[type]?.push(listener);
    return addEventListener.call(this, type, listener, options);
  };
  Object.assign(window, { listeners });
})();
