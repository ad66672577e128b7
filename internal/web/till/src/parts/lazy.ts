// What is not needed to begin a sale is fetched after the page has been shown. The
// service worker keeps all of it, so it is there when the agent is not.
export const lazy = {
  done: () => import('./Done.svelte'),
  camera: () => import('@tallystick/kit/ui/Camera.svelte'),
  pin: () => import('./PinDialog.svelte'),
  settings: () => import('./SettingsDialog.svelte'),
  claim: () => import('../views/ClaimReceipt.svelte'),
  sales: () => import('../views/Sales.svelte'),
  newMember: () => import('../views/NewMember.svelte'),
  day: () => import('../views/Day.svelte'),
};

/** fetchAhead fetches all of it, one after the other, so that nothing has to be waited for later. */
export async function fetchAhead(): Promise<void> {
  for (const part of Object.values(lazy)) await part().catch(() => undefined);
}
