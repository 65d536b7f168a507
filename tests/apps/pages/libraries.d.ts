// A library that comes without types.

declare module 'simple-peer/simplepeer.min.js';
