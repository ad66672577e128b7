/// <reference lib="webworker" />
// The service worker of a page. The plugin in vite/offline.ts puts the three
// constants in front of it.
export {};
declare const APP: string;
declare const VERSION: string;
declare const FILES: string[];

const worker = self as unknown as ServiceWorkerGlobalScope;
// Cache Storage belongs to the origin, not to the scope: each app touches only the
// caches that carry its name.
const prefix = `tallystick-${APP}-`;
const cacheName = prefix + VERSION;

worker.addEventListener('install', (event) => {
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(FILES)));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith(prefix) && name !== cacheName) await caches.delete(name);
      }
      await worker.clients.claim();
    })(),
  );
});

// A new version takes over when the page says so, never in the middle of a sale.
worker.addEventListener('message', (event) => {
  if (event.data === 'take-over') void worker.skipWaiting();
});

worker.addEventListener('fetch', (event) => {
  const request = event.request;
  const url = new URL(request.url);
  // The page asks the server itself when it says so: that is how it renews its session.
  if (request.method !== 'GET' || url.origin !== worker.location.origin || request.cache === 'no-store') return;
  if (request.mode === 'navigate' && url.pathname.startsWith(`/${APP}/`)) {
    event.respondWith(openPage(request));
  } else if (FILES.includes(url.pathname)) {
    event.respondWith(keptFirst(request));
  }
});

// The server first, since its answer brings the session; the kept page when it is
// not there.
async function openPage(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request);
    if (answer.status < 500) return answer;
  } catch {
    // The server is not there: that is what the kept page is for.
  }
  return (await caches.match(`/${APP}/`, { cacheName })) ?? Response.error();
}

async function keptFirst(request: Request): Promise<Response> {
  return (await caches.match(request, { cacheName })) ?? fetch(request);
}
