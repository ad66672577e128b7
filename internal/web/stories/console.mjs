// The console in a browser, against a real head office with two lanes. What happens to
// the stage is asked of internal/e2e/console_test.go.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { accessible, ask, check, faultless, launch, open, picture, stage, tell } from './browser.mjs';

const screen = { width: 1440, height: 900 };
const browser = await launch();
const page = await open(browser, { viewport: screen, acceptDownloads: true });

const visit = (path) => page.goto(`${stage.hq}/console${path}`);
const press = (name) => page.getByRole('button', { name, exact: true }).click();
const tile = (label) => page.locator('.figures li').filter({ hasText: label }).locator('.value');

async function signIn(on = page, password = stage.password) {
  await on.getByLabel('Name', { exact: true }).last().fill(stage.name);
  await on.getByLabel('Password', { exact: true }).last().fill(password);
  await on.getByRole('button', { name: 'Sign in', exact: true }).last().click();
}

/** reads waits until a place on the page reads as it should. */
async function reads(locator, want, what) {
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

/** accessibleInBoth looks at what the page shows now in both themes. */
async function accessibleInBoth(what) {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await accessible(page, `${what}, ${colorScheme}`);
  }
}

async function saved(format) {
  const coming = page.waitForEvent('download');
  await press(`Save this list as ${format}`);
  return (await coming).path();
}

/** api calls head office's API as somebody who signed in there. */
async function api(token, method, path, body) {
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

/** declareAsGrace has a second person, whom the first lets in, declare a terminal lost. */
async function declareAsGrace(name) {
  const signIn = (as) => api('', 'POST', '/sessions', as);
  const admin = await signIn({ name: stage.name, password: stage.password });
  const grace = { name: 'Grace', password: 'a horse and a cart' };
  await api(admin.token, 'POST', '/people', { ...grace, role: 'operations' });
  const { token } = await signIn(grace);
  const { items } = await api(token, 'GET', '/terminals');
  await api(token, 'POST', `/terminals/${items.find((t) => t.name === name).id}/lost`, { reason: 'burnt down' });
}

await tell({
  'sign in': async () => {
    await visit('');
    await signIn(page, 'not the password');
    await page.getByText('Name or password is wrong.').waitFor();
    await signIn();
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const [cookie] = await page.context().cookies();
    check(cookie.httpOnly && cookie.sameSite === 'Strict', `the cookie is ${JSON.stringify(cookie)}`);
  },

  'an offline sale arrives while the page is open': async () => {
    await reads(tile('Sales'), '0', 'before');
    await ask('sell offline');
    await reads(tile('Sales'), '0', 'while the lanes are cut off');
    await ask('reconnect');
    await reads(tile('Sales'), '2', 'after the sync');
    await reads(tile('Open exceptions'), '1', 'exceptions after the sync');
  },

  'an exception is settled': async () => {
    await page.getByRole('link', { name: 'Exceptions', exact: true }).click();
    await page.getByRole('link', { name: 'Overdraw' }).click();
    await press('I look after it');
    await page.getByLabel('Note', { exact: true }).fill('called the store <b>twice</b>');
    await press('Add the note');
    await page.getByText('called the store <b>twice</b>').waitFor();
    await press('Settle');
    await page.getByLabel('How it was settled').selectOption('charged');
    await page.getByLabel('Why, in a sentence').fill('both lanes were cut off');
    await page.getByRole('dialog').getByRole('button', { name: 'Settle', exact: true }).click();
    await page.getByText('Charged to who is liable').waitFor();
    await page.getByRole('link', { name: 'All exceptions' }).click();
    await page.getByText('Nothing waits.').waitFor();
    await page.getByLabel('State').selectOption('settled');
    await page.waitForURL(/exceptions\.state=settled/);
    await page.reload();
    await page.getByRole('link', { name: 'Overdraw' }).waitFor();
  },

  'a member is found and adjusted': async () => {
    await visit('/members');
    await page.getByLabel('Alias, number or id').fill(stage.alias.slice(0, 3));
    await page.getByRole('link', { name: stage.alias }).click();
    await press('Adjust');
    await page.getByLabel('Amount, with a minus').fill('many');
    await page.getByRole('dialog').getByRole('button', { name: 'Adjust', exact: true }).click();
    await page.getByText('Type a whole number').waitFor();
    await page.getByLabel('Amount, with a minus').fill('5000');
    await page.getByRole('dialog').getByRole('button', { name: 'Adjust', exact: true }).click();
    await page.getByText('The balance is adjusted.').waitFor();
    await page.getByRole('cell', { name: '5,000', exact: true }).first().waitFor();
  },

  'a session that ends in mid-edit loses nothing': async () => {
    await press('Adjust');
    await page.getByLabel('Amount, with a minus').fill('77');
    const [cookie] = await page.context().cookies();
    const ended = await fetch(`${stage.hq}/api/v1/sessions/current`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${cookie.value}` },
    });
    check(ended.status === 204, `the session did not end: ${ended.status}`);
    await page.getByRole('dialog').getByRole('button', { name: 'Adjust', exact: true }).click();
    await page.getByText('Your session has ended.').first().waitFor();
    await picture(page, 'console-session-ended');
    await signIn();
    await page.getByText('The balance is adjusted.').waitFor();
    await page.getByRole('cell', { name: '77', exact: true }).first().waitFor();
    check(
      (await page.getByRole('cell', { name: '77', exact: true }).count()) === 1,
      'the adjustment was made more than once',
    );
  },

  'head office stops and starts while the page is open': async () => {
    await visit('/exceptions?exceptions.state=settled');
    await page.getByRole('link', { name: 'Overdraw' }).click();
    await page.getByLabel('Note', { exact: true }).fill('written while nobody answered');
    await ask('stop head office');
    await press('Add the note');
    await page.getByText('Head office does not answer.').waitFor();
    await page.getByText('Not live').waitFor();
    check((await page.getByLabel('Note', { exact: true }).inputValue()) !== '', 'what was typed is gone');
    await ask('start head office');
    await page.locator('.said', { hasText: 'written while nobody answered' }).waitFor();
    await page.getByText('Head office does not answer.').waitFor({ state: 'hidden' });
    await page.getByText('Live', { exact: true }).waitFor();
    check(
      (await page.locator('.said', { hasText: 'written while nobody answered' }).count()) === 1,
      'the note is there twice',
    );
  },

  'lists are saved as files': async () => {
    await visit('/members');
    await page.getByRole('link', { name: stage.alias }).waitFor();
    const text = await readFile(await saved('CSV'), 'utf8');
    check(text.startsWith('\ufeffid,alias,reference') && text.includes(`,${stage.alias},`), `the CSV reads ${text}`);
    check(text.includes(`,'${stage.formula},`), `a formula is not guarded in ${text}`);
    const rows = await ask('read sheet', await saved('XLSX'));
    check(rows.length === 3 && rows.some((r) => r[1] === stage.formula), `the sheet reads ${JSON.stringify(rows)}`);
  },

  'an entry is proved in the page': async () => {
    await visit('/journal?entries.kind=sale');
    await page.locator('tbody a').first().click();
    await page.locator('[data-verdict=holds]').waitFor();
    await page.getByText('"business_date"').waitFor();
  },

  'a policy is previewed, then put in force': async () => {
    await visit('/policy');
    const settled = page.locator('aside tbody tr').filter({ hasText: 'points' }).locator('td').last();
    await settled.waitFor();
    await page.getByLabel('Per terminal since its last sync').first().fill('0');
    await reads(settled, '0', 'afterwards');
    await press('Put in force');
    await page.getByRole('dialog').getByRole('button', { name: 'Put in force' }).click();
    await page.getByRole('status').getByText('is in force.').first().waitFor();
  },

  'a terminal is enrolled, and quarantined': async () => {
    await visit('/terminals');
    await press('Add a terminal');
    await page.getByRole('dialog').getByLabel('Store').selectOption({ index: 0 });
    await page.getByLabel('Name of the lane').fill('lane9');
    await page.getByRole('dialog').getByRole('button', { name: 'Add a terminal' }).click();
    await reads(page.locator('output'), /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/, 'the code');
    await picture(page, 'console-enrolment');
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Quarantine: corner lane2' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Quarantine', exact: true }).click();
    await page.getByText('quarantined', { exact: true }).last().waitFor();
  },

  'a terminal is declared lost, which one person cannot confirm': async () => {
    const lost = page.getByRole('dialog');
    const look = () => page.getByRole('button', { name: 'Lost: corner lane1' }).press('Enter');
    await visit('/terminals');
    await look();
    await lost.getByLabel('Why it will not come back').fill('burnt <b>down</b>');
    await lost.getByRole('button', { name: 'Declare lost' }).click();
    await lost.getByText('burnt <b>down</b>').waitFor();
    await lost.getByText('Somebody else must confirm it before it counts.').waitFor();
    await lost.getByText('Costs at most').waitFor();
    check((await lost.getByRole('button', { name: 'Confirm that it is lost' }).count()) === 0, 'the first may confirm');
    await accessibleInBoth('a declaration');
    await lost.getByRole('button', { name: 'Withdraw' }).click();
    await lost.getByText('withdrawn', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await lost.waitFor({ state: 'hidden' });
  },

  'a second person declares it, and the first confirms': async () => {
    const lost = page.getByRole('dialog');
    await ask('stop a lane');
    await declareAsGrace('lane1');
    await visit('/terminals');
    await page.getByRole('button', { name: 'Lost: corner lane1' }).press('Enter');
    await lost.getByText('Grace', { exact: false }).first().waitFor();
    await lost.getByRole('button', { name: 'Confirm that it is lost' }).click();
    await lost.getByText('lost', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await lost.waitFor({ state: 'hidden' });
  },

  'a cashier is added, and the tills ask for one': async () => {
    await visit('/stores');
    await page.locator('tbody a').nth(1).click();
    await press('Add a cashier');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('Ola');
    await dialog.getByLabel('Role', { exact: true }).selectOption('manager');
    await dialog.getByLabel('PIN, 4 to 8 digits').fill('2468');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('cell', { name: 'Manager', exact: true }).waitFor();
    await press('Deactivate: Ola');
    await page.getByRole('cell', { name: 'left', exact: true }).waitFor();
    await page.getByLabel('The till does nothing before').check();
    await page.getByLabel('A void of more needs a manager').fill('12.50');
    await press('Save');
    await page.getByText('The tills of the store hear of it').last().waitFor();
    await accessibleInBoth('a store');
    await page.reload();
    await page.getByLabel('A void of more needs a manager').waitFor();
    check((await page.getByLabel('A void of more needs a manager').inputValue()) === '12.50', 'the rule is not kept');
  },

  'a mail is read where no mail server is': async () => {
    const joined = await fetch(`${stage.hq}/api/v1/card/join`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() },
      body: JSON.stringify({ locale: 'en', name: 'Ann', email: 'ann@example.org' }),
    });
    check(joined.status === 201, `the shopper did not join: ${joined.status}`);
    await page.getByRole('link', { name: 'Mails', exact: true }).click();
    const read = page.getByRole('button', { name: /^Read: ann@example.org/ });
    for (let tries = 0; !(await read.isVisible()) && tries < 50; tries++) {
      await press('Read again');
      await page.locator('table[aria-busy=false]').waitFor();
    }
    await read.press('Enter');
    const link = await page.getByLabel('Link in the mail').inputValue();
    check(/\/card\/#\/open\/\S+$/.test(link), `the link reads ${link}`);
    const opens = page.getByRole('link', { name: 'Open the link' });
    check((await opens.getAttribute('href')) === link, 'the link opens something else than it reads');
    check((await opens.getAttribute('rel')) === 'noopener noreferrer', 'the card could reach this page');
    await accessibleInBoth('a mail');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  },

  'the audit log says who did it': async () => {
    await visit('/audit');
    for (const deed of ['put policy', 'quarantine terminal', 'create adjustment', 'resolve exception']) {
      await page.getByRole('cell', { name: deed }).first().waitFor();
    }
    faultless(page);
  },

  'every page, in every language and theme': async () => {
    const { cookies } = await page.context().storageState();
    const paths = [
      '',
      '/stores',
      '/terminals',
      '/members',
      '/journal',
      '/exceptions',
      '/rewards',
      '/vouchers',
      '/policy',
      '/audit',
      '/mails',
    ];
    for (const [locale, theme] of [
      ['en', 'light'],
      ['tr', 'dark'],
      ['pl', 'light'],
      // The same words again are for the pictures only.
      ...(stage.screenshots ? [['en', 'dark']] : []),
    ]) {
      const other = await open(browser, { viewport: screen, locale, theme });
      await other.goto(`${stage.hq}/console`);
      await other.locator('form').waitFor();
      await accessible(other, `sign in, ${locale}`);
      if (locale === 'en') await picture(other, `console-sign-in-${theme}`);
      await other.context().addCookies(cookies);
      for (const path of paths) {
        await other.goto(`${stage.hq}/console${path}`);
        await other.locator('h1').waitFor();
        await other.locator('[aria-busy=true]').waitFor({ state: 'detached' });
        await other.waitForLoadState('domcontentloaded');
        await other.waitForFunction(
          () => !document.querySelector('.chart') || document.querySelectorAll('.chart canvas').length > 0,
        );
        await accessible(other, `${path || '/'}, ${locale}, ${theme}`);
        if (locale === 'en') await picture(other, `console${path.replace('/', '-') || '-home'}-${theme}`);
      }
      faultless(other);
      await other.context().close();
    }
  },
});
