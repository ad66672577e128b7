// The console's stories of tiers, and of passes in wallets: issued for each kind of phone,
// and told of changes, or not. Apple and Google are doubles.
import { ask, check, picture, stage } from './browser.mjs';
import { accessibleInBoth, page, press, reads, visit } from './consolehands.mjs';

const dialog = page.getByRole('dialog');

async function theMember() {
  await visit('/members');
  await page.getByRole('link', { name: stage.alias }).click();
  await page.getByRole('heading', { name: stage.alias }).waitFor();
}

async function adjust(points) {
  await press('Adjust');
  await page.getByLabel('Amount, with a minus').fill(String(points));
  await dialog.getByRole('button', { name: 'Adjust', exact: true }).click();
  await page.getByText('The balance is adjusted.').waitFor();
}

export const wallets = {
  'tiers are counted, then put in force': async () => {
    await visit('/tiers');
    await page.getByText('There are no tiers.').waitFor();
    await press('Add a tier');
    await press('Put in force');
    await page.getByText('Some fields cannot be read.').waitFor();
    const level = (n) => page.locator('fieldset.level').nth(n);
    await level(0).getByLabel('Name (EN)').fill('Member');
    await level(0).getByLabel('Name (PL)').fill('Uczestnik');
    await level(0).getByLabel('From', { exact: true }).fill('0');
    await press('Add a tier');
    await level(1).getByLabel('Name (EN)').fill('Gold');
    await level(1).getByLabel('From', { exact: true }).fill('10');
    await level(1).getByLabel('Colour, if any').fill('#d4af37');
    await page.getByLabel('Within').selectOption('year');
    await page.getByText('until the end of the next one').waitFor();
    await press('Count members');
    const row = (name) => page.locator('aside tr').filter({ hasText: name }).locator('td');
    await reads(row('Gold'), '1', 'members with 20 euros spent');
    await reads(row('in none'), '0', 'members in none');
    await level(1).getByLabel('From', { exact: true }).fill('1000');
    await page.getByText('Counted before your last change.').waitFor();
    await level(1).getByLabel('From', { exact: true }).fill('50');
    await press('Put in force');
    await dialog.getByRole('button', { name: 'Put in force' }).click();
    await page.getByRole('status').getByText('Version 1 is in force.').first().waitFor();
    await theMember();
    const tier = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Tier', exact: true }) });
    await tier.getByText('Member', { exact: true }).waitFor();
    await tier.getByText('points to Gold').waitFor();
    await accessibleInBoth('a member with a tier', {
      each: (theme) => picture(page, `console-member-tier-${theme}`),
    });
  },

  'a pass is issued for each kind of phone, and on paper': async () => {
    await theMember();
    await press('Issue a pass');
    await dialog.getByRole('button', { name: 'Apple Wallet' }).click();
    await dialog.getByText('Scan with an iPhone').waitFor();
    await dialog.getByAltText('Code of the address').waitFor();
    await accessibleInBoth('a pass for an iPhone', {
      within: 'dialog[open]',
      each: (theme) => picture(page, `console-issue-pass-${theme}`),
    });
    const installed = await ask('install on the iPhone', await dialog.locator('.address').innerText());
    check(installed === 201, `the phone was registered with ${installed}`);
    await press('Another');
    await dialog.getByRole('button', { name: 'Google Wallet' }).click();
    await dialog.getByText('Scan with an Android phone').waitFor();
    await ask('save to the Google phone', await dialog.locator('.address').innerText());
    await press('Another');
    await dialog.getByRole('button', { name: 'Printed' }).click();
    const coming = page.waitForEvent('download');
    await dialog.getByRole('link', { name: 'Save the card (PDF)' }).click();
    const file = await coming;
    check(file.suggestedFilename() === 'card.pdf' && !(await file.failure()), 'the printed card did not come');
    await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
    for (const channel of ['Apple Wallet', 'Google Wallet', 'Printed']) {
      await page.getByRole('cell', { name: channel, exact: true }).waitFor();
    }
  },

  'a phone that cannot be told is seen, and how long it took': async () => {
    await ask('refuse pushes');
    await theMember();
    await adjust(10);
    await visit('/passes?view=pushes&pushes.failing=true');
    await page.getByRole('cell', { name: 'Apple Wallet' }).first().waitFor();
    await page.reload(); // the figures are read twice a minute
    await page.getByText('1 of them failed before').waitFor();
    await accessibleInBoth('a phone that cannot be told', {
      each: (theme) => picture(page, `console-passes-failing-${theme}`),
    });
    await ask('take pushes');
    check((await ask('fetch on the iPhone')) === 200, 'the phone did not get its pass');
    for (let tries = 0; tries < 20 && !(await page.locator('.chart canvas').first().isVisible()); tries++) {
      await visit('/passes'); // what phones did is written each second
      await page.getByRole('row').filter({ hasText: 'Google Wallet' }).first().waitFor();
      await page.waitForTimeout(500);
    }
    const row = (channel) => page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: channel }) });
    await reads(row('Apple Wallet').getByRole('cell').nth(4), '1', 'Apple passes fetched');
    await reads(row('Google Wallet').getByRole('cell').first(), '1', 'Google passes issued');
    await page.getByText('Apple passes are signed by a self-made authority').waitFor();
    await accessibleInBoth('passes in wallets', { each: (theme) => picture(page, `console-passes-wallets-${theme}`) });
  },
};
