// Keeps the viewer's files, so that it opens without its server. The page itself is asked for first, so that a newer one is seen at once; the
// others carry a digest of their content in their names. What the API answers is never kept. FILES and VERSION are of the build.

const PREFIX = `rtctrace viewer at ${self.registration.scope}: `;
const CACHE = PREFIX + VERSION;
const page = self.registration.scope;
const files = new Set(FILES.map((name) => new URL(name, page).href));

self.addEventListener('install', (event) => event.waitUntil(keep()));
self.addEventListener('activate', (event) => event.waitUntil(forget()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const address = url.origin + url.pathname;
  if (request.method !== 'GET') return;
  if (address === page || address === `${page}index.html`) event.respondWith(newest(request));
  else if (files.has(address)) event.respondWith(kept(request, address));
});

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll([page, ...files]);
}

/** Pages of an older build are gone by now. */
async function forget() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
}

async function newest(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const cache = await caches.open(CACHE);
    const known = await cache.match(page);
    if (!known) throw error;
    return known;
  }
}

async function kept(request, address) {
  const cache = await caches.open(CACHE);
  return (await cache.match(address)) ?? fetch(request);
}
