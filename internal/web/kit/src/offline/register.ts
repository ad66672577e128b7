/** Update is a new version of the page that waits until it is let in. */
export interface Update {
  /** Ends this version of the page and loads the new one. */
  apply(): void;
}

/**
 * registerWorker keeps the page of an app for when its server is away. It calls
 * `onUpdate` when a new version has been fetched; nothing changes until `apply`.
 */
export async function registerWorker(app: string, onUpdate: (update: Update) => void): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  const registration = await navigator.serviceWorker.register(`/${app}/sw.js`, { scope: `/${app}/` });
  const offer = (waiting: ServiceWorker | null) => {
    if (!waiting || !navigator.serviceWorker.controller) return;
    onUpdate({
      apply() {
        navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
        waiting.postMessage('take-over');
      },
    });
  };
  offer(registration.waiting);
  registration.addEventListener('updatefound', () => {
    const incoming = registration.installing;
    incoming?.addEventListener('statechange', () => {
      if (incoming.state === 'installed') offer(incoming);
    });
  });
}
