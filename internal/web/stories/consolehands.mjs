// What the console's stories share: one browser, one page, and how it is used.
import { randomUUID } from 'node:crypto';
import { accessible, check, launch, open, stage } from './browser.mjs';

export const screen = { width: 1440, height: 900 };
export const browser = await launch();
export const page = await open(browser, { viewport: screen, acceptDownloads: true });

export const visit = (path) => page.goto(`${stage.hq}/console${path}`);
export const press = (name) => page.getByRole('button', { name, exact: true }).click();

export async function signIn(on = page, password = stage.password, name = stage.name) {
  await on.getByLabel('Name', { exact: true }).last().fill(name);
  await on.getByLabel('Password', { exact: true }).last().fill(password);
  await on.getByRole('button', { name: 'Sign in', exact: true }).last().click();
}

/** reads waits until a place on the page reads as it should. */
export async function reads(locator, want, what) {
  const holds = (text) => (want instanceof RegExp ? want.test(text) : text.trim() === want);
  const until = performance.now() + 15_000;
  let text = '';
  do {
    text = await locator.first().innerText({ timeout: 15_000 });
    if (holds(text)) return;
    await page.waitForTimeout(50);
  } while (performance.now() < until);
  check(false, `${what}: it reads ${JSON.stringify(text)}, not ${want}`);
}

/**
 * accessibleInBoth looks at what a page shows now in both themes, or at a part of it. The
 * second time at its colours only: nothing else differs.
 */
export async function accessibleInBoth(what, { on = page, within, each = async () => {} } = {}) {
  for (const [colorScheme, rules] of [['light'], ['dark', ['color-contrast']]]) {
    await on.emulateMedia({ colorScheme });
    await accessible(on, `${what}, ${colorScheme}`, { within, rules });
    await each(colorScheme);
  }
}

/** api calls head office's API as somebody who signed in there. */
export async function api(token, method, path, body) {
  const response = await fetch(`${stage.hq}/api/v1${path}`, {
    method,
    headers: {
      ...(token && { Authorization: `Bearer ${token}` }),
      'Content-Type': 'application/json',
      'Idempotency-Key': randomUUID(),
    },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  check(response.ok, `${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}
