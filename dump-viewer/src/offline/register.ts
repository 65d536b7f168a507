/** Has the browser keep the viewer, where it does that: not over plain http. */
export function keepForOffline(): void {
  const workers: ServiceWorkerContainer | undefined = navigator.serviceWorker;
  // Without it the viewer only needs its server.
  workers?.register(new URL('service-worker.js', document.baseURI)).catch(() => {});
}
