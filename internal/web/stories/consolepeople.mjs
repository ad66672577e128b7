// The console's stories of who may sign in, what is written to shoppers, and who did what.
import { randomUUID } from 'node:crypto';
import { check, faultless, picture, stage } from './browser.mjs';
import { page, press, visit } from './consolehands.mjs';

export const people = {
  'somebody is let in, gets another role and password, and is shut out': async () => {
    const dialog = page.getByRole('dialog');
    const row = page.getByRole('row').filter({ hasText: 'Ola Nowak' });
    const signIn = (password) =>
      fetch(`${stage.hq}/api/v1/sessions`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ name: 'Ola Nowak', password }),
      });
    await page.getByRole('link', { name: 'People', exact: true }).click();
    await page.getByRole('button', { name: 'Let somebody in' }).press('Enter');
    await dialog.getByLabel('Name', { exact: true }).fill('Grace');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await dialog.getByText('there is a person of this name').waitFor();
    await dialog.getByLabel('Name', { exact: true }).fill('Ola Nowak');
    await dialog.getByLabel('Role', { exact: true }).selectOption('finance');
    await page.keyboard.press('Enter');
    const first = await dialog.locator('output').innerText();
    await picture(page, 'console-first-password');
    await page.keyboard.press('Escape');
    await row.waitFor();
    check((await signIn(first)).status === 201, 'the password that was shown does not let in');

    await press('Change role: Ola Nowak');
    await dialog.getByLabel('Role', { exact: true }).selectOption('marketing');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await row.getByRole('cell', { name: 'Marketing', exact: true }).waitFor();
    await press('New password: Ola Nowak');
    await dialog.getByLabel('Password', { exact: true }).fill('tall ships and small boats');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await dialog.locator('output').waitFor();
    await page.keyboard.press('Escape');
    check((await signIn(first)).status === 401, 'the old password still lets in');

    await press('Shut out: Ola Nowak');
    await dialog.getByRole('button', { name: 'Shut out', exact: true }).click();
    await row.getByText('shut out', { exact: true }).waitFor();
    check((await signIn('tall ships and small boats')).status === 401, 'who was shut out signs in');
    const mine = page.getByRole('row').filter({ hasText: '(you)' });
    check((await mine.getByRole('button').count()) === 1, "more than one's own password may be changed");
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
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  },

  'a shopper is found by the whole of an e-mail address': async () => {
    await visit('/members');
    await page.getByLabel('Whole e-mail address').fill('ann@example');
    await page.getByLabel('Whole e-mail address').press('Enter');
    await page.getByText('is not an e-mail address').waitFor();
    await page.getByLabel('Whole e-mail address').fill('nobody@example.org');
    await press('Find');
    await page.getByText('Nobody has given this address.').waitFor();
    await page.getByLabel('Whole e-mail address').fill(' ANN@Example.org');
    await press('Find');
    await page.getByRole('heading', { name: 'Ann', exact: true }).waitFor();
    await page.getByText('not confirmed', { exact: true }).waitFor();
    check(!page.url().includes('example'), `the address of the page has the shopper's: ${page.url()}`);
  },

  'how far passes have come leads to the passes': async () => {
    await visit('/passes');
    const web = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'Web card' }) });
    await web.getByRole('link').first().waitFor();
    const issued = Number(await web.getByRole('link').first().innerText());
    check(issued >= 1, `the shopper who joined has no pass: ${issued}`);
    await web.getByRole('link').nth(1).click();
    await page.waitForURL(/passes\.stage=installed/);
    await visit('/passes');
    await web.getByRole('link').first().click();
    await page.getByRole('cell', { name: 'Web card' }).first().waitFor();
    await page.locator('td a.mono').first().click();
    await page.getByRole('heading', { name: 'Ann', exact: true }).waitFor();
    await page.getByRole('button', { name: /^Tell again: Web card/ }).click();
    await page.getByText('told again within seconds').waitFor();
    await page.getByRole('link', { name: 'Passes', exact: true }).click();
    await page.getByRole('link', { name: 'What phones say' }).click();
    await page.getByText('No phone has complained.').waitFor();
  },

  'the audit log says who did it': async () => {
    const deeds = {
      '/audit?acts.sort=at': ['resolve exception', 'create adjustment'], // the oldest first
      '/audit': ['put policy', 'put branding', 'quarantine terminal', 'create person', 'set role'],
    };
    for (const [path, all] of Object.entries(deeds)) {
      await visit(path);
      if (path !== '/audit')
        await page
          .getByRole('cell', { name: /^command line/ })
          .first()
          .waitFor();
      for (const deed of all) await page.getByRole('cell', { name: deed }).first().waitFor();
    }
    faultless(page);
  },
};
